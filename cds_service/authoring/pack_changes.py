"""Everything in which two packs differ, a line each, as a reviewer wants to read it.

Whatever can change an answer is compared: numbers, rules, texts, services, facts, definitions,
orders, codes, units, words and the frame of the pack. Nothing decides unseen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from cds_service.authoring.content_changes import content_changes
from cds_service.authoring.first_few import SHOWN, Some
from cds_service.authoring.json_changes import as_text, json_changes
from cds_service.rules.model import Pack, Rule, ServiceDefinition, Setting
from cds_service.rules.words import Words, with_unit

Json = Any
# What is said otherwise, or follows from what is. All else is compared, what comes new included.
_NOT_OF_RULE = frozenset({"id", "path", "raw"})
_NOT_OF_SERVICE = frozenset({"id", "prefetch"})
_OF_SETTING = ("minimum", "maximum", "step", "unit", "description", "source")
_FRAME = ("exclusions", "conditional", "links", "override_reasons")
_TESTS = ".test.json"


def pack_changes(before: Pack, after: Pack, shown: int = SHOWN) -> list[str]:
    """The differences, the most consequential first; none where the packs answer alike.

    Of the codes, names or products of one change `shown` are named, and the others counted.
    """
    told = [
        *_profile(before, after),
        *_settings(before, after),
        *_rules(before, after),
        *_services(before, after),
        *_definitions(before, after),
        *_named("fact", before.raw.get("facts", {}), after.raw.get("facts", {})),
        *content_changes(before, after, shown),
        *_named("order", before.orders, after.orders),
        *_named("group", _groups(before), _groups(after)),
        *_frame(before, after),
        *_tests(before, after),
    ]
    return told or list(_other_files(before, after))


def _profile(before: Pack, after: Pack) -> Iterator[str]:
    if before.profiles != after.profiles:
        old, new = (", ".join(pack.profiles) or "none" for pack in (before, after))
        yield f"profile: {old} -> {new}"
    yield from _named("profile", _section(before, "profiles"), _section(after, "profiles"))


def _section(pack: Pack, name: str) -> Mapping[str, Json]:
    """A section of pack.json, as its file says it."""
    document = pack.raw.get("pack")
    section: Mapping[str, Json] = document.data.get(name, {}) if document else {}
    return section


def _settings(before: Pack, after: Pack) -> Iterator[str]:
    for name, setting in after.settings.items():
        old = before.settings.get(name)
        if old is None:
            yield f"setting {name}: added, {with_unit(setting.value, setting.unit)}"
            continue
        if old.value != setting.value:
            was, now = with_unit(old.value, ""), with_unit(setting.value, setting.unit)
            yield f"setting {name}: {was} -> {now}"
        yield from (f"setting {name}: {change}" for change in _frame_of(old, setting))
    for name in before.settings.keys() - after.settings.keys():
        yield f"setting {name}: removed"


def _frame_of(old: Setting, new: Setting) -> Iterator[str]:
    """What holds a setting in: its bounds, unit and source."""
    for name in _OF_SETTING:
        yield from json_changes(getattr(old, name), getattr(new, name), name)


def _rules(before: Pack, after: Pack) -> Iterator[str]:
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    words = _words_of(before), _words_of(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"rule {name}: removed"
        elif name not in old:
            yield f"rule {name}: added, {new[name].status}: {new[name].title}"
            yield from (f"rule {name}: {told}" for told in _new_rule(new[name], words[1]))
        else:
            yield from (
                f"rule {name}: {change}" for change in _of_rule(old[name], new[name], words)
            )


def _new_rule(rule: Rule, words: Words) -> Iterator[str]:
    """What a rule that came says, and when."""
    yield f"when in words: {words.sentence(rule.when)}"
    if rule.unless:
        yield f"unless in words: {words.sentence(rule.unless)}"
    for part in ("indicator", "summary", "line", "detail", "suggestions"):
        if rule.card.get(part):
            yield f"card.{part} {as_text(rule.card[part])}"


def _of_rule(old: Rule, new: Rule, words: tuple[Words, Words]) -> Iterator[str]:
    for field in fields(Rule):
        if field.name not in _NOT_OF_RULE:
            yield from _of_field(field.name, getattr(old, field.name), getattr(new, field.name))
    for name in ("when", "unless"):
        for change in _in_words(getattr(old, name), getattr(new, name), words):
            yield f"{name} {change}"


def _of_field(name: str, before: Json, after: Json) -> Iterator[str]:
    if isinstance(before, dict | list | tuple) or isinstance(after, dict | list | tuple):
        yield from json_changes(before, after, _spelt(name))
    elif before != after:
        yield f"{_spelt(name)} {_words(before)} -> {_words(after)}"


def _words_of(pack: Pack) -> Words:
    return Words(pack.catalogue, pack.settings, pack.definitions)


def _in_words(before: Json, after: Json, in_packs: tuple[Words, Words]) -> Iterator[str]:
    """A condition that was written otherwise, as sentences."""
    if before != after:
        old, new = (
            words.sentence(condition) if condition else "nothing"
            for words, condition in zip(in_packs, (before, after), strict=True)
        )
        if old != new:
            yield f"in words: {old} -> {new}"


def _definitions(before: Pack, after: Pack) -> Iterator[str]:
    yield from _named("definition", before.definitions, after.definitions)
    words = _words_of(before), _words_of(after)
    for name in sorted(before.definitions.keys() & after.definitions.keys()):
        old, new = (
            {key: part for key, part in pack.definitions[name].items() if key != "title"}
            for pack in (before, after)
        )
        yield from (f"definition {name}: {told}" for told in _in_words(old, new, words))


def _services(before: Pack, after: Pack) -> Iterator[str]:
    old = {service.id: service for service in before.services}
    new = {service.id: service for service in after.services}
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield f"service {name}: {'added' if name in new else 'removed'}"
        else:
            yield from (f"service {name}: {told}" for told in _of_service(old[name], new[name]))


def _of_service(old: ServiceDefinition, new: ServiceDefinition) -> Iterator[str]:
    for field in fields(ServiceDefinition):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if field.name not in _NOT_OF_SERVICE and was != now:
            yield f"{_spelt(field.name)} {_words(was)} -> {_words(now)}"
    for key in sorted(old.prefetch.keys() | new.prefetch.keys()):
        for change in _template(old.prefetch.get(key, ""), new.prefetch.get(key, "")):
            yield f"prefetch {key}: {change}"


def _template(old: str, new: str) -> Iterator[str]:
    """What a query gained and lost: its parameters, and of long lists of codes each code."""
    before, after = (list(filter(None, re.split("[,&?]", text))) for text in (old, new))
    told = [
        *(f"+{part}" for part in after if part not in before),
        *(f"-{part}" for part in before if part not in after),
    ]
    if told or old != new:
        yield Some(SHOWN)(told) or f"'{old}' -> '{new}'"


def _named(kind: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{kind} {name}: removed"
        elif name not in old:
            yield f"{kind} {name}: added, {as_text(new[name])}"
        else:
            for change in json_changes(old[name], new[name]):
                yield f"{kind} {name}: {change}"


def _groups(pack: Pack) -> dict[str, Json]:
    return {name: asdict(group) for name, group in pack.groups.items()}


def _frame(before: Pack, after: Pack) -> Iterator[str]:
    for name in _FRAME:
        for change in json_changes(getattr(before, name), getattr(after, name)):
            yield f"{_spelt(name)}: {change}"
    old, new = (pack.raw.get("terminology", {}).get("version", "") for pack in (before, after))
    if old != new:
        yield f"terminology: {old or 'no version'} -> {new or 'no version'}"
    for name in ("name", "version"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"pack: {name} {was} -> {now}"
    old, new = (_section(pack, "defaultProfile") for pack in (before, after))
    yield from (f"pack: {change}" for change in json_changes(old, new, "defaultProfile"))


def _tests(before: Pack, after: Pack) -> Iterator[str]:
    """Tests hold a rule to what it says: whoever takes one away shall be seen."""
    yield from (
        f"tests {file}: {how}"
        for file, how in _files(before, after)
        if file.endswith(_TESTS) and how != "added"
    )


def _other_files(before: Pack, after: Pack) -> Iterator[str]:
    """Where nothing that is compared differs, and a file does: notes, most likely."""
    for file, how in _files(before, after):
        if how == "changed":
            yield f"file {file}: changed, in nothing that is compared here"


def _files(before: Pack, after: Pack) -> Iterator[tuple[str, str]]:
    old, new = (pack.raw.get("files", {}) for pack in (before, after))
    for file in sorted(old.keys() | new.keys()):
        if old.get(file) != new.get(file):
            how = "changed" if file in old and file in new else None
            yield file, how or ("added" if file in new else "removed")


def _spelt(field: str) -> str:
    """A field as the files spell it: "max_cards" -> "maxCards"."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _words(value: Json) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple | frozenset | list):
        return " ".join(sorted(map(str, value))) or "none"
    return str(value)
