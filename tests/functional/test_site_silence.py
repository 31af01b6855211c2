"""Rules that used to fire and stopped: what the counters of the database let say."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.service.gone_silent import LOOK_EVERY, Silence
from cds_service.store.record import DecisionRecord
from cds_service.store.store import Store
from tests.support.packs import rule

TODAY = date(2026, 11, 21)
FIRST_RECENT = TODAY - timedelta(days=6)


class Days:
    """Writes calls of days; a rule fires in every call of the days that are named."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/days.sqlite3"
        self.store = Store(self.url)

    def calls(self, day: date, count: int, outcomes: dict[str, str]) -> None:
        for _ in range(count):
            self.store.record(DecisionRecord("s", day.isoformat(), "r", outcomes=outcomes))
        self.store.flush()

    def silent(self) -> list[str]:
        return [one.rule for one in self.store.activity(TODAY) if one.silent]


@pytest.fixture
def days(tmp_path: Path) -> Any:
    days = Days(tmp_path)
    yield days
    days.store.close()


def test_five_expected_and_none_came(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=1), 20, {"stopped": "fires"})
    days.calls(FIRST_RECENT, 5, {})
    assert days.silent() == ["stopped"]


def test_too_few_calls_to_say(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=1), 20, {"stopped": "fires"})
    days.calls(FIRST_RECENT, 4, {})
    assert days.silent() == []


def test_one_firing_today_is_enough(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=28), 20, {"lives": "fires"})
    days.calls(FIRST_RECENT, 20, {})
    days.calls(TODAY, 1, {"lives": "fires"})
    assert days.silent() == []


def test_unknown_is_not_firing(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=28), 20, {"blind": "fires"})
    days.calls(TODAY, 20, {"blind": "unknown"})
    [found] = days.store.activity(TODAY)
    assert (found.silent, found.unknown, found.last_fired) == (True, 20, "2026-10-18")


def test_older_than_the_baseline_does_not_count(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=29), 20, {"old": "fires"})
    days.calls(TODAY, 20, {})
    assert days.store.activity(TODAY) == []


def test_readyz_names_silent_rules_in_use_and_asks_seldom(days: Days) -> None:
    days.calls(FIRST_RECENT - timedelta(days=1), 20, {"used": "fires", "retired": "fires"})
    days.calls(FIRST_RECENT, 20, {})
    time = [0.0]
    silence = Silence(lambda: time[0])
    rules = [rule("used", {}), rule("retired", {}, status="retired")]
    told = silence.rules(days.store, rules, TODAY)
    assert told == [{"rule": "used", "lastFired": "2026-11-14", "expected": 20.0}]
    days.calls(TODAY, 1, {"used": "fires"})
    time[0] = LOOK_EVERY
    assert silence.rules(days.store, rules, TODAY) == told
    time[0] = LOOK_EVERY + 1
    assert silence.rules(days.store, rules, TODAY) == []


def test_stats_live_marks_what_has_gone_silent(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.calls(FIRST_RECENT - timedelta(days=1), 20, {"rls.low-ferritin": "fires"})
    days.calls(FIRST_RECENT, 20, {})
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_NOW", "2026-11-21T09:00:00Z")
    monkeypatch.setenv("CDS_DATABASE_URL", days.url)
    result = CliRunner().invoke(main, ["rules", "stats", "--live"])
    assert result.exit_code == 0, result.output
    [row] = [line for line in result.output.splitlines() if line.startswith("rls.low-ferritin ")]
    assert row.endswith("SILENT")
    assert "none came): rls.low-ferritin" in result.output
