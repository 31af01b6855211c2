"""What a summary says of other thresholds and packs: what each would change."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cds_service.population.ratio import Ratio
from cds_service.population.small_cells import count
from cds_service.population.totals import Totals
from cds_service.rules.model import Pack
from cds_service.rules.words import with_unit

Json = Any


def variants(totals: Totals, pack: Pack, about: Mapping[str, Json]) -> list[Json]:
    """Each variant of the run, in the order in which they were asked for."""
    return [
        {**_variant(totals, name), "setting": _setting(pack, name)}
        for name in dict.fromkeys(_names(totals, about))
    ]


def _setting(pack: Pack, variant: str) -> Json:
    """The number that a variant changes, in words; None for another pack."""
    name, _, value = variant.partition("=")
    setting = pack.settings.get(name)
    if setting is None or not value:
        return None
    return {
        "name": name,
        "description": setting.description,
        "value": with_unit(value, setting.unit),
        "now": with_unit(setting.value, setting.unit),
        "same": Decimal(value) == setting.value,
    }


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
