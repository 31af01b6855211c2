"""`summary.json`: the counts of a run, small cells suppressed; nothing of a single patient."""

from collections.abc import Mapping
from typing import Any

from cds_service.population.output import RunFolder
from cds_service.population.rule_summary import coverage, per_hundred, rule_summary, undecided
from cds_service.population.small_cells import SMALLEST, count, parts
from cds_service.population.totals import BY, Totals, add_up
from cds_service.population.variant_summary import variants
from cds_service.rules.model import Pack
from cds_service.rules.ruleset import serves

Json = Any

_MOST_MONTHS = 36  # of more than these the years are shown
_SHOWN_PAIRS = 15


def summarize(folder: RunFolder, pack: Pack, about: Mapping[str, Json]) -> dict[str, Json]:
    """The summary of a run. `about` says what was asked (RunPlan without the salt, the source)."""
    return _summary(add_up(folder), pack, about)


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
            rule_summary(totals, pack, service.id, rule)
            for service in asked
            for rule in active
            if serves(service, rule)
        ],
        "coverage": [coverage(totals, pack, rule) for rule in active],
        "undecided": undecided(totals, pack),
        "overlap": [
            {"rules": list(pair), "calls": count(n)}
            for pair, n in totals.pairs.most_common(_SHOWN_PAIRS)
        ],
        "variants": variants(totals, pack, about),
    }


def _service(totals: Totals, service: str, title: str) -> Json:
    ratio = totals.services[service]
    return {
        "service": service,
        "title": title,
        "calls": int(ratio.x),
        "cards": count(int(ratio.y)),
        "per100": per_hundred(ratio),
        "patients": ratio.patients,
        "patientsWithCards": count(totals.alerted[service]),
        "strongest": {
            name or "no card": count(totals.indicators[service, name])
            for name in ("critical", "warning", "info", "")
        },
    }


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
