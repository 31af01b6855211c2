"""`report.html`: the summary as one page for a committee, with plots; nothing is loaded from
elsewhere, and it can be printed."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.population import plots
from cds_service.population.small_cells import HIDDEN
from cds_service.population.week import costs, of_orders

Json = Any
# HL7 ActEncounterCode, as people call them (http://terminology.hl7.org/CodeSystem/v3-ActCode).
CLASSES = {
    "AMB": "outpatient visit",
    "EMER": "emergency",
    "FLD": "in the field",
    "HH": "at home",
    "IMP": "inpatient",
    "ACUTE": "inpatient, acute",
    "NONAC": "inpatient, not acute",
    "OBSENC": "observation",
    "PRENC": "before admission",
    "SS": "short stay",
    "VR": "virtual",
}
PER_WEEK = 80  # patients that the example clinician sees; the report says that it is an example


def write_report(summary: Mapping[str, Json]) -> str:
    """The page."""
    services = sorted(summary["services"], key=lambda service: -(service["cards"] or 0))
    return (
        _environment()
        .get_template("report.html")
        .render(
            s=summary,
            services=services,
            week=cards_in_a_week(services),
            costs=costs(summary, PER_WEEK),
            sweeps=sweeps(summary),
            titles={rule["rule"]: rule["title"] for rule in summary["rules"]},
            nowhere=nowhere(summary),
            classes=CLASSES,
            noisiest=noisiest(summary),
            why=why_noisiest(summary),
            never=[rule for rule in summary["rules"] if rule["fires"] == 0],
            unmatched=[row for row in summary["coverage"] if _empty(row)],
            per_week=PER_WEEK,
            plots=plots,
        )
    )


def noisiest(summary: Mapping[str, Json]) -> list[Json]:
    """The rules that head cards, the noisiest first."""
    heading = [rule for rule in summary["rules"] if rule["heads"] is None or rule["heads"] > 0]
    return sorted(heading, key=lambda rule: -(rule["heads"] or 0))


def why_noisiest(summary: Mapping[str, Json]) -> list[Json]:
    """The facts of the noisiest rule, with the share of charts that hold an entry for each."""
    first = next(iter(noisiest(summary)), None)
    facts: list[Json] = [
        fact
        for row in summary["coverage"]
        if first and row["rule"] == first["rule"]
        for fact in row["facts"]
    ]
    return sorted(facts, key=lambda fact: -(fact["share"] or 0))


def cards_in_a_week(services: Sequence[Json]) -> float | None:
    """What somebody would see in a week who opens PER_WEEK charts; None where no rate is shown."""
    rates = [
        service["per100"]["value"]
        for service in services
        if service["per100"] and not of_orders(service["service"])
    ]
    return sum(rates) * PER_WEEK / 100 if rates else None


def sweeps(summary: Mapping[str, Json]) -> list[Json]:
    """The variants, those of one number together; other packs each by itself."""
    together: dict[str, list[Json]] = {}
    for variant in summary["variants"]:
        setting = variant.get("setting")
        together.setdefault(setting["name"] if setting else variant["variant"], []).append(variant)
    return list(together.values())


def nowhere(summary: Mapping[str, Json]) -> list[str]:
    """What rules ask about and no chart holds."""
    facts = {
        fact["title"]: fact["charts"]
        for row in summary["coverage"]
        for fact in row["facts"]
        if fact.get("entry", True)
    }
    return sorted(title for title, charts in facts.items() if charts == 0)


def _empty(row: Json) -> bool:
    """Whether no chart holds an entry for any fact of a rule."""
    return bool(row["facts"]) and all(fact["charts"] == 0 for fact in row["facts"])


def number(value: Json) -> str:
    """A count, with thousands apart; what is hidden says so."""
    return HIDDEN if value is None else f"{value:,}"


def rate(value: Json) -> str:
    """ "4.1 (3.2 to 5.0)"."""
    if value is None:
        return "not shown"
    return f"{value['value']:.1f} ({value['low']:.1f} to {value['high']:.1f})"


def percent(value: Json) -> str:
    """A share."""
    return "not shown" if value is None else f"{100 * value:.1f} %"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cds_service.population", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, rate=rate, percent=percent, svg=Markup)
    return environment
