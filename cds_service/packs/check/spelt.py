"""Value sets whose words are nearly right: properties and extensions that FHIR and this project do
not have, and codes that have not the form of their system. Nothing would read them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import obj, seq, word
from cds_service.terminology.codings import (
    ATC,
    ICD10_EDITIONS,
    NDC,
    RXNORM,
    canonical_code,
)
from cds_service.terminology.valueset import (
    ADDS,
    FILTER_DISPLAY,
    NEW_INGREDIENT,
    SET_WORDS,
    WIDENED,
)
from cds_service.terminology.word_lists import Canonical

Json = Any

# What the project's extensions hold. The beginnings of their addresses are the same.
_EXTENSIONS = {
    ADDS: "valueBoolean",
    NEW_INGREDIENT: "valueBoolean",
    SET_WORDS: "valueString",
    WIDENED: "valueString",
    FILTER_DISPLAY: "valueString",
}
_OWN = ADDS.rpartition("/")[0]
# FHIR R4 ValueSet: the elements that decide, by where they stand.
_ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "": ("compose", "expansion", "status", "title", "url", "version"),
    "compose": ("include", "exclude"),
    "part": ("system", "concept", "filter", "valueSet", "version"),
    "concept": ("code", "display", "designation"),
}
_FORMS = {
    **dict.fromkeys(ICD10_EDITIONS, re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")),
    RXNORM: re.compile(r"[0-9]{1,8}"),
    NDC: re.compile(r"[0-9*-]{10,14}"),
    ATC: re.compile(r"[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?"),
}


def of_document(document: Document, canonical: Canonical) -> Iterator[Problem]:
    """Warnings of one value set, each at its place."""
    resource = obj(document.data)
    compose = obj(resource.get("compose"))
    yield from _elements(document, (), resource, "")
    yield from _extensions(document, (), resource)
    yield from _elements(document, ("compose",), compose, "compose")
    for kind in ("include", "exclude"):
        for number, part in enumerate(seq(compose.get(kind))):
            yield from _part(document, ("compose", kind, number), obj(part), canonical)


def _part(
    document: Document, path: JsonPath, part: Json, canonical: Canonical
) -> Iterator[Problem]:
    yield from _elements(document, path, part, "part")
    system = canonical(part.get("system"))
    form = _FORMS.get(system)
    for number, concept in enumerate(seq(part.get("concept"))):
        here: JsonPath = (*path, "concept", number)
        yield from _elements(document, here, obj(concept), "concept")
        yield from _extensions(document, here, obj(concept))
        code = canonical_code(system, obj(concept).get("code"))
        if code and form and not form.fullmatch(code):
            message = f"'{code[:40]}' has not the form of a code of {system}."
            hint = "A name belongs into 'display'; look for letters in place of digits."
            yield document.problem((*here, "code"), "V019", message, hint, severity="warning")


def _elements(document: Document, path: JsonPath, element: Json, sort: str) -> Iterator[Problem]:
    known = _ELEMENTS[sort]
    for name in element:
        near = did_you_mean(name, set(known) - element.keys())
        if name not in known and near and not _fhir(name):
            message = f"Nothing reads '{name}'."
            at: JsonPath = (*path, name)
            yield document.problem(at, "V021", message, near, key=True, severity="warning")


def _fhir(name: str) -> bool:
    """Other elements of a ValueSet that read nearly like one that decides."""
    return name.startswith("_") or name in ("contact", "extension", "inactive", "purpose")


def _extensions(document: Document, path: JsonPath, element: Json) -> Iterator[Problem]:
    for number, extension in enumerate(map(obj, seq(element.get("extension")))):
        url, at = word(extension.get("url")), (*path, "extension", number)
        wanted = _EXTENSIONS.get(url)
        name = url.rpartition("/")[2]
        hint = did_you_mean(name, [known.rpartition("/")[2] for known in _EXTENSIONS])
        if wanted is None and url.startswith(_OWN) and hint:
            message = f"There is no extension '{name}'."
            yield document.problem((*at, "url"), "V021", message, hint, severity="warning")
        elif wanted and wanted not in extension:
            message = f"The extension '{name}' holds no '{wanted}'."
            hint = f"Write it as {wanted}."
            yield document.problem(at, "V021", message, hint, severity="warning")
