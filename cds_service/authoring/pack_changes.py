"""Everything in which two packs differ, a line each, as a reviewer wants to read it.

Whatever can change an answer is compared: numbers, rules, texts, services, facts, definitions,
orders, codes, units, words and the frame of the pack. Nothing decides unseen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from cds_service.authoring.content_changes import content_changes
from cds_service.authoring.json_changes import json_changes
from cds_service.rules.model import Pack, Rule

Json = Any
_OF_RULE = ("version", "status", "group", "rank", "title", "tier", "alone", "joins", "when_unknown")
_PARTS = ("when", "unless", "variants", "about", "hooks", "supersedes", "claims", "sources", "card")
_OF_SERVICE = ("enabled", "max_cards", "groups", "required", "title")
_FRAME = ("exclusions", "conditional", "links", "override_reasons")


def pack_changes(before: Pack, after: Pack) -> list[str]:
    """The differences, the most consequential first; none where the packs answer alike."""
    return [
        *_profile(before, after),
        *_settings(before, after),
        *_rules(before, after),
        *_services(before, after),
        *_named("definition", before.definitions, after.definitions),
        *_named("fact", before.raw.get("facts", {}), after.raw.get("facts", {})),
        *content_changes(before, after),
        *_named("order", before.orders, after.orders),
        *_named("group", _groups(before), _groups(after)),
        *_frame(before, after),
    ]


def _profile(before: Pack, after: Pack) -> Iterator[str]:
    if before.profiles != after.profiles:
        old, new = (", ".join(pack.profiles) or "none" for pack in (before, after))
        yield f"profile: {old} -> {new}"


def _settings(before: Pack, after: Pack) -> Iterator[str]:
    for name, setting in after.settings.items():
        old = before.settings.get(name)
        if old is None:
            yield f"setting {name}: added, {setting.value} {setting.unit}".rstrip()
        elif old.value != setting.value:
            yield f"setting {name}: {old.value} -> {setting.value} {setting.unit}".rstrip()
    for name in before.settings.keys() - after.settings.keys():
        yield f"setting {name}: removed"


def _rules(before: Pack, after: Pack) -> Iterator[str]:
    old = {rule.id: rule for rule in before.rules}
    new = {rule.id: rule for rule in after.rules}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"rule {name}: removed"
        elif name not in old:
            yield f"rule {name}: added, {new[name].status}: {new[name].title}"
        else:
            yield from (f"rule {name}: {change}" for change in _of_rule(old[name], new[name]))


def _of_rule(old: Rule, new: Rule) -> Iterator[str]:
    for name in _OF_RULE:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{_spelt(name)} {before} -> {after}"
    for name in _PARTS:
        yield from json_changes(getattr(old, name), getattr(new, name), name)


def _services(before: Pack, after: Pack) -> Iterator[str]:
    old = {service.id: service for service in before.services}
    new = {service.id: service for service in after.services}
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield f"service {name}: {'added' if name in new else 'removed'}"
            continue
        for field in _OF_SERVICE:
            was, now = getattr(old[name], field), getattr(new[name], field)
            if was != now:
                yield f"service {name}: {_spelt(field)} {_words(was)} -> {_words(now)}"
        for key in sorted(old[name].prefetch.keys() | new[name].prefetch.keys()):
            was, now = old[name].prefetch.get(key), new[name].prefetch.get(key)
            if was != now:
                how = "changed" if was and now else "added" if now else "removed"
                yield f"service {name}: prefetch {key} {how}"


def _named(kind: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new or name not in old:
            yield f"{kind} {name}: {'added' if name in new else 'removed'}"
        else:
            for change in json_changes(old[name], new[name]):
                yield f"{kind} {name}: {change}"


def _groups(pack: Pack) -> dict[str, Json]:
    return {name: asdict(group) for name, group in pack.groups.items()}


def _frame(before: Pack, after: Pack) -> Iterator[str]:
    for name in _FRAME:
        for change in json_changes(getattr(before, name), getattr(after, name)):
            yield f"{_spelt(name)}: {change}"


def _spelt(field: str) -> str:
    """A field as the files spell it: "max_cards" -> "maxCards"."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _words(value: Json) -> str:
    if isinstance(value, tuple | frozenset | list):
        return " ".join(sorted(map(str, value))) or "none"
    return str(value)
