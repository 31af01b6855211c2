"""Which findings share a card, which card keeps a resource, and what is cut.

Precedence follows the clinical specification, section 2.2; the ways of composing are described
in docs/rule-format.md, "Groups and composition".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from cds_service.cards.finding_texts import FindingTexts, strength
from cds_service.cards.gaps import Gaps
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.phrases import CONDITIONAL_TITLE
from cds_service.cards.values import distinct_names
from cds_service.facts.model import Item
from cds_service.rules.model import INDICATORS, Group, Indicator

TIERS = {"A": 0, "B": 1, "C": 2}
LAST_TIER = 3


class Part(Struct, frozen=True):
    """A finding's share of a card. `about`: the items that this card names and cites.

    `line_only`: says its line, but is no reason for the card.
    """

    texts: FindingTexts
    about: tuple[Item, ...]
    line_only: bool

    @property
    def draft(self) -> int | None:
        return self.texts.finding.draft


@dataclass(slots=True)
class Plan:
    """A card to be. The head is the first part; it lends the card its source."""

    groups: tuple[Group, ...]
    parts: list[Part]
    conditional: bool = False
    joined: bool = False  # several warnings share it for want of room
    unshown: list[str] = field(default_factory=list)  # titles of cards that were cut
    gaps: Gaps = field(default_factory=Gaps)  # what was not to be had, on the last card

    unrecognised: int = 0  # medications that nothing recognises, on the first card about drugs

    @property
    def is_about_drugs(self) -> bool:
        """Whether a drug is among the subjects of the card."""
        return any(item.ingredients for part in self.reasons for item in part.about)

    @property
    def reasons(self) -> list[Part]:
        """The parts that are a reason for the card."""
        return [part for part in self.parts if not part.line_only]

    @property
    def indicator(self) -> Indicator:
        return INDICATORS[self.strength]

    @property
    def strength(self) -> int:
        """That of the indicator: 0 for info, 2 for critical."""
        if self.conditional:
            return 0
        return max([strength(part.texts.indicator) for part in self.reasons])

    @property
    def drafts(self) -> frozenset[int | None]:
        return frozenset(part.draft for part in self.reasons)

    def names(self, group: Group | None = None, language: Language = ENGLISH) -> list[str]:
        """The distinct subjects of the card, or of one of its groups."""
        about = (
            item
            for part in self.reasons
            if group is None or part.texts.finding.rule.group == group.id
            for item in part.about
        )
        return distinct_names(about, language)


def precedence(findings: Iterable[FindingTexts]) -> list[FindingTexts]:
    """Without the findings that another finding supersedes."""
    findings = list(findings)
    return [
        finding
        for finding in findings
        if not any(_supersedes(other, finding) for other in findings)
    ]


def plan_cards(findings: Sequence[FindingTexts], groups: Mapping[str, Group]) -> list[Plan]:
    """One plan for each card that the findings ask for, before merging and caps."""
    plans: list[Plan] = []
    by_group: dict[str, list[Part]] = {}
    for finding in findings:
        if not finding.finding.conditional:
            by_group.setdefault(finding.finding.rule.group, []).append(_part(finding))
    for group_id, parts in by_group.items():
        plans += _plans_of_group(groups[group_id], sorted(parts, key=_list_order))
    plans = in_order(plans)
    _place_lines([part for parts in by_group.values() for part in parts], plans)
    return plans


def _place_lines(parts: Iterable[Part], plans: Sequence[Plan]) -> None:
    """Give the lines that may join any card, and found none in their group, to the first
    information card about the patient."""
    placed = {id(part) for plan in plans for part in plan.parts}
    into = next((p for p in plans if p.indicator == "info" and p.drafts == {None}), None)
    if into is not None:
        lines = (part for part in parts if part.line_only and id(part) not in placed)
        into.parts += [part for part in lines if part.texts.finding.rule.joins == "any"]


def plan_conditional(findings: Sequence[FindingTexts], groups: Mapping[str, Group]) -> list[Plan]:
    """The one card of all findings that rest on an unknown complaint, or none."""
    parts = [_part(finding) for finding in findings if finding.finding.conditional]
    if not any(not part.line_only for part in parts):
        return []
    parts.sort(key=lambda part: (groups[part.texts.finding.rule.group].order, _list_order(part)))
    last = 1 + max((group.order for group in groups.values()), default=0)
    return [Plan((Group("conditional", CONDITIONAL_TITLE, last, "list"),), parts, conditional=True)]


def cite_once(plans: Sequence[Plan], drafts: Collection[str] = ()) -> list[Plan]:
    """No resource is the subject of two cards: the stronger card keeps it.

    `plans` are in card order. A finding left without a subject hands its line to the card that
    has its subject, so that nothing is lost; a conditional finding is dropped. `drafts` are
    references of draft orders: several cards may be about the order that is being written.
    """
    keeper: dict[str, Plan] = {}
    free = frozenset(drafts) | {""}
    kept = []
    for plan in plans:
        moved = _give_up(plan, keeper)
        if plan.reasons:
            kept.append(plan)
            cited = {item.reference for part in plan.reasons for item in part.about}
            keeper |= {reference: plan for reference in cited - free - keeper.keys()}
        if not plan.conditional:
            for part, to in moved:
                to.parts.append(part)
    return kept


def merge_info(plans: Sequence[Plan]) -> list[Plan]:
    """Info cards of groups with `merge` become one, if there are two or more about the same."""
    merged: dict[frozenset[int | None], Plan] = {}
    result = []
    for plan in plans:
        if plan.conditional or plan.indicator != "info" or not plan.groups[0].merge:
            result.append(plan)
        elif plan.drafts not in merged:
            merged[plan.drafts] = plan
            result.append(plan)
        else:
            into = merged[plan.drafts]
            into.groups += tuple(group for group in plan.groups if group not in into.groups)
            into.parts += plan.parts
    return result


def cap(plans: Sequence[Plan], most: int) -> list[Plan]:
    """At most `most` cards; the last names what was cut. `plans` are in card order.

    Information is cut. Warning and critical cards never are: those for which there is no room join
    the last one (second edition, S12).
    """
    strong = [plan for plan in plans if plan.indicator != "info"]
    others = [plan for plan in plans if plan.indicator == "info"]
    kept = [*strong[:most], *others[: max(0, most - len(strong))]]
    for plan in strong[most:]:
        _join(kept[-1], plan)
    if kept:
        cut = others[max(0, most - len(strong)) :]
        kept[-1].unshown += [title for plan in cut for title in _titles(plan)]
    return kept


def _join(into: Plan, plan: Plan) -> None:
    into.groups += tuple(group for group in plan.groups if group not in into.groups)
    into.parts += plan.parts
    into.joined = True


def _titles(plan: Plan) -> list[str]:
    """What a card that is not shown is called: a group where it speaks for the whole group."""
    if plan.groups[0].compose == "each":
        return [plan.parts[0].texts.finding.rule.title]
    return [group.title for group in plan.groups]


def in_order(plans: Sequence[Plan]) -> list[Plan]:
    """Cards as they are shown."""
    return sorted(plans, key=_card_order) if len(plans) > 1 else list(plans)


def _card_order(plan: Plan) -> tuple[int, int, int, int]:
    """The strongest first, then the pack's order of groups, the rules' ranks, the drafts' order."""
    first_draft = min((d for d in plan.drafts if d is not None), default=-1)
    rank = plan.parts[0].texts.finding.rule.rank
    return (-plan.strength, plan.groups[0].order, rank, first_draft)


def _supersedes(other: FindingTexts, finding: FindingTexts) -> bool:
    if finding.finding.rule.id not in other.finding.rule.supersedes:
        return False
    if other.finding.conditional and not finding.finding.conditional:
        return False
    drafts = (other.finding.draft, finding.finding.draft)
    return None in drafts or drafts[0] == drafts[1]


def _part(texts: FindingTexts) -> Part:
    return Part(texts, texts.finding.about, line_only=not texts.finding.rule.alone)


def _list_order(part: Part) -> tuple[bool, int, int]:
    rule = part.texts.finding.rule
    return (part.line_only, TIERS.get(rule.tier, LAST_TIER), rule.rank)


def _head_order(part: Part) -> tuple[bool, int, int]:
    return (part.line_only, -strength(part.texts.indicator), part.texts.finding.rule.rank)


def _plans_of_group(group: Group, parts: list[Part]) -> list[Plan]:
    if group.compose == "list":
        shares = [parts]
    elif group.compose == "first":
        shares = [sorted(share, key=_head_order) for share in _by_draft(parts)]
    else:
        lines = [part for part in parts if part.line_only]
        alone = [[part] for part in parts if not part.line_only]
        shares = [alone[0] + lines, *alone[1:]] if alone else []
    plans = [Plan((group,), share) for share in shares if not share[0].line_only]
    return _same_words_once(plans) if group.compose != "list" else plans


def _by_draft(parts: list[Part]) -> list[list[Part]]:
    shares: dict[int | None, list[Part]] = {}
    for part in parts:
        shares.setdefault(part.draft, []).append(part)
    return list(shares.values())


def _same_words_once(plans: list[Plan]) -> list[Plan]:
    """Two drafts that earn the same card word for word share it."""
    by_words: dict[tuple[str, str], Plan] = {}
    for plan in plans:
        head = plan.parts[0].texts
        first = by_words.setdefault((head.finding.rule.id, head.summary), plan)
        if first is not plan:
            first.parts += plan.parts
    return list(by_words.values())


def _give_up(plan: Plan, keeper: Mapping[str, Plan]) -> list[tuple[Part, Plan]]:
    """Take from the plan what a stronger card keeps; returns parts left without a subject."""
    kept: list[Part] = []
    moved: list[tuple[Part, Plan]] = []
    for part in plan.parts:
        about = tuple(item for item in part.about if item.reference not in keeper)
        if len(about) == len(part.about):
            kept.append(part)
        elif about:
            kept.append(replace(part, about=about))
        else:
            line = replace(part, about=(), line_only=True)
            moved.append((line, keeper[part.about[0].reference]))
    plan.parts = kept
    return moved
