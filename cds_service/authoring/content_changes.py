"""What two packs know, side by side and code by code: value sets, drug dictionary, units, order
names, names of entries and routes. A reviewer sees here what decides without being a rule."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from cds_service.authoring.drug_changes import drug_changes
from cds_service.authoring.first_few import SHOWN, Some, counted
from cds_service.packs.schema import schema
from cds_service.rules.model import Pack
from cds_service.terminology import codings
from cds_service.terminology.valueset import Key, ParsedSet
from cds_service.terminology.vocabulary import LISTS
from cds_service.units.table import UnitTable

Json = Any
_SYSTEMS = {
    codings.LOINC: "LOINC",
    codings.SNOMED: "SNOMED CT",
    codings.RXNORM: "RxNorm",
    codings.ICD10CM: "ICD-10-CM",
    codings.ICD10: "ICD-10",
    codings.ICD10GM: "ICD-10-GM",
    codings.ATC: "ATC",
    codings.NDC: "NDC",
    codings.CPT: "CPT",
    codings.INGREDIENT: "ingredient",
}


def content_changes(before: Pack, after: Pack, shown: int = SHOWN) -> list[str]:
    """One line a change, as `pack_changes` has it."""
    old, new = before.terminology, after.terminology
    some = Some(shown)
    return [
        *_value_sets(_sets(before), _sets(after), some),
        *drug_changes(old.drugs, new.drugs, some),
        *_units(old.units.tables, new.units.tables, some),
        *_files(before, after, some),
        *_languages(before, after),
    ]


def _sets(pack: Pack) -> dict[str, ParsedSet]:
    terminology = pack.terminology
    return {name: terminology.value_set(name) for name in terminology.set_ids()}


def _value_sets(
    old: Mapping[str, ParsedSet], new: Mapping[str, ParsedSet], some: Some
) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"value set {name}: removed"
            continue
        if name not in old:
            empty = ParsedSet(name, "", "", "")
            yield f"value set {name}: added, {'; '.join(_codes(empty, new[name], some))}"
            continue
        changes = list(_codes(old[name], new[name], some))
        if changes:
            yield f"value set {name}: {'; '.join(changes)}"


def _codes(old: ParsedSet, new: ParsedSet, some: Some) -> Iterator[str]:
    for word, before, after in (
        ("code", _named(old.concepts), _named(new.concepts)),
        ("branch", _named(old.below), _named(new.below)),
        ("name", {f"'{n}'": n for n in old.spoken}, {f"'{n}'": n for n in new.spoken}),
    ):
        more, fewer = after.keys() - before.keys(), before.keys() - after.keys()
        for sign, keys, names in (("+", more, after), ("-", fewer, before)):
            if keys:
                told = [names[key] for key in sorted(keys)]
                yield f"{sign}{counted(len(keys), word)} ({some(told)})"
    yield from _renamed(old, new, some)
    excluded = (new.excluded ^ old.excluded) | (new.excluded_below ^ old.excluded_below)
    if excluded:
        yield f"exclusions differ in {some(map(_code, sorted(excluded)))}"


def _renamed(old: ParsedSet, new: ParsedSet, some: Some) -> Iterator[str]:
    """The names of codes stand on cards, so another name is a change."""
    before, after = old.concepts | old.below, new.concepts | new.below
    told = [
        f"{_code(key)} '{before[key]}' -> '{after[key]}'"
        for key in sorted(before.keys() & after.keys())
        if before[key] != after[key]
    ]
    if told:
        yield f"{counted(len(told), 'code')} renamed ({some(told)})"


def _named(codes: Mapping[Key, str]) -> dict[str, str]:
    """Each code with its name, by the code alone."""
    return {
        _code(key): f"{_code(key)} {name}" if name and name != key[1] else _code(key)
        for key, name in codes.items()
    }


def _code(key: Key) -> str:
    return f"{_SYSTEMS.get(key[0], key[0])} {key[1]}"


def _units(old: Mapping[str, UnitTable], new: Mapping[str, UnitTable], some: Some) -> Iterator[str]:
    for analyte in sorted(old.keys() | new.keys()):
        if analyte not in new:
            yield f"units of {analyte}: removed"
            continue
        if analyte not in old:
            units = [f"{unit} {_factor(new[analyte], unit)}" for unit in new[analyte].factors]
            yield f"units of {analyte}: added, canonical {new[analyte].canonical}, {some(units)}"
            continue
        before, after = old[analyte], new[analyte]
        changes = [
            f"{unit} {_factor(before, unit)} -> {_factor(after, unit)}"
            for unit in sorted(before.factors.keys() | after.factors.keys())
            if before.factors.get(unit) != after.factors.get(unit)
        ]
        if before.canonical != after.canonical:
            changes.insert(0, f"canonical {before.canonical} -> {after.canonical}")
        if changes:
            yield f"units of {analyte}: {some(changes)}"


def _factor(table: UnitTable, unit: str) -> str:
    factor = table.factors.get(unit)
    if factor is None:
        return "not read"
    if factor.divided_by != 1:
        return f"divided by {factor.divided_by:f}"
    return f"times {factor.times:f}"


def _files(before: Pack, after: Pack, some: Some) -> Iterator[str]:
    """Changes of word lists and routes, entry by entry."""
    old, new = _texts(before), _texts(after)
    for file in sorted(old.keys() | new.keys()):
        for path, change in _entries(old.get(file, {}), new.get(file, {}), some):
            yield f"{file} {path}{_meaning(file, path)}: {change}"


def _languages(before: Pack, after: Pack) -> Iterator[str]:
    """Changes of what cards say in other languages, text by text."""
    old, new = before.translations, after.translations
    for tag in sorted(old.keys() | new.keys()):
        if tag not in new or tag not in old:
            language = new.get(tag) or old[tag]
            size = f"{len(language.texts)} texts, {len(language.names)} names"
            yield f"language {tag}: {'added' if tag in new else 'removed'} ({size})"
            continue
        for part in ("decimal", "day", "month", "reviewed"):
            was, now = getattr(old[tag], part), getattr(new[tag], part)
            if was != now:
                yield f"language {tag} {part}: {_quoted(was)} -> {_quoted(now)}"
        for what in ("texts", "names"):
            yield from _text_changes(
                f"language {tag}", getattr(old[tag], what), getattr(new[tag], what)
            )


def _text_changes(language: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for english in sorted(old.keys() | new.keys()):
        was, now = old.get(english), new.get(english)
        if was == now:
            continue
        if was is None or now is None:
            change = f"added, '{now}'" if was is None else f"removed, was '{was}'"
        else:
            change = f"'{was}' -> '{now}'"
        yield f"{language} '{english}': {change}"


def _texts(pack: Pack) -> dict[str, dict[str, Json]]:
    """What the files of words say in force, by file and by path in it ("obs-ferritin names")."""
    files: dict[str, dict[str, Json]] = {}
    for file, content in pack.raw.get("words", {}).items():
        files[file] = dict(_leaves(content, ()))
    return files


def _leaves(content: Json, path: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in ("note", "$schema"):
                yield from _leaves(value, (*path, key))
    else:
        yield " ".join(path), content


def _meaning(file: str, path: str) -> str:
    """What a list is for, where its schema says so: its name alone says little to a reviewer."""
    if file not in LISTS:
        return ""
    lists = schema(file)["properties"][file]["properties"]
    return f" ({lists[path]['description']})"


def _entries(
    old: Mapping[str, Json], new: Mapping[str, Json], some: Some
) -> Iterator[tuple[str, str]]:
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        if isinstance(before or [], list) and isinstance(after or [], list):
            more = [word for word in after or [] if word not in (before or [])]
            fewer = [word for word in before or [] if word not in (after or [])]
            words = [*(f"+{_quoted(word)}" for word in more), *(f"-{_quoted(w)}" for w in fewer)]
            yield path, some(words) or "another order"
        else:
            yield path, f"{_quoted(before)} -> {_quoted(after)}"


def _quoted(value: Json) -> str:
    return f"'{value}'" if isinstance(value, str) else orjson.dumps(value).decode()
