"""The numbers of a rule that a site set itself, as the card says them.

They are never attributed to the rule's source: "Ferritin: this site uses 75 ng/mL; default 50."
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.cards import wording
from cds_service.rules.inputs import inputs_of
from cds_service.rules.model import Pack, Rule, Setting
from cds_service.rules.syntax import parts_of
from cds_service.rules.words import with_unit

Json = Any


def sentences(pack: Pack, rule: Rule) -> tuple[str, ...]:
    """One for each number in force for the rule that the site gave another value."""
    if not any(setting.by_site for setting in pack.settings.values()):
        return ()
    named = [pack.settings[name] for name in inputs_of(pack, rule).settings]
    own = [one for one in named if one.by_site and isinstance(one.value, Decimal)]
    subjects = _subjects(pack, rule) if own else {}
    return tuple(_sentence(setting, subjects.get(setting.name, "")) for setting in own)


def _sentence(setting: Setting, subject: str) -> str:
    used = f"this site uses {with_unit(setting.value, setting.unit)}; default {setting.default}."
    return wording.opening(f"{subject}: {used}" if subject else used)


def _subjects(pack: Pack, rule: Rule) -> Mapping[str, str]:
    """By setting, what it is a limit or a look-back of: the first fact that is asked with it."""
    roots = [rule.when, rule.unless, *pack.definitions.values()]
    roots += [variant["when"] for variant in rule.variants]
    found: dict[str, str] = {}
    for leaf in (leaf for root in roots if root for leaf in _leaves(root)):
        fact = pack.catalogue.facts[leaf["fact"]]
        found.setdefault(leaf.get("setting", ""), fact.title)
        for lookback in (leaf.get("within", ""), fact.lookback):
            found.setdefault(lookback, f"look-back of {fact.title}")
    return found


def _leaves(condition: Json) -> Iterator[Json]:
    if "fact" in condition:
        yield condition
    for part in parts_of(condition):
        yield from _leaves(part)
