"""A clock that jumps: durations do not follow it, look-backs do, and nothing is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.clock import Clock
from cds_service.config import Settings
from cds_service.packs.load import load_pack
from cds_service.service.runtime import Runtime
from cds_service.store.store import Store
from cds_service.web.app import create_app
from tests.support import fixtures

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
REVIEW = "/cds-services/leg-cramps-patient-view"
CALL = fixtures.request("patient-view/cramps-and-restless-legs")


class JumpingClock(Clock):
    """Says each of its times in turn."""

    def __init__(self, *times: datetime) -> None:
        object.__setattr__(self, "times", iter(times))

    def now(self) -> datetime:
        moment: datetime = next(self.times)  # type: ignore[attr-defined]
        return moment


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/cds.sqlite3")
    yield opened
    opened.close()


def test_each_answer_is_that_of_its_own_time_and_no_duration_is_negative(store: Store) -> None:
    times = (NOW, NOW + timedelta(days=4000), NOW - timedelta(days=1), NOW)
    runtime = Runtime(load_pack(Path("hooks"), thorough=False), store, JumpingClock(*times))
    web = create_app(Settings(auth="off"), runtime).test_client()
    before = negative_or_all(web.get("/metrics").get_data(as_text=True))
    answers = [web.post(REVIEW, json=CALL) for _ in times]
    assert [answer.status_code for answer in answers] == [200] * 4
    summaries = [[card["summary"] for card in answer.get_json()["cards"]] for answer in answers]
    assert summaries[0] == summaries[3]
    assert summaries[1] != summaries[0]  # the ferritin is too old by then
    after = negative_or_all(web.get("/metrics").get_data(as_text=True))
    assert after - before < 60  # seconds in all stages together; not eleven years
    assert store.flush()
    assert sum(row.shown for row in store.report()) == sum(
        len(card["extension"]["com.legcramps.cds"]["rules"])
        for answer in answers
        for card in answer.get_json()["cards"]
    )


def negative_or_all(exposition: str) -> float:
    """The seconds spent in all stages; fails where any is negative."""
    sums = [
        float(line.rpartition(" ")[2])
        for line in exposition.splitlines()
        if line.startswith("cds_stage_seconds_sum")
    ]
    assert sums
    assert min(sums) >= 0
    return sum(sums)
