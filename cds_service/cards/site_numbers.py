"""The numbers of a rule that a site set itself, as the card says them.

They are never attributed to the rule's source: "Ferritin: this site uses 75 ng/mL; default 50."
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.cards import phrases, wording
from cds_service.cards.language import ENGLISH, Language
from cds_service.rules.inputs import inputs_of
from cds_service.rules.model import Pack, Rule, Setting
from cds_service.rules.syntax import parts_of
from cds_service.rules.words import unit_in_words

Json = Any


def sentences(pack: Pack, rule: Rule, language: Language = ENGLISH) -> tuple[str, ...]:
    """One for each number in force for the rule that the site gave another value."""
    if not any(setting.by_site for setting in pack.settings.values()):
        return ()
    named = [pack.settings[name] for name in inputs_of(pack, rule).settings]
    own = [setting for setting in named if setting.by_site and isinstance(setting.value, Decimal)]
    subjects = _subjects(pack, rule, language) if own else {}
    return tuple(_sentence(setting, subjects.get(setting.name, ""), language) for setting in own)


def _sentence(setting: Setting, subject: str, language: Language) -> str:
    unit = language.text(unit_in_words(setting.unit))
    used = f"{language.figures(str(setting.value))} {unit}".strip()
    default = language.figures(str(setting.default))
    phrase = phrases.SITE_NUMBER if subject else phrases.SITE_NUMBER_ALONE
    sentence = language.say(phrase, subject=subject, value=used, default=default)
    return wording.opening(sentence)


def _subjects(pack: Pack, rule: Rule, language: Language) -> Mapping[str, str]:
    """By setting, what it is a limit or a look-back of: the first fact that is asked with it."""
    roots = [rule.when, rule.unless, *pack.definitions.values()]
    roots += [variant["when"] for variant in rule.variants]
    by_setting: dict[str, str] = {}
    for leaf in (leaf for root in roots if root for leaf in _leaves(root)):
        fact = pack.catalogue.facts[leaf["fact"]]
        title = language.name(fact.title)
        by_setting.setdefault(leaf.get("setting", ""), title)
        for lookback in (leaf.get("within", ""), fact.lookback):
            by_setting.setdefault(lookback, language.say(phrases.LOOKBACK, title=title))
    return by_setting


def _leaves(condition: Json) -> Iterator[Json]:
    if "fact" in condition:
        yield condition
    for part in parts_of(condition):
        yield from _leaves(part)
