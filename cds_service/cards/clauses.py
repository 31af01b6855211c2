"""The conditions that a card may say it could not judge, for translation: "whether ...".

Each is keyed by its English sentence with placeholders for the numbers in force, so that a site
that changes a number does not lose the translation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.cards import wording
from cds_service.cards.render import compile_template
from cds_service.rules.model import INDICATORS, Pack, Rule, Setting
from cds_service.rules.words import Words, unit_in_words

Json = Any


class _Templates(Words):
    """Says conditions with placeholders for numbers: "ferritin is below {ferritin.low} ng/mL"."""

    def number(self, name: str) -> str:
        setting: Setting = self._settings[name]
        return f"{{{name}}} {unit_in_words(setting.unit)}".strip()


def clauses(pack: Pack, texts: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """By the English sentence, the clause in another language; only those that `texts` has."""
    return {
        sentence: compile_template(texts[template]).render(settings.get)
        for sentence, template in sentences(pack).items()
        if template in texts
    }


def sentences(pack: Pack) -> dict[str, str]:
    """Every sentence that may follow "whether" on a card, and its key in a language."""
    plain = Words(pack.catalogue, pack.settings, pack.definitions)
    keys = _Templates(pack.catalogue, pack.settings, pack.definitions)
    keyed = {
        plain.sentence(condition): wording.clause(keys.sentence(condition))
        for rule in pack.rules
        if rule.status != "retired"
        for condition in _conditions(rule)
    }
    for exclusion in pack.exclusions:
        note = exclusion.get("note")
        sentence = str(note or plain.sentence(exclusion["when"]))
        keyed[sentence] = wording.clause(str(note or keys.sentence(exclusion["when"])))
    return keyed


def _conditions(rule: Rule) -> Iterator[Json]:
    """The rule's exclusions, and the variants that are milder than a card which may be chosen."""
    if rule.unless:
        yield from rule.unless.get("any", [rule.unless])
    cards = [{**rule.card, **variant.get("card", {})} for variant in rule.variants] + [rule.card]
    for number, variant in enumerate(rule.variants):
        later = max(_strength(card) for card in cards[number + 1 :])
        if _strength(cards[number]) < later:
            yield variant["when"]


def _strength(card: Mapping[str, Json]) -> int:
    return INDICATORS.index(card.get("indicator", "info"))
