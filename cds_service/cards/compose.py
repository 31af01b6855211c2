"""Findings to cards: the one entry point of this package.

`compose_cards` also says which findings could not be written; their rules' outcome is "error".
`compose` is for callers that want such a finding to fail loudly.
"""

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

from cds_service.cards import closing, detail, frame, gaps
from cds_service.cards.drafts import draft_name, draft_reason
from cds_service.cards.finding_texts import FindingTexts, say
from cds_service.cards.grouping import (
    Plan,
    cap,
    cite_once,
    in_order,
    merge_info,
    plan_cards,
    plan_conditional,
    precedence,
)
from cds_service.cards.language import ENGLISH_TAG
from cds_service.cards.per_pack import prepared
from cds_service.cards.suggest import Orders, suggestions
from cds_service.cards.template_context import Scene
from cds_service.protocol.model import Card, HookRequest
from cds_service.rules.context import Context, Facts
from cds_service.rules.logic import YES
from cds_service.rules.model import Evaluation, Finding, Pack, ServiceDefinition
from cds_service.values import new_uuid, value

Json = Any


@value
class Composition:
    """The cards, and the class name of the error for each rule that could not be written."""

    cards: list[Card]
    errors: dict[str, str] = field(default_factory=dict)


def compose(
    pack: Pack,
    service: ServiceDefinition,
    evaluation: Evaluation,
    facts: Facts,
    request: HookRequest,
    *,
    public_url: str = "",
    language: str = ENGLISH_TAG,
) -> list[Card]:
    """The cards of one call. Raises the first error of a finding that cannot be written."""
    composer = Composer(pack, service, facts, request, public_url=public_url, language=language)
    return composer.cards([composer.say(finding) for finding in evaluation.findings], evaluation)


def compose_cards(
    pack: Pack,
    service: ServiceDefinition,
    evaluation: Evaluation,
    facts: Facts,
    request: HookRequest,
    *,
    public_url: str = "",
    language: str = ENGLISH_TAG,
) -> Composition:
    """The cards of all findings that can be written, and which could not (invariant 6).

    `language` is the tag of one that the pack has; any other is English.
    """
    composer = Composer(pack, service, facts, request, public_url=public_url, language=language)
    written: list[FindingTexts] = []
    errors: dict[str, str] = {}
    for finding in evaluation.findings:
        try:
            written.append(composer.say(finding))
        except Exception as error:  # one rule's fault must not silence the others
            errors[finding.rule.id] = type(error).__name__
    return Composition(composer.cards(written, evaluation), errors)


class Composer:
    """Composes for one call. An empty `public_url` leaves the source's address out."""

    def __init__(
        self,
        pack: Pack,
        service: ServiceDefinition,
        facts: Facts,
        request: HookRequest,
        *,
        public_url: str = "",
        language: str = ENGLISH_TAG,
        make_uuid: Callable[[], str] = new_uuid,
    ) -> None:
        self._pack = pack
        self._service = service
        self._facts = facts
        self._request = request
        self._public_url = public_url
        self._new_uuid = make_uuid
        self._prepared = prepared(pack)
        self._voice = self._prepared.voice(language)
        self._language = self._voice.language
        self._contexts: dict[tuple[int | None, bool], Context] = {}

    def say(self, finding: Finding) -> FindingTexts:
        """A finding in words. Raises `MissingValue`."""
        draft = None if finding.draft is None else self._facts.chart.drafts[finding.draft]
        context = self._context(finding)
        return say(
            Scene(
                finding=finding,
                facts=self._facts,
                settings=self._voice.settings,
                holds=lambda condition: self._prepared.holds(condition, context),
                items=lambda condition: self._prepared.items(condition, context),
                draft_name=draft_name(draft, finding.about, self._language) if draft else "",
                reason=draft_reason(draft, self._language) if draft else "",
                language=self._language,
            )
        )

    def cards(self, findings: Sequence[FindingTexts], evaluation: Evaluation) -> list[Card]:
        """The cards of findings in words: precedence, merging, caps; on the last one the gaps."""
        plans = self._plans(precedence(findings)) if findings else []
        if plans:
            # The conditional card opens by saying that the conditions are not complete.
            told = ["conditions"] if plans[-1].conditional else []
            if about_drugs := [plan for plan in plans if plan.is_about_drugs]:
                about_drugs[0].unrecognised = self._facts.unrecognised_medications
            chart = self._facts.chart
            plans[-1].gaps = gaps.of_call(self._pack, evaluation, chart, told, self._language)
        return [self._card(plan) for plan in plans]

    def _context(self, finding: Finding) -> Context:
        key = (finding.draft, finding.conditional)
        if key not in self._contexts:
            definition = self._pack.conditional.get("definition", "")
            assumed = {definition: YES} if finding.conditional else {}
            self._contexts[key] = Context(self._facts, finding.draft, assumed)
        return self._contexts[key]

    def _plans(self, findings: Sequence[FindingTexts]) -> list[Plan]:
        groups = self._pack.groups
        plans = plan_cards(findings, groups) + plan_conditional(findings, groups)
        drafts = [draft.reference for draft in self._facts.chart.drafts]
        cited_once = cite_once(in_order(plans), drafts)
        return cap(in_order(merge_info(cited_once)), self._service.max_cards)

    def _card(self, plan: Plan) -> Card:
        pack, findings = self._pack, [part.texts.finding for part in plan.parts]
        language = self._language
        behavior = frame.selection(plan)
        # "If leg cramps are the concern" is a question; it comes with no orders to place.
        asked = [] if plan.conditional else plan.reasons
        offered = suggestions(asked, self._orders(plan), behavior)
        return Card(
            uuid=self._new_uuid(),
            summary=frame.summary(plan, pack, language),
            indicator=plan.indicator,
            source=frame.source(plan, self._public_url, language),
            detail=detail.paragraphs(
                plan,
                frame.opening(plan, pack, language),
                closing.sentences(plan, pack, self._voice.site_numbers, language),
                language,
            ),
            suggestions=offered,
            selection_behavior=behavior if offered else "",
            override_reasons=frame.override_reasons(plan, pack, language),
            links=frame.links(plan, pack, self._public_url, language),
            extension={frame.EXTENSION: frame.trace(plan, pack, self._facts, language)},
            rules=tuple(dict.fromkeys((f.rule.id, f.rule.version) for f in findings)),
        )

    def _orders(self, plan: Plan) -> Orders:
        drafts, language = self._facts.chart.drafts, self._language
        names = {
            part.draft: draft_name(drafts[part.draft], part.about, language)
            for part in plan.parts
            if part.draft is not None
        }
        if len(set(names.values())) < len(names):  # two strengths: in the orders' own words
            names = {
                draft: draft_name(drafts[draft], (), language) or name
                for draft, name in names.items()
            }
        return Orders(self._pack.orders, self._request, drafts, names, self._new_uuid, language)
