"""Rules that used to fire and have stopped: the fault that nobody sees (Wright et al. 2016).

The last seven days are compared with the 28 days before them. Where the same share of calls had
made a rule fire at least `EXPECTED` times and it did not fire once, chance is a poor explanation
(below 1 in 100, were the firings independent); a changed code or unit is a better one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Engine, func, select

from cds_service.store.tables import calls, rule_days

RECENT_DAYS = 7
BASELINE_DAYS = 28
EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Activity:
    """A rule's firings; `recent` counts `today` too. `expected` is what the baseline lets expect of
    the recent days' calls."""

    rule: str
    baseline: int
    recent: int
    unknown: int  # of the recent calls
    errors: int
    expected: float
    last_fired: str  # ISO day
    today: int = 0

    @property
    def silent(self) -> bool:
        """Whether it stopped, as far as the number of calls allows to say."""
        return self.recent == 0 and self.expected >= EXPECTED


def activity(engine: Engine, today: date) -> list[Activity]:
    """Every rule that said anything but "no" in the two periods, sorted. The day `today` counts
    as the last of the recent ones. Raises SQLAlchemyError."""
    start = (today - timedelta(days=RECENT_DAYS - 1)).isoformat()
    begin = (today - timedelta(days=RECENT_DAYS + BASELINE_DAYS - 1)).isoformat()
    table = rule_days.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(table.rule, table.outcome, table.day, table["count"]).where(
                table.day >= begin, table.day <= today.isoformat()
            )
        ).all()
        by_day = connection.execute(
            select(calls.c.day, func.count())
            .where(calls.c.day >= begin, calls.c.day <= today.isoformat())
            .group_by(calls.c.day)
        ).all()
    share = _share([(day, count) for day, count in by_day], start)
    return _counted([tuple(row) for row in rows], start, share, today.isoformat())


def _share(by_day: Iterable[tuple[str, int]], start: str) -> float:
    """Calls of the recent days for each of the baseline."""
    recent = baseline = 0
    for day, count in by_day:
        if day >= start:
            recent += count
        else:
            baseline += count
    return recent / baseline if baseline else 0.0


def _counted(
    rows: Iterable[tuple[str, str, str, int]], start: str, share: float, today: str
) -> list[Activity]:
    by_rule: dict[str, dict[str, int]] = {}
    last: dict[str, str] = {}
    for rule, outcome, day, count in rows:
        counts = by_rule.setdefault(
            rule, dict.fromkeys(("baseline", "recent", "unknown", "error", "today"), 0)
        )
        if outcome == "fires":
            counts["recent" if day >= start else "baseline"] += count
            counts["today"] += count if day == today else 0
            last[rule] = max(last.get(rule, ""), day)
        elif day >= start and outcome in counts:
            counts[outcome] += count
    return [
        Activity(
            rule,
            counts["baseline"],
            counts["recent"],
            counts["unknown"],
            counts["error"],
            counts["baseline"] * share,
            last.get(rule, ""),
            counts["today"],
        )
        for rule, counts in sorted(by_rule.items())
    ]
