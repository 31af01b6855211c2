"""A pack with profile, settings or statuses of rules changed, and the change as a site has it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cds_service.errors import BadRequest
from cds_service.live.active import Active, activate
from cds_service.packs.build import with_profiles
from cds_service.packs.source import obj
from cds_service.rules.model import Pack, Setting, Status
from cds_service.rules.nodes import Switch
from cds_service.rules.rule_index import leaves
from cds_service.rules.ruleset import RuleSet
from cds_service.rules.words import unit_in_words

Json = Any
Value = Decimal | bool | str
STATUSES: tuple[Status, ...] = ("active", "shadow", "retired")
MOST_KEPT = 8


@dataclass(frozen=True)
class Change:
    """What is changed; empty for nothing. `profiles` is None for those in force."""

    profiles: tuple[str, ...] | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is changed."""
        return bool(self.profiles is not None or self.settings or self.statuses)


NO_CHANGE = Change()


def read(form: Mapping[str, str], pack: Pack, profiles: tuple[str, ...]) -> Change:
    """The change that the fields of the page ask for: `set.NAME`, `rule.ID`, the profiles chosen.

    Where the profiles have just been chosen, the fields still show the former profile's values and
    are not read. Raises BadRequest for a value that the pack does not allow.
    """
    known = obj(pack.raw["pack"].data.get("profiles"))
    chosen = tuple(name for name in profiles if name in known)
    changed = chosen if "profile.here" in form and chosen != pack.profiles else None
    base = with_profiles(pack, changed) if changed is not None else pack
    if form.get("profile.was", ",".join(base.profiles)) != ",".join(base.profiles):
        return Change(changed, {}, _statuses(form, base))
    return Change(changed, _settings(form, base), _statuses(form, base))


def _settings(form: Mapping[str, str], base: Pack) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, setting in base.settings.items():
        text = form.get(f"set.{name}")
        if text is not None and text.strip():
            value = _value(setting, text.strip())
            if value != setting.value:
                values[name] = value
    return values


def _value(setting: Setting, text: str) -> Value:
    if isinstance(setting.value, bool):
        return text == "true"
    if isinstance(setting.value, str):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _refused(setting, "is a number") from None
    low, high = setting.minimum, setting.maximum
    if not number.is_finite() or (low is not None and number < low):
        raise _refused(setting, f"is at least {low}")
    if high is not None and number > high:
        raise _refused(setting, f"is at most {high}")
    return number


def _refused(setting: Setting, words: str) -> BadRequest:
    return BadRequest(
        "setting-invalid",
        f"{setting.name} {words} {unit_in_words(setting.unit)}.".replace(" .", "."),
    )


def _statuses(form: Mapping[str, str], base: Pack) -> dict[str, Status]:
    return {
        rule.id: status
        for rule in base.rules
        for status in STATUSES
        if form.get(f"rule.{rule.id}") == status != rule.status
    }


def changed_pack(pack: Pack, change: Change) -> Pack:
    """The pack with the change, in memory."""
    base = with_profiles(pack, change.profiles) if change.profiles is not None else pack
    settings = dict(base.settings)
    for name, value in change.settings.items():
        settings[name] = replace(settings[name], value=value, origin="what if")
    rules = tuple(
        replace(rule, status=change.statuses.get(rule.id, rule.status)) for rule in base.rules
    )
    return replace(base, settings=settings, rules=rules)


class Packs:
    """The compiled pack in force and the last few changed ones."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[object, Active] = OrderedDict()

    def active(self, pack: Pack, change: Change) -> Active:
        """The pack with the change, compiled."""
        key = _key(pack, change)
        compiled = self._compiled.pop(key, None) or activate(changed_pack(pack, change))
        self._compiled[key] = compiled
        if len(self._compiled) > MOST_KEPT:
            self._compiled.popitem(last=False)
        return compiled


def _key(pack: Pack, change: Change) -> object:
    settings = tuple(sorted((name, str(value)) for name, value in change.settings.items()))
    statuses = tuple(sorted(change.statuses.items()))
    return pack.revision, change.profiles, settings, statuses


def settings_of(ruleset: RuleSet, rule_id: str) -> tuple[str, ...]:
    """The settings that a rule's conditions and facts name: thresholds before look-backs."""
    compiled = ruleset.rules.get(rule_id)
    if compiled is None:
        return ()
    nodes = [compiled.when, *([compiled.unless] if compiled.unless else [])]
    nodes += [when for when, _ in compiled.variants]
    named: dict[str, None] = {}
    for root in nodes:
        for node in root.descend():
            if isinstance(node, Switch) or "setting" in node.source:
                named.setdefault(str(node.source.get("setting")))
    for leaf in leaves(nodes):
        if leaf.within:
            named.setdefault(leaf.within)
        for name in ruleset.pack.catalogue.facts[leaf.fact].settings:
            named.setdefault(name)
    return tuple(name for name in named if name in ruleset.pack.settings)


def site_json(pack: Pack, change: Change) -> dict[str, Json]:
    """`site.json` of the site in force with the change in it, ready to be put into its folder."""
    site = pack.raw["site"]
    content: dict[str, Json] = plain(site.data) if site else {"$schema": "schemas/site.schema.json"}
    if change.profiles is not None:
        content["profile"] = list(change.profiles)
    if change.settings:
        settings = {name: plain(value) for name, value in change.settings.items()}
        content["settings"] = {**content.get("settings", {}), **settings}
    rules = dict(content.get("rules", {}))
    for rule, status in change.statuses.items():
        rules[rule] = {**rules.get(rule, {}), "status": status}
    if rules:
        content["rules"] = rules
    return content


def plain(value: Json) -> Json:
    """As JSON writes it: Decimals as int or float."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
