"""The OpenAPI description of an installation, complete in one document.

`schemas/openapi.json` names the JSON Schemas of the calls by the addresses under which editors
find them (`/schemas/hook-request.schema.json`). Whoever saves the description has those files no
more, and a path prefix leads elsewhere: here each becomes a part of `components/schemas`.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

Json = Any

_FOLDER = files("cds_service") / "schemas"
_ADDRESS = "/schemas/"
_SUFFIX = ".schema.json"
_COMPONENTS = "#/components/schemas/"
_DEFS = "#/$defs/"
# What says where a file is, or is told otherwise in the bundle. Generators would name classes
# by the title, and the specification's version stands in it.
_OF_THE_FILE = frozenset({"$schema", "$id", "$defs", "title"})


def document(public_url: str = "") -> dict[str, Json]:
    """The description; `servers` names the public address where one is configured."""
    data: dict[str, Json] = orjson.loads(_bundled())
    if public_url:
        data["servers"] = [{"url": public_url}]
    return data


@cache
def _bundled() -> bytes:
    """The same for every call: the files are part of the program."""
    data = _read("openapi.json")
    for address in sorted(set(_addresses(data))):
        data["components"]["schemas"].update(_components(address))
    return orjson.dumps(_pointed(data, ""))


def _read(name: str) -> dict[str, Json]:
    data: dict[str, Json] = orjson.loads((_FOLDER / name).read_bytes())
    return data


def _addresses(node: Json) -> Iterator[str]:
    """The address of each schema file that a description refers to."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_ADDRESS):
            yield reference
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _addresses(child)


def _components(address: str) -> dict[str, Json]:
    """A schema file and its `$defs`, each under a name of its own."""
    schema, name = _read(address.removeprefix(_ADDRESS)), _name(address)
    whole = {key: part for key, part in schema.items() if key not in _OF_THE_FILE}
    whole.setdefault("description", schema["title"])
    parts = {_part(name, key): part for key, part in schema.get("$defs", {}).items()}
    return {key: _pointed(part, name) for key, part in {name: whole, **parts}.items()}


def _pointed(node: Json, name: str) -> Json:
    """The same with every `$ref` inside the document; `name` is the schema that is walked."""
    if isinstance(node, list):
        return [_pointed(child, name) for child in node]
    if not isinstance(node, dict):
        return node
    walked = {key: _pointed(child, name) for key, child in node.items()}
    if isinstance(node.get("$ref"), str):
        walked["$ref"] = _inside(node["$ref"], name)
    return walked


def _inside(reference: str, name: str) -> str:
    if reference.startswith(_ADDRESS):
        return _COMPONENTS + _name(reference)
    if reference.startswith(_DEFS):
        return _COMPONENTS + _part(name, reference.removeprefix(_DEFS))
    return reference


def _name(address: str) -> str:
    """`/schemas/hook-request.schema.json` as HookRequest."""
    words = address.removeprefix(_ADDRESS).removesuffix(_SUFFIX).split("-")
    return "".join(map(str.capitalize, words))


def _part(name: str, key: str) -> str:
    """`card` of HookResponse as HookResponseCard."""
    return name + key[0].upper() + key[1:]
