"""What another threshold would cost somebody who opens so many charts a week, in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Any


def of_orders(service: str) -> bool:
    """Whether a service is called for orders and not for openings."""
    return "sign" in service


def costs(summary: Mapping[str, Json], charts: int) -> list[str]:
    """A sentence for each other number of a setting, of the services that openings call."""
    return [
        _cost(variant, summary["encounters"], charts)
        for variant in summary["variants"]
        if variant.get("setting") and not variant["setting"]["same"]
    ]


def _cost(variant: Json, openings: int, charts: int) -> str:
    setting = variant["setting"]
    changes = [change for change in variant["services"] if not of_orders(change["service"])]
    cards = _in_words(changes, "change", "sign", "card", charts / max(openings, 1))
    warnings = _in_words(changes, "warnings", "warnings_sign", "warning", charts / max(openings, 1))
    return (
        f"At {setting['value']} instead of {setting['now']} ({setting['name']}), somebody "
        f"who opens {charts} charts a week would see {cards}, and {warnings}."
    )


def _in_words(changes: Sequence[Json], number: str, sign: str, what: str, rate: float) -> str:
    """ "0.4 cards more a week", "one warning fewer in 15 weeks"; small numbers are not told."""
    changed = [change for change in changes if change[sign] != "same"]
    if not changed:
        return f"no other number of {what}s"
    if any(change[number] is None for change in changed):
        return _few(changed, number, sign, what, rate)
    total = sum(change[number] if change[sign] == "more" else -change[number] for change in changed)
    return _often(total, what, rate) if total else f"no other number of {what}s"


def _few(changed: Sequence[Json], number: str, sign: str, what: str, rate: float) -> str:
    """What is told where a service changes by too few to be told."""
    told = [change for change in changed if change[number] is not None]
    if not told:
        return f"hardly any other {what}s"
    return f"about {_in_words(told, number, sign, what, rate)}"


def _often(total: int, what: str, rate: float) -> str:
    direction = "more" if total > 0 else "fewer"
    weekly = abs(total) * rate
    if weekly < 1:
        return f"one {what} {direction} in {1 / weekly:,.0f} weeks"
    return f"{weekly:,.1f} {what}s {direction} a week"
