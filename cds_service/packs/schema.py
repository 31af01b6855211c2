"""Files against their JSON Schemas, with each error put in words and at its place."""

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.positions import Document

Json = Any
_Error = Any  # jsonschema.ValidationError; the library is imported only when it is needed

NAMES = (
    "code-systems", "condition", "definitions", "facts", "names", "order-names", "orders", "pack",
    "routes", "rule", "rule-test", "service", "sides", "site", "statuses", "valueset",
)  # fmt: skip

_TYPES = {
    "object": "an object", "array": "a list", "string": "text in double quotes",
    "number": "a number", "integer": "a whole number", "boolean": "true or false", "null": "null",
}  # fmt: skip


@cache
def schema(name: str) -> Json:
    """A JSON Schema by its short name ("rule")."""
    path = files("cds_service") / "schemas" / f"{name}.schema.json"
    return json.loads(path.read_text("utf-8"))


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(name), registry=_registry())


@cache
def _registry() -> Any:
    from referencing import Registry, Resource

    known = [Resource.from_contents(schema(name)) for name in NAMES]
    return Registry().with_resources((r.id() or "", r) for r in known).crawl()


def check_schema(name: str, document: Document) -> Iterator[Problem]:
    """Every departure of a document from its schema."""
    problems = [
        problem
        for error in _validator(name).iter_errors(document.data)
        for problem in _problems(document, error)
    ]
    # A property that is misspelt is not missing as well.
    meant = {problem.hint for problem in problems if problem.code == "S101"}
    for problem in dict.fromkeys(problems):
        missing = problem.message.removesuffix(" is missing.")
        if problem.code != "S102" or f"Did you mean {missing}?" not in meant:
            yield problem


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or ""."""
    words = [word for word in known if isinstance(word, str)]
    folded = {word.lower(): word for word in words}
    near = get_close_matches(wrong, words, 1, 0.6) or [
        folded[lowered] for lowered in get_close_matches(wrong.lower(), folded, 1, 0.6)
    ]
    return f"Did you mean '{near[0]}'?" if near else ""


def _problems(document: Document, error: _Error) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties" | "false":
            yield from _unknown_properties(document, path, error)
        case "required":
            for name in error.validator_value:
                if name not in error.instance and error.message.startswith(repr(name)):
                    hint = error.schema.get("properties", {}).get(name, {})
                    about = hint.get("description", "") if isinstance(hint, dict) else ""
                    yield document.problem(path, "S102", f"'{name}' is missing.", about)
        case "pattern" if "propertyNames" in error.schema_path:
            yield document.problem(
                (*path, error.instance), "S105", f"'{error.instance}' is not a name.",
                "Names have lower-case words with dots or hyphens between them.", key=True,
            )  # fmt: skip
        case None:
            yield document.problem(path, "S101", f"'{path[-1]}' is not allowed here.", key=True)
        case _:
            code, message, hint = _words(error)
            yield document.problem(path, code, message, hint)


def _unknown_properties(
    document: Document, path: tuple[str | int, ...], error: _Error
) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    for name in error.instance:
        if name not in known:
            hint = did_you_mean(name, [k for k in known if k not in error.instance])
            message = f"'{name}' is not a property here."
            yield document.problem((*path, name), "S101", message, hint, key=True)


def _words(error: _Error) -> tuple[str, str, str]:
    value, wanted, schema = error.instance, error.validator_value, error.schema
    about = schema.get("description", "")
    match error.validator:
        case "type":
            kinds = wanted if isinstance(wanted, list) else [wanted]
            expected = " or ".join(_TYPES[k] for k in kinds)
            return "S103", f"{_shown(value)} is not {expected}.", about
        case "enum" | "const":
            allowed = wanted if isinstance(wanted, list) else [wanted]
            near = did_you_mean(value, allowed) if isinstance(value, str) else ""
            listed = ", ".join(map(str, allowed))
            return "S104", f"{_shown(value)} is not one of: {listed}.", near
        case "pattern" | "format":
            return "S105", f"{_shown(value)} has not the form wanted here.", about
        case "not":
            known = ["all", "any", "not", "certainly", "is", "setting", "fact"]
            hints = [hint for key in value if (hint := did_you_mean(key, known))]
            return "S107", about, next(iter(hints), "")
        case "minLength" | "minItems" | "minProperties":
            return "S106", f"{_shown(value)} is empty.", about
        case "uniqueItems":
            return "S106", "An entry stands twice in this list.", ""
        case "minimum" | "exclusiveMinimum":
            return "S106", f"{_shown(value)} is below {wanted}.", about
        case "maximum" | "exclusiveMaximum":
            return "S106", f"{_shown(value)} is above {wanted}.", about
    return "S108", error.message.rstrip(".") + ".", about


def _shown(value: Json) -> str:
    if isinstance(value, str):
        return f"'{value[:60]}'"
    if isinstance(value, dict):
        return "An object"
    if isinstance(value, list):
        return "A list" if value else "The list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)
