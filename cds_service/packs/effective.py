"""What is in force: the shipped values, then each profile in order, then the site's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.source import PackSource, obj, seq, word
from cds_service.rules.model import Rule, Setting

Json = Any


def chosen_profiles(source: PackSource, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The profiles asked for; else the site's; else the pack's default."""
    if asked is not None:
        return tuple(asked)
    site = obj(source.site.data) if source.site else {}
    if "profile" in site:
        return tuple(filter(word, seq(site["profile"])))
    default = word(obj(source.pack.data).get("defaultProfile")) if source.pack else ""
    return (default,) if default else ()


def effective_settings(
    pack: Document, site: Document | None, profiles: Sequence[str]
) -> dict[str, Setting]:
    """Every setting with its value in force, its default, and the place that decided."""
    shipped = pack.data["settings"]
    values: dict[str, tuple[Json, str]] = {}
    by_site: set[str] = set()
    for document, path, changes in layers(pack, site, profiles):
        for name, value in obj(obj(changes).get("settings")).items():
            before = values[name][0] if name in values else obj(shipped.get(name)).get("value")
            if document is site and value != before:
                by_site.add(name)
            values[name] = (value, _origin(document, (*path, "settings", name)))
    settings = {
        name: _setting(name, data, values.get(name), _origin(pack, ("settings", name)))
        for name, data in shipped.items()
    }
    return {name: replace(s, by_site=name in by_site) for name, s in settings.items()}


def rule_changes(
    pack: Document, site: Document | None, profiles: Sequence[str]
) -> dict[str, dict[str, Json]]:
    """What profiles and the site change about rules, by rule id; the last word counts."""
    by_rule: dict[str, dict[str, Json]] = {}
    for _, _, changes in layers(pack, site, profiles):
        for name, change in obj(obj(changes).get("rules")).items():
            by_rule.setdefault(name, {}).update(change)
    return by_rule


def changed_rule(rule: Rule, change: Mapping[str, Json]) -> Rule:
    """A rule as profiles and the site change it: its status, and of its card each part that is
    named, as a whole. Anything else of a rule is changed by a rule of the site's own."""
    card = {**rule.card, **obj(change.get("card"))}
    return replace(rule, status=change.get("status", rule.status), card=card)


def layers(
    pack: Document, site: Document | None, profiles: Sequence[str]
) -> Iterator[tuple[Document, JsonPath, Json]]:
    """What changes the shipped values, first to last: document, place in it, changes."""
    shipped = obj(pack.data.get("profiles"))
    for name in profiles:
        yield pack, ("profiles", name), shipped.get(name, {})
    if site:
        yield site, (), site.data


def _setting(
    name: str, data: Mapping[str, Json], change: tuple[Json, str] | None, origin: str
) -> Setting:
    default = _typed(data["value"])
    value, origin = (_typed(change[0]), change[1]) if change else (default, origin)
    return Setting(
        name=name,
        value=value,
        default=default,
        unit=data.get("unit", ""),
        minimum=_bound(data.get("min")),
        maximum=_bound(data.get("max")),
        step=_bound(data.get("step")),
        description=data.get("description", ""),
        source=data.get("source", ""),
        origin=origin,
    )


def _typed(value: Json) -> Decimal | bool | str:
    return value if isinstance(value, bool | str) else Decimal(value)


def _bound(value: Json) -> Decimal | None:
    return None if value is None else Decimal(value)


def _origin(document: Document, path: JsonPath) -> str:
    return f"{document.name}:{document.place(path, key=True).line}"
