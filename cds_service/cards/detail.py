"""The detail of a card: what the sources say, what was found, what is not known.

GitHub Flavored Markdown (spec H5), paragraphs and lists only, as clinical section 2.6 orders it.
All text that comes from the chart arrives here escaped or is escaped here.
"""

from collections.abc import Iterable, Sequence

from cds_service.cards import values, wording
from cds_service.cards.finding_texts import Sentence
from cds_service.cards.grouping import Part, Plan
from cds_service.cards.markdown import escape
from cds_service.facts.model import Item
from cds_service.rules.model import Finding, Group

MOST_BASIS = 12
LONGEST_NOTE = 240
_SOURCES = {
    "MedicationRequest": "medication order",
    "MedicationOrder": "medication order",
    "MedicationStatement": "reported medication",
    "MedicationUsage": "reported medication",
    "MedicationAdministration": "administered medication",
}


def paragraphs(plan: Plan, opening: Sequence[str], profiles: Sequence[str]) -> str:
    """The whole detail. `opening` stands first and is Markdown already."""
    findings = [part.said.finding for part in plan.parts]
    return "\n\n".join(
        filter(
            None,
            [
                *opening,
                *_body(plan),
                because(basis(plan)),
                _labelled("Evidence", [part.said.caveat for part in plan.parts], " "),
                _labelled("Not checked", _unjudged(findings), "; ", "."),
                _labelled("Note", _notes(f.notes for f in findings), " "),
                plan.gaps,
                _unshown(plan.unshown),
                _footer(plan, profiles),
            ],
        )
    )


def basis(plan: Plan) -> list[Item]:
    """The chart entries that the card rests on: its findings', then its conditional sentences'."""
    findings = [item for part in plan.parts for item in part.said.finding.basis]
    return findings + [item for sentence in _spoken(plan) for item in sentence.basis]


def because(entries: Iterable[Item]) -> str:
    """A list of what was found, when and with which value; each entry once."""
    lines = list(dict.fromkeys(_basis_line(item) for item in entries if item.text or item.quantity))
    if not lines:
        return ""
    more = len(lines) - MOST_BASIS
    shown = lines[:MOST_BASIS] + ([f"- and {more} more"] if more > 0 else [])
    return "\n".join(["Because:", "", *shown])


def _basis_line(item: Item) -> str:
    source = item.details.get("source", "")
    facts = [
        _value(item),
        item.details.get("side", ""),
        _SOURCES.get(source, source),
        values.day(item) or ("undated" if _should_be_dated(item) else ""),
        "matched by name" if item.via == "name" else "",
    ]
    shown = ", ".join(escape(fact) for fact in facts if fact)
    return f"- {escape(wording.opening(item.text or 'Result'))}: {shown}"


def _should_be_dated(item: Item) -> bool:
    """An age is of today and a draft is being written: they have no date to be missing."""
    is_age = item.quantity is not None and item.quantity.unit == "a"
    return not is_age and not values.is_of_the_call(item)


def _value(item: Item) -> str:
    if item.quantity is None:
        return ""
    told = values.measured(item.quantity)
    sent = item.quantity.shown
    same = not sent or sent.split() == told.split() or item.quantity.unit in values.UNITLESS
    return told if same else f"{told} (sent as {sent})"


def _body(plan: Plan) -> list[str]:
    if plan.conditional:
        return [_lines(plan.parts)]
    if len(plan.groups) == 1:
        return _section(plan.groups[0], plan.parts)
    body: list[str] = []
    for group, parts in _sections(plan):
        body += [f"**{group.title}**", *_section(group, parts)]
    known = {group.id for group in plan.groups}
    strangers = [part for part in plan.parts if part.said.finding.rule.group not in known]
    return [*body, *([_lines(strangers)] if strangers else [])]


def _section(group: Group, parts: Sequence[Part]) -> list[str]:
    """A single finding speaks in full; in a list each says its line and what is special to it."""
    told = _sentences(_sentences_of(group, parts))
    if _is_list(group, parts):
        return [*told, _lines(parts)]
    head, *others = parts
    lines = _lines([part for part in others if part.said.line != head.said.line])
    return [*told, *([lines] if lines else [])]


def _is_list(group: Group, parts: Sequence[Part]) -> bool:
    return group.compose == "list" and sum(not part.line_only for part in parts) > 1


def _sentences_of(group: Group, parts: Sequence[Part]) -> Sequence[Sentence]:
    """The sentences that a section says beside its lines."""
    if not _is_list(group, parts):
        return parts[0].said.detail
    reasons = [part for part in parts if not part.line_only]
    return [s for part in reasons for s in part.said.detail if s.special]


def _spoken(plan: Plan) -> list[Sentence]:
    """All sentences that the card says beside its lines."""
    if plan.conditional:
        return []
    return [s for group, parts in _sections(plan) for s in _sentences_of(group, parts)]


def _sections(plan: Plan) -> list[tuple[Group, Sequence[Part]]]:
    """The parts of the card by group; parts that came from another card are in none of them."""
    if len(plan.groups) == 1:
        return [(plan.groups[0], plan.parts)]
    by_group = [
        (group, [part for part in plan.parts if part.said.finding.rule.group == group.id])
        for group in plan.groups
    ]
    return [(group, parts) for group, parts in by_group if parts]


def _sentences(sentences: Sequence[Sentence]) -> list[str]:
    text = " ".join(dict.fromkeys(sentence.text for sentence in sentences))
    return [text] if text else []


def _lines(parts: Sequence[Part]) -> str:
    """The parts' lines as a list; a single one needs none."""
    lines = list(dict.fromkeys(part.said.line for part in parts if part.said.line))
    return "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else "".join(lines)


def _unjudged(findings: Sequence[Finding]) -> list[str]:
    """The exclusions that could not be judged, as parts of one sentence."""
    told = (text for finding in findings for text in finding.unknown_exclusions)
    return [escape(f"whether {wording.clause(text)}", LONGEST_NOTE) for text in told]


def _notes(groups: Iterable[Sequence[str]]) -> list[str]:
    return [escape(note, LONGEST_NOTE) for notes in groups for note in notes]


def _labelled(label: str, texts: Iterable[str], between: str, end: str = "") -> str:
    told = [text for text in dict.fromkeys(texts) if text]
    return f"{label}: {between.join(told)}{end}" if told else ""


def _unshown(titles: Sequence[str]) -> str:
    if not titles:
        return ""
    count = len(titles)
    return f"{count} further {'note' if count == 1 else 'notes'} not shown: {', '.join(titles)}."


def _footer(plan: Plan, profiles: Sequence[str]) -> str:
    rules = dict.fromkeys(
        f"{part.said.finding.rule.id} v{part.said.finding.rule.version}" for part in plan.parts
    )
    word = "Rule" if len(rules) == 1 else "Rules"
    return (
        "Information for clinicians; verify before acting. "
        f"{word} {', '.join(rules)}, profile {', '.join(profiles) or 'none'}."
    )
