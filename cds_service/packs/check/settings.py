"""Checks of settings and of what profiles and the site change: names, kinds and bounds."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeGuard

from cds_service.errors import Problem
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, seq, word

Json = Any


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of settings, profiles and site.json."""
    if not source.pack:
        return
    yield from _shipped(source, source.pack)
    yield from _default_profile(source, source.pack)
    for name, profile in source.named("profiles").items():
        yield from _changes(source, source.pack, ("profiles", name), profile)
    if source.site:
        yield from _changes(source, source.site, (), source.site.data)
        yield from _site_frame(source, source.site)


def check_profiles(source: PackSource, profiles: tuple[str, ...]) -> Iterator[Problem]:
    """Profiles asked for from outside, which the pack must have."""
    known = source.named("profiles")
    for name in profiles:
        if source.pack and name not in known:
            hint = did_you_mean(name, known)
            yield source.pack.problem(("profiles",), "F314", f"There is no profile '{name}'.", hint)


def _shipped(source: PackSource, pack: Document) -> Iterator[Problem]:
    for name, setting in source.named("settings").items():
        path: JsonPath = ("settings", name)
        low, high = obj(setting).get("min"), obj(setting).get("max")
        if _is_number(low) and _is_number(high) and low > high:
            message = f"'min' ({low}) is above 'max' ({high})."
            yield pack.problem((*path, "min"), "F308", message)
        elif "value" in obj(setting):
            yield from _value(pack, (*path, "value"), setting, setting["value"])
        if name in source.facts or name.endswith(".months"):
            message = "The name is taken by a fact or by a placeholder."
            yield pack.problem(path, "F317", message, "Choose another name.", key=True)


def _default_profile(source: PackSource, pack: Document) -> Iterator[Problem]:
    name, known = word(obj(pack.data).get("defaultProfile")), source.named("profiles")
    if name and name not in known:
        message = f"There is no profile '{name}'."
        yield pack.problem(("defaultProfile",), "F314", message, did_you_mean(name, known))


def _changes(
    source: PackSource, document: Document, path: JsonPath, changes: Json
) -> Iterator[Problem]:
    settings, rules = source.named("settings"), source.rule_ids
    for name, value in obj(obj(changes).get("settings")).items():
        at = (*path, "settings", name)
        if name not in settings:
            message = f"There is no setting '{name}' in pack.json."
            yield document.problem(at, "F306", message, did_you_mean(name, settings), key=True)
        else:
            yield from _value(document, at, settings[name], value)
    for name in obj(obj(changes).get("rules")):
        if name not in rules:
            message = f"There is no rule '{name}'."
            at = (*path, "rules", name)
            yield document.problem(at, "F318", message, did_you_mean(name, rules), key=True)


def _site_frame(source: PackSource, site: Document) -> Iterator[Problem]:
    profiles = source.named("profiles")
    services = [word(obj(s.data).get("id")) for s in source.services]
    for index, name in enumerate(seq(obj(site.data).get("profile"))):
        if word(name) and name not in profiles:
            message = f"There is no profile '{name}'."
            yield site.problem(("profile", index), "F314", message, did_you_mean(name, profiles))
    for name in obj(obj(site.data).get("services")):
        if name not in services:
            message = f"There is no service '{name}'."
            at = ("services", name)
            yield site.problem(at, "F319", message, did_you_mean(name, services), key=True)


def _value(
    document: Document, path: JsonPath, setting: Mapping[str, Json], value: Json
) -> Iterator[Problem]:
    """A value against the kind, bounds and choices of its setting."""
    setting = obj(setting)
    default = setting.get("value")
    if _kind(value) != _kind(default):
        message = f"The setting is {_kind(default)}, and this is {_kind(value)}."
        yield document.problem(path, "F309", message, word(setting.get("description")))
    elif _is_number(value):
        low, high = setting.get("min"), setting.get("max")
        if (_is_number(low) and value < low) or (_is_number(high) and value > high):
            message = f"{value} is outside {low} to {high} {word(setting.get('unit'))}.".rstrip(
                " ."
            )
            yield document.problem(path, "F308", f"{message}.", word(setting.get("description")))
        elif setting.get("unit") == "d" and value != int(value):
            message = f"{value} is no whole number of days."
            yield document.problem(path, "F308", message, word(setting.get("description")))
    elif isinstance(value, str) and value not in seq(setting.get("choices")):
        choices = [c for c in seq(setting.get("choices")) if isinstance(c, str)]
        message = f"'{value[:40]}' is not one of: {', '.join(choices)}."
        yield document.problem(path, "F308", message, did_you_mean(value, choices))


def _is_number(value: Json) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "a switch (true or false)"
    return "a number" if _is_number(value) else "a word" if isinstance(value, str) else "neither"
