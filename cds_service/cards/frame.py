"""The parts of a card around its detail: summary, source, reasons to override, links, trace,
and how many of its suggestions may be chosen."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from cds_service.cards import detail, values, wording
from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.cards.grouping import Part, Plan
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.markdown import plain
from cds_service.cards.phrases import CONDITIONAL_SUMMARY, JOINED, MANY_OTHERS, MERGED, ONE_OTHER
from cds_service.cards.render import compile_template
from cds_service.protocol.model import Coding, Link, Source
from cds_service.rules.context import Facts
from cds_service.rules.model import Pack

Json = Any

# Names of systems, not addresses: the same wherever the service runs, so that what an EHR has
# mapped or remembered for a code stays valid.
OVERRIDE_REASONS = "https://cds.legcramps.example/CodeSystem/override-reason"
TOPICS = "https://cds.legcramps.example/CodeSystem/topic"
EXTENSION = "com.legcramps.cds"

MOST_OVERRIDE_REASONS = 12
MOST_SYSTEMS = 10
LONGEST_SYSTEM = 100  # characters
MOST_LISTED = 40  # entries of one list in the extension
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")


def summary(plan: Plan, pack: Pack, language: Language = ENGLISH) -> str:
    """One line of at most LONGEST_SUMMARY characters (`finding_texts`); spec H3 allows 139."""
    if plan.conditional:
        template = str(pack.conditional.get("summary", CONDITIONAL_SUMMARY))
        names = _short_names(plan.reasons, language)
        return _counted(language.text(template), len(plan.reasons), names)
    if plan.joined:
        names = _short_names(plan.reasons, language)
        return _counted(language.text(JOINED), len(names), names, most=len(names))
    named = [
        (group, plan.names(group, language)) for group in plan.groups if group.compose == "list"
    ]
    named = [(group, names) for group, names in named if names]
    if len(plan.groups) > 1 and len(named) > 1:
        told = "; ".join(values.abbreviated(names) for _, names in named)
        return plain(f"{language.text(MERGED)}: {told}", LONGEST_SUMMARY)
    if named and len(named[0][1]) > 1 and named[0][0].many:
        group, names = named[0]
        return _counted(language.text(group.many), len(names), names)
    return _own_summary(plan, named[0][0].id if named else plan.groups[0].id, language)


def source(plan: Plan, public_url: str, language: Language = ENGLISH) -> Source:
    """The first source of the head's rule; its address does not depend on the patient (spec I3).

    The topic is fixed for each group and alphanumeric: Epic remembers an override by it.
    """
    rule, group = plan.parts[0].texts.finding.rule, plan.groups[0]
    label = rule.sources[0].get("label", "") if rule.sources else ""
    return Source(
        label=language.text(label or rule.title),
        url=f"{public_url}/sources/{rule.id}" if public_url else "",
        topic=Coding(TOPICS, _NOT_ALPHANUMERIC.sub("", group.id), language.text(group.title)),
    )


def opening(plan: Plan, pack: Pack, language: Language = ENGLISH) -> list[str]:
    """What stands before everything else: why a conditional card is conditional."""
    if not plan.conditional:
        return []
    return [language.text(str(text)) for text in pack.conditional.get("detail", ())]


def selection(plan: Plan) -> Literal["any", "at-most-one"]:
    """The head's choice; "any" unless it asks for one at most."""
    asked = plan.parts[0].texts.finding.card.get("selection")
    return "at-most-one" if asked == "at-most-one" else "any"


def override_reasons(plan: Plan, pack: Pack, language: Language = ENGLISH) -> tuple[Coding, ...]:
    """Reasons of all findings, each once, with the words that the pack gives them (spec H15)."""
    codes = _once(_cards_values(plan, "overrideReasons"))[:MOST_OVERRIDE_REASONS]
    named = ((code, language.text(pack.override_reasons[code])) for code in codes)
    return tuple(Coding(OVERRIDE_REASONS, code, words) for code, words in named)


def links(
    plan: Plan, pack: Pack, public_url: str, language: Language = ENGLISH
) -> tuple[Link, ...]:
    """Absolute links of all findings, each once.

    A link to a page of this service is left out where nobody said under which address it is seen.
    """
    names = [*_cards_values(plan, "links")]
    if plan.conditional:
        names += pack.conditional.get("links", ())
    sent = (pack.links[name] for name in _once(names))
    addressed = ((link["label"], _absolute(link["url"], public_url)) for link in sent)
    return tuple(Link(language.text(label), url, "absolute") for label, url in addressed if url)


def trace(plan: Plan, pack: Pack, facts: Facts, language: Language = ENGLISH) -> dict[str, Json]:
    """What ties the card to rules, pack and chart entries. No empty values (invariant 8).

    `evidence`: what the card is about. `basis`: everything that its rules, their variants and its
    conditional sentences rested on. `unrecognised`: entries that nothing recognises, by kind and
    code system.
    """
    drafts = facts.chart.drafts
    findings = [part.texts.finding for part in plan.parts]
    about = _once(item.reference for part in plan.reasons for item in part.about)
    basis = _once(item.reference for item in detail.basis(plan))
    ordered = _once(drafts[part.draft].reference for part in plan.reasons if part.draft is not None)
    rules = dict.fromkeys((f.rule.id, f.rule.version) for f in findings)
    notes = _once(language.note(note) for finding in findings for note in finding.notes)
    content: dict[str, Json] = {
        "rules": [{"id": rule_id, "version": version} for rule_id, version in rules],
        "profile": list(pack.profiles),
        "packRevision": pack.revision,
        "language": "" if language.is_english else language.tag,
        "signedOff": dict(pack.signed_off),
        "caveats": _once(part.texts.caveat for part in plan.parts),
        "notes": _bounded(notes, language),
        "gaps": plan.gaps.full,
        "unrecognised": _few(facts.unrecognised),
        "unrecognisedMedications": plan.unrecognised,
        "evidence": _bounded(about, language),
        "basis": _bounded(basis, language),
        "draft": ordered[0] if len(ordered) == 1 else "",
        "drafts": _bounded(ordered, language) if len(ordered) > 1 else [],
    }
    return {key: value for key, value in content.items() if value}


def _few(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Json]:
    """The commonest systems of each kind; the others are counted together."""
    by_kind: dict[str, Json] = {}
    for kind, systems in counts.items():
        ordered = sorted(systems.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = {system[:LONGEST_SYSTEM]: count for system, count in ordered[:MOST_SYSTEMS]}
        rest = sum(count for _, count in ordered[MOST_SYSTEMS:])
        by_kind[kind] = shown | ({"others": rest} if rest else {})
    return by_kind


def _bounded(texts: list[str], language: Language) -> list[str]:
    """As many texts as anybody reads, and how many more there are."""
    more = len(texts) - MOST_LISTED
    if more <= 0:
        return texts
    return [*texts[:MOST_LISTED], language.count(ONE_OTHER, MANY_OTHERS, more)]


def _absolute(url: str, public_url: str) -> str:
    own_page = url.startswith("/")
    return (public_url and public_url + url) if own_page else url


def _own_summary(plan: Plan, group_id: str, language: Language) -> str:
    """The summary of the group's strongest finding."""
    for part in plan.reasons:
        if part.texts.finding.rule.group == group_id and part.texts.summary:
            return part.texts.summary
    title = language.text(plan.groups[0].title)
    return plan.reasons[0].texts.summary or plain(title, LONGEST_SUMMARY)


def _counted(template: str, count: int, names: Sequence[str], most: int = 2) -> str:
    """`{count}` and `{names}` filled in; one name fewer is shown until the line fits."""
    shown = [plain(name) for name in names]
    for shorter in range(max(most, 1), 0, -1):
        texts = {"count": str(count), "names": values.abbreviated(shown, shorter)}
        texts["list"] = texts["names"]
        line = compile_template(template).render(texts.get)
        if len(line) <= LONGEST_SUMMARY:
            break
    return plain(wording.opening(line), LONGEST_SUMMARY)


def _short_names(parts: Sequence[Part], language: Language) -> list[str]:
    """Subjects where there are any, else the titles of the rules."""
    names = values.distinct_names((item for part in parts for item in part.about), language)
    return names or _once(language.text(part.texts.finding.rule.title) for part in parts)


def _cards_values(plan: Plan, key: str) -> Iterable[str]:
    return (value for part in plan.reasons for value in part.texts.finding.card.get(key, ()))


def _once(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
