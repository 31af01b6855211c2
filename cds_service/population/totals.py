"""The rows of a run added up, part by part, so that memory does not grow with the charts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cds_service.population.output import RunFolder
from cds_service.population.ratio import Ratio
from cds_service.population.rows import CALL, CHART, LEFT_OUT, RULE, VARIANT

Key = tuple[str, ...]

BY = {
    "month": "month",
    "year": "year",
    "age": "age_band",
    "sex": "sex",
    "setting": "setting",
    "site": "site",
}


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


def add_up(folder: RunFolder) -> Totals:
    """The totals of a run."""
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
    return totals


def _add_charts(totals: Totals, table: pa.Table) -> None:
    totals.charts += table.num_rows
    totals.encounters += pc.sum(table["count"]).as_py() or 0
    facts = pc.value_counts(pc.list_flatten(table["facts"]))
    totals.facts.update({row["values"]: row["counts"] for row in facts.to_pylist()})


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
    totals.alerted.update(dict(_counted(distinct, ["service"])))
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
    for row in sums.to_pylist():
        ratio = into.setdefault(_key(row, keys), Ratio())
        ratio.add(row["x_count"], *(row[f"{name}_sum"] for name in names))


def _into(strata: dict[Any, Ratio], key: Any, more: Ratio) -> None:
    ratio = strata.setdefault(key, Ratio())
    ratio.add(more.patients, more.x, more.y, more.xx, more.xy, more.yy)


def _counted(table: pa.Table, keys: Sequence[str]) -> Iterator[tuple[Any, int]]:
    counted = table.group_by(list(keys)).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        yield _key(row, keys), row["count_all"]


def _grouped(table: pa.Table, keys: Sequence[str], column: str) -> Iterator[tuple[Any, int]]:
    sums = table.group_by(list(keys)).aggregate([(column, "sum")])
    for row in sums.to_pylist():
        yield _key(row, keys), row[f"{column}_sum"] or 0


def _key(row: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """What rows are grouped by: the one value, or several together."""
    return row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)
