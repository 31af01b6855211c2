"""`summary.json`: the counts of a run, small cells suppressed; nothing of a single patient.

Reads the rows part by part, so that its memory does not grow with the number of charts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cds_service.population.output import RunFolder
from cds_service.population.ratio import Ratio
from cds_service.population.rows import CALL, CHART, LEFT_OUT, RULE, VARIANT
from cds_service.population.suppress import SMALLEST, count, parts
from cds_service.rules.model import Pack, Rule
from cds_service.rules.ruleset import serves
from cds_service.rules.syntax import parts_of

Json = Any
Key = tuple[str, ...]

BY = {
    "month": "month",
    "year": "year",
    "age": "age_band",
    "sex": "sex",
    "setting": "setting",
    "site": "site",
}
_MOST_MONTHS = 36  # of more than these the years are shown
_SHOWN_REASONS = 5
_SHOWN_PAIRS = 15


@dataclass
class Totals:
    """What is added up over all parts of a run."""

    charts: int = 0
    encounters: int = 0
    facts: Counter[str] = field(default_factory=Counter)  # charts that hold an entry
    left_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)  # service, outcome
    services: dict[str, Ratio] = field(default_factory=dict)
    strata: dict[tuple[str, str, str], Ratio] = field(default_factory=dict)  # by, service, stratum
    indicators: Counter[tuple[str, str]] = field(default_factory=Counter)  # service, strongest
    alerted: Counter[str] = field(default_factory=Counter)  # patients with a card, by service
    rules: dict[tuple[str, str], Ratio] = field(default_factory=dict)  # service, rule
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)  # cards that a rule is on
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # rule, reason
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)  # rules in one call
    weeks: Counter[tuple[str, int]] = field(default_factory=Counter)  # clinician, week: alerts
    named: int = 0  # calls whose encounter names the clinician
    calls: int = 0
    first: Any = None
    last: Any = None
    variants: dict[tuple[str, str], Ratio] = field(default_factory=dict)  # change of cards
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)  # change, by the same
    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # variant, how, rule


def summarize(folder: RunFolder, pack: Pack, about: Mapping[str, Json]) -> dict[str, Json]:
    """The summary of a run. `about` says what was asked (RunPlan without the salt, the source)."""
    totals = Totals()
    for table in folder.tables(CHART):
        _add_charts(totals, table)
    for table in folder.tables(CALL):
        _add_calls(totals, table)
    for table in folder.tables(RULE):
        _add_rules(totals, table)
    for table in folder.tables(VARIANT):
        _add_variants(totals, table)
    for table in folder.tables(LEFT_OUT):
        totals.left_out.update(dict(_grouped(table, ["outcome"], "count")))
    return _summary(totals, pack, about)


def _add_charts(totals: Totals, table: pa.Table) -> None:
    totals.charts += table.num_rows
    totals.encounters += pc.sum(table["count"]).as_py() or 0
    facts = pc.value_counts(pc.list_flatten(table["facts"]))
    totals.facts.update({one["values"]: one["counts"] for one in facts.to_pylist()})


def _add_calls(totals: Totals, table: pa.Table) -> None:
    if not table.num_rows:
        return
    for column, form in (("month", "%Y-%m"), ("year", "%Y")):
        table = table.append_column(column, pc.strftime(table["day"], form))
    totals.calls += table.num_rows
    totals.named += pc.sum(pc.not_equal(table["clinician"], "")).as_py()
    totals.refused.update(
        {key: n for key, n in _counted(table, ["service", "outcome"]) if key[1] != "answered"}
    )
    totals.indicators.update(dict(_counted(table, ["service", "indicator"])))
    _ratios(totals.services, table, ["service"])
    for by, column in BY.items():
        strata: dict[Key, Ratio] = {}
        _ratios(strata, table, ["service", column])
        for (service, stratum), ratio in strata.items():
            _into(totals.strata, (by, service, stratum), ratio)
    with_cards = table.filter(pc.greater(table["cards"], 0))
    distinct = with_cards.group_by(["service", "patient"]).aggregate([])
    totals.alerted.update(dict(_counted(distinct, ["service"], plain=True)))
    _add_weeks(totals, table)
    _add_pairs(totals, with_cards)
    first, last = pc.min(table["day"]).as_py(), pc.max(table["day"]).as_py()
    totals.first = min(filter(None, (totals.first, first)), default=None)
    totals.last = max(filter(None, (totals.last, last)), default=None)


def _add_weeks(totals: Totals, table: pa.Table) -> None:
    named = table.filter(pc.not_equal(table["clinician"], ""))
    if not named.num_rows:
        return
    calendar = pc.iso_calendar(named["day"])
    week = pc.add(
        pc.multiply(pc.struct_field(calendar, "iso_year"), 100),
        pc.struct_field(calendar, "iso_week"),
    )
    for key, alerts in _grouped(named.append_column("week", week), ["clinician", "week"], "cards"):
        totals.weeks[key] += alerts


def _add_pairs(totals: Totals, with_cards: pa.Table) -> None:
    several = with_cards.filter(pc.greater(pc.list_value_length(with_cards["rules"]), 1))
    for rules in several["rules"].to_pylist():
        totals.pairs.update(combinations(sorted(rules), 2))


def _add_rules(totals: Totals, table: pa.Table) -> None:
    _ratios(totals.rules, table, ["service", "rule"])
    totals.outcomes.update(dict(_counted(table, ["service", "rule", "outcome"])))
    totals.shown.update(dict(_grouped(table, ["service", "rule"], "shown")))
    unknown = table.filter(pc.equal(table["outcome"], "unknown"))
    for rule, reasons in zip(
        unknown["rule"].to_pylist(), unknown["reasons"].to_pylist(), strict=True
    ):
        totals.reasons.update((rule, reason) for reason in reasons)


def _add_variants(totals: Totals, table: pa.Table) -> None:
    _ratios(totals.variants, table, ["variant", "service"])
    totals.warnings.update(dict(_grouped(table, ["variant", "service"], "warnings")))
    for column in ("gains", "loses"):
        pairs = zip(table["variant"].to_pylist(), table[column].to_pylist(), strict=True)
        for variant, rules in pairs:
            totals.changes.update((variant, column, rule) for rule in rules)


def _ratios(into: dict[Any, Ratio], table: pa.Table, keys: Sequence[str]) -> None:
    """Add alerts per call by `keys`. A patient's rows stand in one table."""
    if not table.num_rows:
        return
    per_patient = table.group_by([*keys, "patient"]).aggregate(
        [("cards", "sum"), ("cards", "count"), ("calls", "max")]
    )
    y = pc.cast(per_patient["cards_sum"], pa.float64())
    # Rows of calls are the calls; of rules and variants only those that were other than "no".
    whole = "rule" not in table.column_names and "variant" not in table.column_names
    x = pc.cast(per_patient["cards_count" if whole else "calls_max"], pa.float64())
    products = per_patient.select(list(keys))
    for name, values in (
        ("x", x),
        ("y", y),
        ("xx", pc.multiply(x, x)),
        ("xy", pc.multiply(x, y)),
        ("yy", pc.multiply(y, y)),
    ):
        products = products.append_column(name, values)
    names = ("x", "y", "xx", "xy", "yy")
    sums = products.group_by(list(keys)).aggregate(
        [("x", "count"), *((name, "sum") for name in names)]
    )
    for one in sums.to_pylist():
        key = one[keys[0]] if len(keys) == 1 else tuple(one[key] for key in keys)
        ratio = into.setdefault(key, Ratio())
        ratio.add(one["x_count"], *(one[f"{name}_sum"] for name in names))


def _into(strata: dict[Any, Ratio], key: Any, more: Ratio) -> None:
    ratio = strata.setdefault(key, Ratio())
    ratio.add(more.patients, more.x, more.y, more.xx, more.xy, more.yy)


def _counted(
    table: pa.Table, keys: Sequence[str], *, plain: bool = False
) -> Iterator[tuple[Any, int]]:
    counted = table.group_by(list(keys)).aggregate([([], "count_all")])
    for one in counted.to_pylist():
        yield (one[keys[0]] if plain else tuple(one[key] for key in keys)), one["count_all"]


def _grouped(table: pa.Table, keys: Sequence[str], column: str) -> Iterator[tuple[Any, int]]:
    sums = table.group_by(list(keys)).aggregate([(column, "sum")])
    for one in sums.to_pylist():
        key = one[keys[0]] if len(keys) == 1 else tuple(one[key] for key in keys)
        yield key, one[f"{column}_sum"] or 0


def _summary(totals: Totals, pack: Pack, about: Mapping[str, Json]) -> dict[str, Json]:
    titles = {service.id: service.title for service in pack.services}
    asked = [service for service in pack.services if service.id in totals.services]
    active = [rule for rule in pack.rules if rule.status in ("active", "shadow")]
    return {
        "about": dict(about),
        "pack": {
            "name": pack.name,
            "version": pack.version,
            "revision": pack.revision,
            "profile": list(pack.profiles),
        },
        "smallestCell": SMALLEST,
        "charts": totals.charts,
        "encounters": totals.encounters,
        "calls": totals.calls,
        "from": str(totals.first or ""),
        "to": str(totals.last or ""),
        "leftOut": dict(totals.left_out.most_common()),
        "refused": [
            {"service": service, "why": why, "calls": count(n)}
            for (service, why), n in totals.refused.most_common()
        ],
        "services": [_service(totals, service.id, titles[service.id]) for service in asked],
        "by": {by: _by(totals, by) for by in BY if by != _unneeded(totals)},
        "clinicians": _clinicians(totals),
        "rules": [
            _rule(totals, service.id, rule)
            for service in asked
            for rule in active
            if serves(service, rule)
        ],
        "coverage": [_coverage(totals, pack, rule) for rule in active],
        "overlap": [
            {"rules": list(pair), "calls": count(n)}
            for pair, n in totals.pairs.most_common(_SHOWN_PAIRS)
        ],
        "variants": [_variant(totals, name) for name in dict.fromkeys(_names(totals, about))],
    }


def _service(totals: Totals, service: str, title: str) -> Json:
    ratio = totals.services[service]
    return {
        "service": service,
        "title": title,
        "calls": int(ratio.x),
        "cards": count(int(ratio.y)),
        "per100": _per_hundred(ratio),
        "patients": ratio.patients,
        "patientsWithCards": count(totals.alerted[service]),
        "strongest": {
            name or "no card": count(totals.indicators[service, name])
            for name in ("critical", "warning", "info", "")
        },
    }


def _per_hundred(ratio: Ratio) -> Json:
    """None where the count behind it is too small to be shown."""
    return None if count(int(ratio.y)) is None else ratio.per_hundred()


def _unneeded(totals: Totals) -> str:
    """Months of a long time are too many to be looked at, years of a short one too few."""
    months = {stratum for by, _, stratum in totals.strata if by == "month"}
    return "month" if len(months) > _MOST_MONTHS else "year"


def _by(totals: Totals, by: str) -> list[Json]:
    """Alerts of all services together would count an encounter twice: service by service."""
    rows = []
    services = sorted({service for which, service, _ in totals.strata if which == by})
    for service in services:
        strata = {
            stratum: ratio
            for (which, of, stratum), ratio in totals.strata.items()
            if which == by and of == service
        }
        hidden = parts({stratum: int(ratio.y) for stratum, ratio in strata.items()})
        for stratum in sorted(strata):
            ratio = strata[stratum]
            small = ratio.patients < SMALLEST
            rows.append(
                {
                    "service": service,
                    "stratum": stratum or "not recorded",
                    "calls": count(int(ratio.x)),
                    "patients": count(ratio.patients),
                    "cards": hidden[stratum],
                    "per100": None if small or hidden[stratum] is None else ratio.per_hundred(),
                }
            )
    return rows


def _clinicians(totals: Totals) -> Json:
    """Alerts a clinician saw in a week in which there was at least one encounter."""
    weeks = sorted(totals.weeks.values())
    share = totals.named / totals.calls if totals.calls else 0.0
    if len(weeks) < SMALLEST:
        return {"named": round(share, 3), "weeks": count(len(weeks))}
    return {
        "named": round(share, 3),
        "weeks": len(weeks),
        "mean": round(sum(weeks) / len(weeks), 2),
        "median": weeks[len(weeks) // 2],
        "p90": weeks[int(len(weeks) * 0.9)],
    }


def _rule(totals: Totals, service: str, rule: Rule) -> Json:
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
        "fires": count(outcomes["fires"]),
        "unknown": count(outcomes["unknown"]),
        "error": outcomes["error"],
        "heads": count(int(ratio.y)),
        "shown": count(totals.shown[service, rule.id]),
        "per100": _per_hundred(whole),
        "reasons": [
            {"reason": why, "calls": count(n)} for why, n in reasons.most_common(_SHOWN_REASONS)
        ],
    }


_OUTCOMES = ("fires", "unknown", "error")


def _coverage(totals: Totals, pack: Pack, rule: Rule) -> Json:
    """In how many charts there is any entry for the facts that the rule is about."""
    facts = [
        {
            "fact": name,
            "title": pack.catalogue[name].title,
            "charts": count(totals.facts[name]),
            "share": _share(totals.facts[name], totals.charts),
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


def _names(totals: Totals, about: Mapping[str, Json]) -> Iterator[str]:
    yield from about.get("variants", ())
    yield from sorted({name for name, _ in totals.variants})


def _sign(change: float) -> str:
    return "more" if change > 0 else "fewer" if change < 0 else "same"


def _variant(totals: Totals, name: str) -> Json:
    """What another threshold or pack would change, by service and by rule."""
    services = []
    for service, calls in totals.services.items():
        change = totals.variants.get((name, service), Ratio())
        # A small change could be worked out of two totals, so then the total is hidden as well.
        shown = count(abs(int(change.y)))
        cards = None if shown is None else count(int(calls.y + change.y))
        services.append(
            {
                "service": service,
                "cards": cards,
                "change": shown,
                "sign": _sign(change.y),
                "warnings": count(abs(totals.warnings[name, service])),
                "warnings_sign": _sign(totals.warnings[name, service]),
                "per100": round(100 * cards / calls.x, 2)
                if calls.x and cards is not None
                else None,
            }
        )
    changes: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for (of, how, rule), n in totals.changes.most_common():
        if of == name:
            changes[how][rule] = count(n)
    return {"variant": name, "services": services, **changes}
