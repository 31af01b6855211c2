"""What a summary says of rules: how often they spoke, when they do, and on what they rest."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from cds_service.facts.definitions import DraftDrug, DraftOrder, Drug, FactDefinition, Quantity
from cds_service.population.ratio import Ratio
from cds_service.population.small_cells import SMALLEST, count
from cds_service.population.totals import Totals
from cds_service.rules.model import Pack, Rule
from cds_service.rules.syntax import parts_of
from cds_service.sources.logic import Logic, Sentence

Json = Any
_OUTCOMES = ("fires", "unknown", "error")
_SHOWN_REASONS = 5


def rule_summary(totals: Totals, pack: Pack, service: str, rule: Rule) -> Json:
    ratio = totals.rules.get((service, rule.id), Ratio())
    calls = totals.services[service]
    whole = Ratio(calls.patients, calls.x, ratio.y, calls.xx, ratio.xy, ratio.yy)
    outcomes = {name: totals.outcomes[service, rule.id, name] for name in _OUTCOMES}
    reasons = Counter({why: n for (of, why), n in totals.reasons.items() if of == rule.id})
    return {
        "service": service,
        "rule": rule.id,
        "title": rule.title,
        "group": rule.group,
        "status": rule.status,
        "indicator": str(rule.card.get("indicator", "")),
        "speaks": _words(Logic(pack).sentence(rule.when)),
        "unless": _words(Logic(pack).sentence(rule.unless)) if rule.unless is not None else "",
        "fires": count(outcomes["fires"]),
        "unknown": count(outcomes["unknown"]),
        "error": outcomes["error"],
        "heads": count(int(ratio.y)),
        "shown": count(totals.shown[service, rule.id]),
        "per100": per_hundred(whole),
        "reasons": [
            {"reason": why, "calls": count(n)} for why, n in reasons.most_common(_SHOWN_REASONS)
        ],
    }


def coverage(totals: Totals, pack: Pack, rule: Rule) -> Json:
    """In how many charts there is any entry for the facts that the rule is about."""
    facts = [
        {
            "fact": name,
            "title": pack.catalogue[name].title,
            "charts": count(totals.facts[name]),
            "share": _share(totals.facts[name], totals.charts),
            "entry": _is_entry(pack.catalogue[name]),
        }
        for name in dict.fromkeys((*rule.about, *_facts_in(rule.when, pack)))
        if name not in pack.catalogue.always
    ]
    return {"rule": rule.id, "title": rule.title, "facts": facts}


def _facts_in(condition: Json, pack: Pack) -> Iterable[str]:
    """The facts that a condition names, definitions looked into."""
    if isinstance(condition.get("fact"), str):
        yield condition["fact"]
    if condition.get("is") in pack.definitions:
        yield from _facts_in(pack.definitions[condition["is"]], pack)
    for part in parts_of(condition):
        yield from _facts_in(part, pack)


def _share(part: int, whole: int) -> float | None:
    return None if 0 < part < SMALLEST else round(part / whole, 4) if whole else 0.0


def per_hundred(ratio: Ratio) -> Json:
    """None where the count behind it is too small to be shown."""
    return None if count(int(ratio.y)) is None else ratio.per_hundred()


def undecided(totals: Totals, pack: Pack) -> list[Json]:
    """Why rules could not be decided: each reason once, with what it was about, how many rules it
    held up, and in how many calls at most."""
    about: defaultdict[str, Counter[str]] = defaultdict(Counter)
    rules: defaultdict[str, set[str]] = defaultdict(set)
    most: Counter[str] = Counter()
    for (rule, reason), calls in totals.reasons.items():
        name, _, words = reason.partition(": ")
        known = words and name in pack.catalogue.facts
        text = words if known else reason
        if known:
            title = pack.catalogue[name].title
            about[text][title] = max(about[text][title], calls)
        rules[text].add(rule)
        most[text] = max(most[text], calls)
    return [
        {
            "reason": text,
            "about": [title for title, _ in about[text].most_common()],
            "rules": len(rules[text]),
            "calls": count(calls),
        }
        for text, calls in most.most_common()
    ]


def _words(sentence: Sentence) -> str:
    """A condition as one line: "all of these: ...; ..."."""
    if sentence.definition or not sentence.parts:
        return sentence.text
    parts = "; ".join(f"({_words(p)})" if _is_list(p) else _words(p) for p in sentence.parts)
    return f"{sentence.text}: {parts}"


def _is_list(sentence: Sentence) -> bool:
    return bool(sentence.parts) and not sentence.definition


def _is_entry(fact: FactDefinition) -> bool:
    """Whether a chart holds it by itself: not the order of a call, nor what was left uncounted."""
    if isinstance(fact, Quantity):
        return fact.computed is None or fact.computed.how != "named"
    return not isinstance(fact, DraftDrug | DraftOrder) and not (
        isinstance(fact, Drug) and fact.uncounted
    )
