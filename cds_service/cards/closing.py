"""The last line of a card, after what was not checked: whose numbers these are, and who signed."""

from collections.abc import Mapping, Sequence

from cds_service.cards import phrases
from cds_service.cards.grouping import Plan
from cds_service.cards.language import ENGLISH, Language
from cds_service.facts import notes
from cds_service.rules.model import Pack

MOST_NUMBERS = 2


def sentences(
    plan: Plan, pack: Pack, numbers: Mapping[str, Sequence[str]], language: Language = ENGLISH
) -> list[str]:
    """What closes a card, as Markdown. `numbers`: by rule, those that the site set itself."""
    return [
        _unrecognised(plan.unrecognised, language),
        *_of_the_site(plan, numbers, language),
        sign_off(pack, language),
        "" if language.reviewed else language.say(phrases.UNREVIEWED),
    ]


def _of_the_site(plan: Plan, numbers: Mapping[str, Sequence[str]], language: Language) -> list[str]:
    rules = dict.fromkeys(part.texts.finding.rule.id for part in plan.parts)
    own = list(dict.fromkeys(text for rule in rules for text in numbers.get(rule, ())))
    more = len(own) - MOST_NUMBERS
    forms = (phrases.ONE_MORE_NUMBER, phrases.MORE_NUMBERS)
    rest = [language.count(*forms, more)] if more > 0 else []
    return [*own[:MOST_NUMBERS], *rest]


def _unrecognised(count: int, language: Language) -> str:
    if not count:
        return ""
    return language.count(notes.ONE_UNRECOGNISED, notes.MANY_UNRECOGNISED, count)


def sign_off(pack: Pack, language: Language = ENGLISH) -> str:
    """Who answers for the content in force, or that nobody does."""
    if not pack.signed_off:
        return language.say(phrases.NOT_SIGNED_OFF)
    who, role, on = (pack.signed_off[key] for key in ("who", "role", "date"))
    return language.say(phrases.SIGNED_OFF, who=who, role=role, date=language.date(on))
