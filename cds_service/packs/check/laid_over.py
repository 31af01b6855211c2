"""What a site's files do to shipped ones without saying so: warnings, each at its place.

A set that replaces a shipped one and has hardly any of its codes was meant to add to it. Sets that
were shipped apart and now share a code mix two things up. A unit with another factor, or a name
that means two orders, is a slip more often than a decision.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, DecimalException
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.positions import Document, JsonPath, parse
from cds_service.packs.source import VALUE_SETS, PackSource, ValueSetFile, obj, seq, word
from cds_service.terminology.codings import canonical_code
from cds_service.terminology.names import words
from cds_service.terminology.valueset import Key, adds_to_shipped
from cds_service.terminology.word_lists import Canonical

Json = Any
_KEPT = 0.5  # of the shipped codes: a set with fewer of them is told


def check(source: PackSource) -> Iterator[Problem]:
    """Nothing without a site's folder."""
    if source.site_folder is None:
        return
    canonical = source.terminology.vocabulary.systems.canonical
    shipped, site = _sets(source)
    for value_set in site:
        if value_set.id in shipped:
            yield from _replaces(value_set, shipped[value_set.id], canonical)
            yield from _mixes(source, value_set, shipped)
    yield from _units(source)
    yield from _order_names(source)


def _sets(source: PackSource) -> tuple[dict[str, ValueSetFile], list[ValueSetFile]]:
    """The shipped sets by id, and the site's: those that lie in its folder."""
    assert source.site_folder is not None
    here = {
        source.site_folder.name(file)
        for file in source.site_folder.files
        if file.parts[0] == VALUE_SETS
    }
    site = [file for file in source.value_sets if file.name in here]
    return {file.id: file for file in source.value_sets if file.name not in here}, site


def _replaces(site: ValueSetFile, shipped: ValueSetFile, canonical: Canonical) -> Iterator[Problem]:
    if adds_to_shipped(site.data) or obj(site.data.get("expansion")).get("contains"):
        return
    before, after = set(_listed(shipped.data, canonical)), set(_listed(site.data, canonical))
    kept = before & after
    if before and len(kept) < _KEPT * len(before):
        message = (
            f"This set replaces the shipped '{site.id}' and has {len(kept)} of its "
            f"{len(before)} codes."
        )
        hint = "To add to it, give it the extension adds-to-shipped."
        yield Problem(site.name, 1, 1, "$.id", "V020", message, hint, "warning")


def _mixes(
    source: PackSource, site: ValueSetFile, shipped: Mapping[str, ValueSetFile]
) -> Iterator[Problem]:
    """Codes of sets of one sort that were shipped without any in common."""
    canonical = source.terminology.vocabulary.systems.canonical
    mine = dict(_listed(site.data, canonical))
    own = set(_listed(shipped[site.id].data, canonical))
    sort = site.id.partition("-")[0]
    for other in shipped.values():
        theirs = set(_listed(other.data, canonical))
        if other.id == site.id or other.id.partition("-")[0] != sort or own & theirs:
            continue
        for key in sorted(mine.keys() & theirs):
            document = _document(source, site)
            if document:
                message = f"'{key[1]}' is in '{other.id}' too, which shared no code with this set."
                hint = "Is it in the right set?"
                path = mine[key]
                yield document.problem(path, "V022", message, hint, severity="warning")


def _document(source: PackSource, value_set: ValueSetFile) -> Document | None:
    assert source.site_folder is not None
    folder, file = source.site_folder, value_set.file
    return parse(value_set.name, folder.root / file, folder.files[file])[0]


def _listed(value_set: Mapping[str, Json], canonical: Canonical) -> dict[Key, JsonPath]:
    """The codes that a set lists itself, with their places."""
    places: dict[Key, JsonPath] = {}
    for number, part in enumerate(seq(obj(value_set.get("compose")).get("include"))):
        system = canonical(obj(part).get("system"))
        for index, concept in enumerate(seq(obj(part).get("concept"))):
            code = canonical_code(system, obj(concept).get("code"))
            if code:
                path: JsonPath = ("compose", "include", number, "concept", index, "code")
                places[system, code] = path
    return places


def _units(source: PackSource) -> Iterator[Problem]:
    tables: dict[str, Json] = {}
    for document in _documents(source, "units"):
        for analyte, entry in obj(obj(document.data).get("analytes")).items():
            if analyte in tables:
                yield from _factors(document, analyte, obj(tables[analyte]), obj(entry))
            tables[analyte] = entry


def _factors(document: Document, analyte: str, old: Json, new: Json) -> Iterator[Problem]:
    if new.get("canonical", old.get("canonical")) != old.get("canonical"):
        return  # a table of its own, which counts alone
    for unit, factor in obj(new.get("units")).items():
        before = obj(old.get("units")).get(unit)
        if before is not None and _ratio(before) != _ratio(factor):
            path: JsonPath = ("analytes", analyte, "units", unit)
            message = f"'{unit}' has another factor than the shipped table, {_ratio(before)}."
            hint = "Are multiplying and dividing exchanged?"
            yield document.problem(path, "V023", message, hint, key=True, severity="warning")


def _ratio(factor: Json) -> Decimal | None:
    try:
        times, by = (Decimal(word(obj(factor).get(key)) or "1") for key in ("times", "dividedBy"))
        return (times / by).normalize()
    except DecimalException:
        return None


def _order_names(source: PackSource) -> Iterator[Problem]:
    """A name that a site gives to one order and that is another's."""
    taken: dict[tuple[str, ...], str] = {}
    for document in _documents(source, "order-names"):
        for set_id, entry in obj(obj(document.data).get("orderNames")).items():
            for key in ("names", "add"):
                for number, name in enumerate(seq(obj(entry).get(key))):
                    tokens = words(word(name))
                    other = taken.setdefault(tokens, set_id)
                    if other != set_id and key == "add":
                        path: JsonPath = ("orderNames", set_id, key, number)
                        message = f"'{name}' is a name of '{other}' too: it would mean both."
                        yield document.problem(path, "V609", message, severity="warning")


def _documents(source: PackSource, schema: str) -> Iterator[Document]:
    return (document for name, document in source.documents if name == schema)
