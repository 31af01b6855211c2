"""docs/cards.md: every card that the pack can give, with an example chart, for one sitting.

The charts are those of the rules' own tests, so the page shows what the tests hold. Of the cases in
which a rule gives a card, the first that shows it alone is taken, else the first.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cds_service.cards.body import MOST_WORDS
from cds_service.cards.closing import sign_off
from cds_service.cards.compose import compose
from cds_service.cards.language import ENGLISH_TAG, Language
from cds_service.cards.per_pack import prepared
from cds_service.cards.phrases import BECAUSE, UNREVIEWED
from cds_service.errors import ConfigurationError
from cds_service.packs.build import with_profiles
from cds_service.packs.load import load_pack
from cds_service.protocol.model import Card
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Finding, Pack, Rule
from cds_service.ruletests.runner import SUFFIX, drafts_under_test
from cds_service.ruletests.testfile import Case, read_test_file
from cds_service.ruletests.testing import bundles_of
from cds_service.ruletests.trial import Bench, Trial, request_of

Json = Any
OWN = -1  # the rule's own card; others are numbers of variants

_INTRO = """\
Every card that the pack can give, with an example chart from the tests of its rule. Written by
`cds rules cards --to docs/cards.md`; a test fails when it is stale. For a clinician who reviews
them in one sitting: read a card as it stands, then sign (`signedOff`, see the rule format) or say
what is wrong with it."""


@dataclass(frozen=True)
class Example:
    """One card of a rule, and the case that shows it."""

    case: Case
    card: Card

    def words(self, because: str) -> int:
        """Words of the detail before its list, which `because` begins."""
        return len(self.card.detail.partition(f"\n\n{because}")[0].split())


def cards_page(pack: Pack, bench: Bench, tag: str = ENGLISH_TAG) -> str:
    """The whole page as Markdown, the cards in a language that the pack has."""
    language = prepared(pack).voice(tag).language
    groups = sorted(pack.groups.values(), key=lambda group: group.order)
    shown = [rule for rule in pack.rules if rule.status not in ("draft", "retired")]
    examples_by_rule = {rule.id: examples(rule, bench, tag) for rule in shown}
    figures = _figures(examples_by_rule.values(), language.text(BECAUSE))
    lines = ["# Cards", "", *_opening(pack, language), "", *figures]
    for group in groups:
        rules = sorted((r for r in shown if r.group == group.id), key=lambda r: (r.rank, r.id))
        if rules:
            lines += ["", f"## {language.text(group.title)}"]
        for rule in rules:
            lines += ["", f"### {language.text(rule.title)}", "", f"Rule `{rule.id}`."]
            lines += [line for part in _parts(rule, examples_by_rule[rule.id]) for line in part]
    return "\n".join(lines) + "\n"


def _opening(pack: Pack, language: Language) -> Sequence[str]:
    if language.is_english:
        return [_INTRO, "", f"> {sign_off(pack)}"]
    told = f"The cards in `{language.tag}`, for the native clinician who reviews the translation."
    notice = "" if language.reviewed else f" {UNREVIEWED}"
    return [told, "", f"> {sign_off(pack)}{notice}"]


def examples(rule: Rule, bench: Bench, tag: str = ENGLISH_TAG) -> Mapping[int, Example]:
    """The rule's own card and those of its variants, as far as its tests show them."""
    if rule.path is None:
        return {}
    tests = read_test_file(rule.path.with_name(rule.path.name.removesuffix(".json") + SUFFIX))
    bench = bench.also(drafts_under_test(tests, bench))
    by_number: dict[int, Example] = {}
    for case in tests.cases:
        for number, example in _of_case(rule, bench.trial(case), tag):
            known = by_number.get(number)
            if known is None or (len(known.card.rules) > 1 and len(example.card.rules) == 1):
                by_number[number] = example
    return dict(sorted(by_number.items()))


def _of_case(rule: Rule, trial: Trial, tag: str) -> Iterator[tuple[int, Example]]:
    evaluation = evaluate(trial.ruleset, trial.service, trial.facts)
    own = [finding for finding in evaluation.findings if finding.rule.id == rule.id]
    if not own or rule.id not in trial.ruleset.rules:
        return
    pack = trial.ruleset.pack
    request = request_of(trial)
    cards = compose(pack, trial.service, evaluation, trial.facts, request, language=tag)
    for card in cards:
        if card.rules and card.rules[0][0] == rule.id:
            yield _number(own[0], trial), Example(trial.case, card)


def _number(finding: Finding, trial: Trial) -> int:
    """Which of the rule's cards a finding has."""
    variants = trial.ruleset.rules[finding.rule.id].variants
    return next((n for n, (_, card) in enumerate(variants) if card is finding.card), OWN)


def _figures(by_rule: Iterable[Mapping[int, Example]], because: str) -> Sequence[str]:
    words = sorted(example.words(because) for of_rule in by_rule for example in of_rule.values())
    if not words:
        return []
    return [
        f"{len(words)} cards. Words before the list: median {words[len(words) // 2]}, "
        f"at most {words[-1]} (the limit is {MOST_WORDS}).",
    ]


def _parts(rule: Rule, by_number: Mapping[int, Example]) -> Iterator[Sequence[str]]:
    for number, example in by_number.items():
        name = "Its own card" if number == OWN else f"Variant {number + 1}"
        yield ["", f"**{name}**, for example: {example.case.name}", ""]
        yield ["```json", *_chart(example.case.sketch), "```", ""]
        yield [f"> {line}".rstrip() for line in _card(example.card)]
    silent = [n for n in range(OWN, len(rule.variants)) if n not in by_number]
    if silent:
        names = ", ".join("its own card" if n == OWN else f"variant {n + 1}" for n in silent)
        yield ["", f"Only inside another card, or in no test: {names}."]


def _chart(sketch: Mapping[str, Json]) -> Iterator[str]:
    for key, value in sketch.items():
        yield f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, default=str)}"


def _card(card: Card) -> Iterator[str]:
    yield f"**{card.indicator.upper()}: {card.summary}**"
    yield ""
    yield from card.detail.split("\n")
    for suggestion in card.suggestions:
        yield ""
        yield f"[ {suggestion.label} ]"
    yield ""
    yield f"Source: {card.source.label}"


def page_of(hooks: Path, site: Path | None = None, tag: str = ENGLISH_TAG) -> str:
    """The page of a pack folder, without a site's changes, in a language of either.

    Raises ConfigurationError where neither has it.
    """
    pack = load_pack(hooks, thorough=False)
    if tag != ENGLISH_TAG:
        pack = replace(pack, translations=load_pack(hooks, site, thorough=False).translations)
    tags = (ENGLISH_TAG, *pack.translations)
    if tag not in tags:
        known = ", ".join(tags)
        raise ConfigurationError(f"There is no language '{tag}'.", f"One of: {known}.")

    def under(profiles: tuple[str, ...] | None) -> Pack:
        return pack if profiles is None else with_profiles(pack, profiles)

    return cards_page(pack, Bench(under, bundles_of(hooks)), tag)
