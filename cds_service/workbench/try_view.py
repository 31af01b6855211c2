"""What the page of Try shows of a chart and its answers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from cds_service.rules.model import Setting
from cds_service.service.runtime import public_url
from cds_service.workbench import (
    bench,
    card_view,
    compare,
    ready,
    rows,
    rule_views,
    supply,
    what_if,
)
from cds_service.workbench.chart import STATES, dump
from cds_service.workbench.chart_answers import Judgement
from cds_service.workbench.operations import op
from cds_service.workbench.try_request import Work, judgements

Json = Any
WARNINGS = ("warning", "critical")
MOST_OTHERS = 20  # further patients of a file that are offered
FIRST_KNOBS = 6  # settings that stand open; the others are behind a fold
MOST_SHOWN = 200_000  # characters of a request on the page


@dataclass(frozen=True)
class Side:
    """One service's answer ready to be drawn; `changes` by card uuid."""

    judged: Judgement
    cards: list[card_view.CardView]
    changes: Mapping[str, compare.Difference]


@dataclass(frozen=True)
class Knob:
    """A setting that can be turned."""

    setting: Setting
    value: what_if.Value
    changed: bool
    rules: tuple[str, ...]


def shown(work: Work) -> dict[str, Any]:
    """The values of the page's templates."""
    judged = judgements(work, work.after, explained=True)
    before = judgements(work, work.before, explained=True) if work.change.any else judged
    return {
        "work": work,
        "op": op,
        "address": public_url(bench.current().settings),
        **_chart(work),
        **_answers(work, before, judged),
        **_change(work, before),
    }


def _chart(work: Work) -> dict[str, Any]:
    return {
        "most_others": MOST_OTHERS,
        "state": work.state,
        "chart_text": dump(work.state),
        "groups": rows.rows(work.state, work.pack),
        "most_rows": rows.MOST_ROWS,
        "drafts": rows.drafts(work.state, work.pack),
        "person": next(iter(work.state.of_type("Patient")), None),
        "ready": ready.patients(),
        "modes": STATES,
    }


def _answers(work: Work, before: list[Judgement], after: list[Judgement]) -> dict[str, Any]:
    """Each service's cards, why they came, and what was sent and answered."""
    pairs = _sides(before, after)
    whys = [(judged, rule_views.views(work.after.ruleset, judged)) for judged in after]
    return {
        "services": [service for service in work.after.services.values() if service.enabled],
        "pairs": pairs,
        "counts": _counts(pairs),
        "whys": whys,
        "nearest": {judged.service.id: _nearest(judged, rules) for judged, rules in whys},
        "supply_list": [
            (judged, supply.keys(work.after, work.state, judged, work.clock)) for judged in after
        ],
        "raw_list": [
            (judged, _shortened(judged.request), pretty(judged.response)) for judged in after
        ],
    }


def _change(work: Work, before: list[Judgement]) -> dict[str, Any]:
    """What can be turned, and what was."""
    knobs = _knobs(work, [rule_views.views(work.before.ruleset, judged) for judged in before])
    return {
        "knobs_list": knobs,
        "first_knobs": FIRST_KNOBS,
        "fold_open": any(knob.changed for knob in knobs[FIRST_KNOBS:]),
        "profiles": work.pack.raw["pack"].data.get("profiles", {}),
        "profile_was": ",".join(work.pack.profiles),
        "statuses": what_if.STATUSES,
        "patch_text": pretty(what_if.site_json(work.before.ruleset.pack, work.change)),
    }


def _nearest(judged: Judgement, rules: list[rule_views.RuleView]) -> rule_views.RuleView | None:
    """The rule nearest to firing where there is no card; where all cards are information, the
    nearest that would warn."""
    silent = [view for view in rules if view.steps and view.rule.status == "active"]
    if judged.cards:
        silent = [view for view in silent if view.rule.card.get("indicator") in WARNINGS]
        if any(card.indicator in WARNINGS for card in judged.cards):
            return None
    return min(silent, key=lambda view: view.distance, default=None)


def _sides(before: list[Judgement], after: list[Judgement]) -> list[tuple[Side, Side]]:
    old = {judged.service.id: judged for judged in before}
    pairs = []
    for judged in after:
        other = old.get(judged.service.id, judged)
        pairing = compare.paired(other.cards, judged.cards)
        pairs.append((_side(other, pairing.before), _side(judged, pairing.after)))
    return pairs


def _side(judged: Judgement, changes: Mapping[str, compare.Difference]) -> Side:
    return Side(judged, [card_view.view(card) for card in judged.cards], changes)


def _counts(pairs: list[tuple[Side, Side]]) -> Counter[str]:
    """How many cards of this chart the change brings, takes away and words differently."""
    counts: Counter[str] = Counter()
    for before, after in pairs:
        counts.update(change for change in before.changes.values() if change == "loses")
        counts.update(change for change in after.changes.values() if change)
    return counts


def _knobs(work: Work, before: list[list[rule_views.RuleView]]) -> list[Knob]:
    """The settings in use, those of rules that fired or are near first: as in force, so that no
    knob moves away from under the hand that turns it."""
    used: dict[str, dict[str, None]] = {}
    for views in before:
        for view in sorted(views, key=lambda view_of_rule: view_of_rule.distance):
            for name in view.settings:
                used.setdefault(name, {}).setdefault(view.rule.id)
    names = dict.fromkeys([*used, *work.change.settings])
    return [
        Knob(
            work.pack.settings[name],
            work.pack.settings[name].value,
            name in work.change.settings,
            tuple(used.get(name, ())),
        )
        for name in names
    ]


def pretty(content: Json) -> str:
    """JSON as people read it."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode()


def _shortened(content: bytes) -> str:
    text = pretty(orjson.loads(content))
    if len(text) <= MOST_SHOWN:
        return text
    return f"{text[:MOST_SHOWN]}\n… {len(text) - MOST_SHOWN} more characters: take the file"
