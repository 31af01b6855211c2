"""Where everything in force comes from: file and line, and what was shipped in its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import orjson

from cds_service.packs.effective import effective_settings, layers
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.source import Entry, PackSource, obj
from cds_service.terminology.valueset import adds_to_shipped
from cds_service.terminology.word_lists import WORDS, codes_of, texts

Json = Any

_RULE_FIELDS = ("status", "rank")
_FILES = {  # by schema: what people call an entry, and the section that holds them
    "facts": ("word list", "words"),
    "units": ("units", "analytes"),
    "order-names": ("order names", "orderNames"),
    "names": ("names", "names"),
}
_DRUGS = PurePosixPath("drugs.json")
_SERVICE_FIELDS = ("enabled", "maxCards")


@dataclass(frozen=True)
class Value:
    """One value in force. `shipped` is None where the site added it or nothing was replaced."""

    kind: str  # setting, rule, service, fact, word list, definition, order, value set, list ...
    name: str  # "ferritin.low", "drug-review.ccb status", "leg-symptoms-screen maxCards"
    value: Json
    origin: str  # "site/site.json:3"
    shipped: Json = None
    shipped_origin: str = ""

    @property
    def overridden(self) -> bool:
        """Whether something else was shipped."""
        return bool(self.shipped_origin) and self.shipped_origin != self.origin


def values(source: PackSource, profiles: tuple[str, ...]) -> list[Value]:
    """Everything of a source without errors, in the order in which a person looks for it."""
    return [
        *_profiles(source, profiles),
        *_settings(source, profiles),
        *_rules(source, profiles),
        *_services(source),
        *_entries(source),
        *_value_sets(source),
        *_words(source),
        *_drugs(source),
        *_lists(source),
        *_languages(source),
    ]


def at(document: Document, path: JsonPath, *, key: bool = True) -> str:
    """`file:line` of a property."""
    return f"{document.name}:{document.place(path, key=key).line}"


def _profiles(source: PackSource, profiles: tuple[str, ...]) -> Iterator[Value]:
    shipped = source.pack
    assert shipped is not None
    default = [shipped.data["defaultProfile"]] if "defaultProfile" in shipped.data else []
    place = at(shipped, ("defaultProfile",))
    site = source.site
    named = site is not None and list(profiles) == obj(site.data).get("profile")
    if site is not None and named:
        yield Value("profile", "profile", list(profiles), at(site, ("profile",)), default, place)
    else:
        asked = list(profiles) != default
        origin = "the command line" if asked else place
        yield Value("profile", "profile", list(profiles), origin, default, place)


def _settings(source: PackSource, profiles: tuple[str, ...]) -> Iterator[Value]:
    assert source.pack is not None
    for name, setting in effective_settings(source.pack, source.site, profiles).items():
        place = at(source.pack, ("settings", name))
        yield Value("setting", name, setting.value, setting.origin, setting.default, place)


def _rules(source: PackSource, profiles: tuple[str, ...]) -> Iterator[Value]:
    changed = _changes(source, profiles)
    for rule in sorted(source.rules, key=lambda each: each.id):
        document = rule.document
        for field in _RULE_FIELDS:
            shipped = rule.data.get(field)
            if shipped is None:
                continue
            place = at(document, (field,))
            value, origin = changed.pop((rule.id, field), (shipped, place))
            yield Value("rule", f"{rule.id} {field}", value, origin, shipped, place)
        for key in [key for key in changed if key[0] == rule.id]:
            value, origin = changed.pop(key)
            field = key[1].removeprefix("card.")
            shipped = obj(rule.data.get("card")).get(field)
            place = at(document, ("card", field))
            yield Value("rule", f"{rule.id} {key[1]}", value, origin, shipped, place)


def _changes(
    source: PackSource, profiles: tuple[str, ...]
) -> dict[tuple[str, str], tuple[Json, str]]:
    """What profiles and the site say of rules: by rule and field, the last word and its place."""
    assert source.pack is not None
    changes: dict[tuple[str, str], tuple[Json, str]] = {}
    for document, path, part in layers(source.pack, source.site, profiles):
        for rule, change in obj(obj(part).get("rules")).items():
            here: JsonPath = (*path, "rules", rule)
            for field, value in obj(change).items():
                if field == "card":
                    for name, text in obj(value).items():
                        place = at(document, (*here, "card", name))
                        changes[rule, f"card.{name}"] = (text, place)
                elif field != "note":
                    changes[rule, field] = (value, at(document, (*here, field)))
    return changes


def _services(source: PackSource) -> Iterator[Value]:
    site = source.site
    for document in source.services:
        name = document.data["id"]
        for field in _SERVICE_FIELDS:
            shipped, place = document.data.get(field, True), at(document, (field,))
            change = obj(obj(obj(site.data).get("services")).get(name)) if site else {}
            if site and field in change:
                origin = at(site, ("services", name, field))
                yield Value("service", f"{name} {field}", change[field], origin, shipped, place)
            else:
                yield Value("service", f"{name} {field}", shipped, place, shipped, place)


def _entries(source: PackSource) -> Iterator[Value]:
    shipped = {(entry.path[0], entry.path[1]): entry for entry in source.replaced}
    sections: tuple[tuple[str, str, dict[str, Entry]], ...] = (
        ("fact", "facts", source.facts),
        ("definition", "definitions", source.definitions),
        ("order", "orders", source.orders),
    )
    for kind, section, entries in sections:
        for name, entry in entries.items():
            before = shipped.get((section, name))
            if before and entry.changed:
                yield from _changed(name, entry, before)
                continue
            yield Value(
                kind,
                name,
                entry.data,
                at(entry.document, entry.path),
                before.data if before else None,
                at(before.document, before.path) if before else "",
            )


def _lists(source: PackSource) -> Iterator[Value]:
    """Lists of routes and the like; what a site adds and takes out stands in its value."""
    shipped: dict[JsonPath, str] = {}
    for entry in source.lists:
        data, place = obj(entry.data), at(entry.document, entry.path)
        words = (text for key in WORDS for text in texts(data.get(key)))
        listed = [*words, *(code.code for code in codes_of(data.get("codes")))]
        value, before = f"{len(listed)} entries", shipped.setdefault(entry.path, place)
        if before != place:
            signs = (("+", listed), ("-", texts(data.get("without"))))
            value = ", ".join(f"{sign}{item}" for sign, items in signs for item in items)
        name = " ".join(map(str, entry.path))
        yield Value("list", name, value, place, None, before)


def _languages(source: PackSource) -> Iterator[Value]:
    """Each file of a language with what it gives, and each text that a site words anew."""
    earlier: dict[tuple[str, str, str], tuple[str, str]] = {}
    for document in source.languages:
        tag, given = str(document.data.get("language")), obj(document.data.get("texts"))
        count = f"{len(given)} texts, {len(obj(document.data.get('names')))} names"
        yield Value("language", f"{tag} {document.path.name}", count, at(document, ("language",)))
        for section in ("texts", "names"):
            for english, text in obj(document.data.get(section)).items():
                place = at(document, (section, english))
                before = earlier.get((tag, section, english))
                earlier[tag, section, english] = (text, place)
                if before:
                    yield Value("language", f"{tag} '{english}'", text, place, *before)


def _changed(name: str, entry: Entry, before: Entry) -> Iterator[Value]:
    """A shipped fact of which the site changes single properties, one value each."""
    for key in entry.changed:
        yield Value(
            "fact",
            f"{name} {key}",
            entry.data.get(key),
            at(entry.document, (*entry.path, key)),
            before.data.get(key),
            at(before.document, (*before.path, key)),
        )


def _words(source: PackSource) -> Iterator[Value]:
    """What other files say, entry by entry; a site's entry stands beside the shipped one."""
    for schema, (kind, section) in _FILES.items():
        places: dict[str, list[tuple[Json, str]]] = {}
        for document in (document for name, document in source.documents if name == schema):
            for key, entry in obj(obj(document.data).get(section)).items():
                places.setdefault(key, []).append((entry, at(document, (section, key))))
        for key, entries in places.items():
            (first, shipped), (last, origin) = entries[0], entries[-1]
            yield Value(kind, key, last, origin, *((first, shipped) if len(entries) > 1 else ()))


def _drugs(source: PackSource) -> Iterator[Value]:
    """The dictionary that counts: the last one, whole."""
    versions = [
        (obj(orjson.loads(folder.files[_DRUGS])).get("version", ""), f"{folder.name(_DRUGS)}:1")
        for folder in source.folders
        if _DRUGS in folder.files
    ]
    if versions:
        (first, shipped), (last, origin) = versions[0], versions[-1]
        more = (first, shipped) if len(versions) > 1 else ()
        yield Value("drug dictionary", "version", last, origin, *more)


def _value_sets(source: PackSource) -> Iterator[Value]:
    seen: dict[str, str] = {}
    for value_set in source.value_sets:
        before = seen.get(value_set.id)
        version = value_set.data.get("version", "")
        if adds_to_shipped(value_set.data):
            version = f"{version} (adds to the shipped set)"
        seen[value_set.id] = f"{value_set.name}:1"
        if (
            before is None
            and (source.site_folder or source.data_folder)
            and _replaced_later(source, value_set.id, value_set.name)
        ):
            continue
        yield Value("value set", value_set.id, version, f"{value_set.name}:1", None, before or "")


def _replaced_later(source: PackSource, set_id: str, name: str) -> bool:
    return any(other.id == set_id and other.name != name for other in source.value_sets)
