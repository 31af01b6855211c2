"""The store: durable, idempotent, free of patient data, never in the way of an answer."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import ConfigurationError, ServiceError
from cds_service.protocol.model import Coding, FeedbackEntry
from cds_service.store import database
from cds_service.store.record import CardRecord, DecisionRecord, RuleFeedback
from cds_service.store.record_writer import Recorder
from cds_service.store.store import Store

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CARD = "0b5c1f0e-6a3d-4a7b-9f0e-1d2c3b4a5968"
OTHER = "9d0d5ad1-96e5-4d0a-8cf0-1d2c3b4a5968"
COMMENT = "Mrs Example told me she has no cramps"
WAIT = 10.0


def accepted(card: str = CARD) -> FeedbackEntry:
    return FeedbackEntry(card, "accepted", "2026-11-21T08:59:00Z", suggestions=(OTHER,))


def overridden(card: str = CARD, code: str = "not-rls", **changes: Any) -> FeedbackEntry:
    reason = Coding("https://cds.legcramps.example/CodeSystem/override-reason", code, "Words")
    return FeedbackEntry(
        card, "overridden", "2026-11-21T08:59:00Z", reason=reason, comment=COMMENT, **changes
    )


def decision(card: str = CARD, **changes: Any) -> DecisionRecord:
    fields: dict[str, Any] = {
        "service": "review",
        "day": "2026-11-21",
        "pack_revision": "abc",
        "cards": (CardRecord(card, (("rls.low-ferritin", "1.0.0"),)),),
        "outcomes": {"rls.low-ferritin": "fires", "labs.low": "unknown"},
    }
    return DecisionRecord(**fields | changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cds.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{path}")
    yield opened
    opened.close()


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def everything(path: Path) -> str:
    tables = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type='table'")]
    return " ".join(str(rows(path, f"SELECT * FROM {name}")) for name in tables)


def test_feedback_is_on_disk_when_the_call_returns(store: Store, path: Path) -> None:
    store.add_feedback("review", [accepted()], NOW)
    assert rows(path, "SELECT card, service, outcome, suggestions FROM feedback") == [
        (CARD, "review", "accepted", OTHER)
    ]


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    engine = database.open_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_an_exact_repeat_is_stored_once(store: Store, path: Path) -> None:
    store.add_feedback("review", [accepted(), accepted()], NOW)
    store.add_feedback("review", [accepted()], NOW)
    assert rows(path, "SELECT count(*) FROM feedback") == [(1,)]


def test_a_later_outcome_for_the_same_card_is_stored_too(store: Store, path: Path) -> None:
    store.add_feedback("review", [accepted(), overridden()], NOW)
    assert rows(path, "SELECT count(*) FROM feedback") == [(2,)]


def test_free_text_is_not_stored(store: Store, path: Path) -> None:
    store.add_feedback("review", [overridden()], NOW)
    stored = everything(path)
    assert "not-rls" in stored
    assert "Example" not in stored
    assert "Words" not in stored


def test_free_text_is_stored_where_the_site_asks_for_it(store: Store, path: Path) -> None:
    store.add_feedback("review", [overridden()], NOW, keep_text=True)
    assert rows(path, "SELECT user_comment, reason_display FROM feedback") == [(COMMENT, "Words")]


def test_text_in_place_of_a_uuid_or_a_code_is_not_stored(store: Store, path: Path) -> None:
    store.add_feedback("review", [overridden("Jane Example", "Jane Example says no")], NOW)
    stored = everything(path)
    assert "Jane" not in stored
    assert "other" in stored


def test_feedback_joins_its_card(store: Store) -> None:
    store.record(decision())
    assert store.flush(WAIT)
    store.add_feedback("review", [overridden()], NOW)
    assert store.report() == [
        RuleFeedback("rls.low-ferritin", "1.0.0", 1, 0, 1, {"not-rls": 1}),
    ]


def test_feedback_that_comes_before_its_card_joins_later(store: Store) -> None:
    store.add_feedback("review", [accepted()], NOW)
    assert [row.rule for row in store.report()] == ["unknown"]
    store.record(decision())
    assert store.flush(WAIT)
    assert store.report() == [RuleFeedback("rls.low-ferritin", "1.0.0", 1, 1, 0, {})]


def test_the_uuids_letter_case_does_not_matter(store: Store) -> None:
    store.record(decision())
    assert store.flush(WAIT)
    store.add_feedback("review", [accepted(CARD.upper())], NOW)
    assert [row.accepted for row in store.report()] == [1]


def test_rules_are_counted_by_day_and_outcome(store: Store, path: Path) -> None:
    for _ in range(3):
        store.record(decision(cards=()))
    assert store.flush(WAIT)
    store.record(decision(cards=()))
    assert store.flush(WAIT)
    assert rows(path, "SELECT * FROM rule_days ORDER BY rule") == [
        ("labs.low", "2026-11-21", "unknown", 4),
        ("rls.low-ferritin", "2026-11-21", "fires", 4),
    ]


def test_a_locked_database_is_503_and_nothing_is_acknowledged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    store = Store(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ServiceError) as caught:
        store.add_feedback("review", [accepted()], NOW)
    other.execute("ROLLBACK")
    other.close()
    assert (caught.value.status, caught.value.code) == (503, "storage-unavailable")
    assert caught.value.retry_after
    store.add_feedback("review", [accepted()], NOW)
    assert rows(path, "SELECT count(*) FROM feedback") == [(1,)]


def test_a_full_disk_is_503_and_none_of_the_batch_is_stored(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    limit = "CREATE TRIGGER full BEFORE INSERT ON feedback WHEN NEW.outcome = 'overridden' "
    connection = sqlite3.connect(path)
    connection.execute(limit + "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    connection.commit()
    connection.close()
    with pytest.raises(ServiceError) as caught:
        store.add_feedback("review", [accepted(), overridden()], NOW)
    assert caught.value.status == 503
    assert rows(path, "SELECT count(*) FROM feedback") == [(0,)]


def test_readiness_names_the_error_and_no_more(store: Store, path: Path) -> None:
    assert store.problem(0) == ""
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE alembic_version")
    connection.commit()
    connection.close()
    assert store.problem(0) == "schema foreign"
    path.write_bytes(b"no database" * 1000)
    assert store.problem(0) == "DatabaseError"


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle://x", "sqlite:////no/such/folder/x.sqlite3", "foo:///x"]
)
def test_an_unusable_url_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Store(url)
    assert "CDS_DATABASE_URL" in caught.value.message + caught.value.hint


class TestRecorder:
    """The background writer, with a stand-in for the database."""

    def test_a_full_queue_drops_and_counts_and_never_waits(self) -> None:
        release, started = threading.Event(), threading.Event()

        def write(records: Any) -> None:
            started.set()
            release.wait(WAIT)

        recorder = Recorder(write, OSError, capacity=2, linger=0)
        recorder.put(decision())
        assert started.wait(WAIT)
        for _ in range(5):
            recorder.put(decision())
        assert recorder.dropped == 3
        release.set()
        assert recorder.flush(WAIT)

    def test_a_failing_write_is_tried_again(self) -> None:
        written: list[Any] = []
        failures = [OSError(), OSError()]

        def write(records: Any) -> None:
            if failures:
                raise failures.pop()
            written.extend(records)

        recorder = Recorder(write, OSError)
        recorder.put(decision())
        assert recorder.flush(WAIT)
        assert (len(written), recorder.dropped) == (1, 0)

    def test_what_cannot_be_written_is_counted(self) -> None:
        def write(records: Any) -> None:
            raise OSError

        recorder = Recorder(write, OSError)
        recorder.put(decision())
        assert recorder.flush(WAIT)
        assert recorder.dropped == 1

    def test_flush_without_records_returns_at_once(self) -> None:
        assert Recorder(lambda records: None, OSError).flush(0)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_writes_its_own_records(store: Store, path: Path) -> None:
    store.record(decision())
    assert store.flush(WAIT)
    child = os.fork()
    if child == 0:
        store.record(decision(OTHER))
        os._exit(0 if store.flush(WAIT) else 1)
    assert os.waitpid(child, 0)[1] == 0
    store.record(decision("11111111-2222-4333-8444-555555555555"))
    assert store.flush(WAIT)
    assert rows(path, "SELECT count(*) FROM cards") == [(3,)]
