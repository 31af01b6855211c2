"""Checks of services and of the pack's frame: ids, groups, prefetch templates, conditional card."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.positions import Document
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, seq, word

Json = Any

_TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
_READ = re.compile(r"^[A-Z][A-Za-z]+/\{\{[^{}]+\}\}$")
_SEARCH = re.compile(r"^[A-Z][A-Za-z]+\?(.+)$")
_PARAMETER = re.compile(r"^(_?[a-z][a-z0-9-]*)(:[a-z-]+)?=(.+)$", re.DOTALL)
_SORT = re.compile(r"^-?[a-z][a-z-]*(?:,-?[a-z][a-z-]*)*$")
_DATE = re.compile(r"^(?:eq|lt|gt|ge|le)?[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?$")
_DATES = frozenset(
    {"date", "authored", "authoredon", "recorded-date", "effective", "onset-date", "issued"}
)
_SUBSET = "See Prefetch query restrictions in the CDS Hooks specification."


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of services, and of what the conditional card names."""
    first: dict[str, Document] = {}
    groups = source.named("groups")
    for document in source.services:
        data = obj(document.data)
        name = word(data.get("id"))
        if name and name in first:
            message = f"'{name}' is also the id in {first[name].name}."
            yield document.problem(("id",), "R213", message)
        first.setdefault(name, document)
        for index, group in enumerate(seq(data.get("groups"))):
            if word(group) and group not in groups:
                message = f"There is no group '{group}' in pack.json."
                yield document.problem(
                    ("groups", index), "R212", message, did_you_mean(group, groups)
                )
        yield from _prefetch(document, data)
    yield from _conditional(source)


def _conditional(source: PackSource) -> Iterator[Problem]:
    if not source.pack:
        return
    conditional, links = source.named("conditional"), source.named("links")
    name = word(conditional.get("definition"))
    if name and name not in source.definitions:
        hint = did_you_mean(name, source.definitions)
        message = f"There is no definition '{name}'."
        yield source.pack.problem(("conditional", "definition"), "R211", message, hint)
    for index, link in enumerate(seq(conditional.get("links"))):
        if word(link) and link not in links:
            message, at = (
                f"There is no link '{link}' in pack.json.",
                ("conditional", "links", index),
            )
            yield source.pack.problem(at, "C406", message, did_you_mean(link, links))


def _prefetch(document: Document, data: Mapping[str, Json]) -> Iterator[Problem]:
    prefetch = obj(data.get("prefetch"))
    for key, template in prefetch.items():
        for message in _departures(key, word(template)):
            yield document.problem(("prefetch", key), "R214", message, _SUBSET)
    for index, key in enumerate(seq(data.get("required"))):
        if word(key) and key not in prefetch:
            message = f"'{key}' is required and has no prefetch template."
            yield document.problem(("required", index), "R215", message)


def _departures(key: str, template: str) -> Iterator[str]:
    """What of a template is outside the restricted subset (spec rows E1 to E13)."""
    allowed = {"context.patientId"} | ({"context.encounterId"} if key == "encounter" else set())
    for token in _TOKEN.findall(template):
        if token not in allowed:
            yield f"The token '{{{{{token}}}}}' is not allowed in '{key}'."
    if "{" in (rest := _TOKEN.sub("", template)) or "}" in rest:
        yield "A brace that belongs to no token."
    if template and not _READ.match(template):
        search = _SEARCH.match(template)
        if search is None:
            yield "Neither a read (Type/{{token}}) nor a search (Type?...)."
        else:
            for parameter in search.group(1).split("&"):
                yield from _parameter(parameter)


def _parameter(parameter: str) -> Iterator[str]:
    match = _PARAMETER.match(parameter)
    if match is None:
        yield f"'{parameter[:40]}' is not a parameter of the subset."
        return
    name, modifier, value = match.groups()
    if modifier not in (None, ":in"):
        yield f"The modifier '{modifier}' is not in the subset."
    if name == "_count":
        if not value.isdecimal() or int(value) < 1:
            yield "_count must be a number from 1 on."
    elif name == "_sort":
        if not _SORT.match(value):
            yield f"_sort can't be '{value[:40]}'."
    elif name.startswith("_"):
        yield f"'{name}' is not in the subset."
    elif name in _DATES and not _DATE.match(value):
        yield f"'{name}' needs a date with eq, lt, gt, ge or le."
