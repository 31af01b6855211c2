"""What the store promises, on SQLite and on a real PostgreSQL: schema, feedback, retention."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from cds_service.errors import ConfigurationError
from cds_service.protocol.model import Coding, FeedbackEntry
from cds_service.store import database, schema
from cds_service.store.purge import Retention
from cds_service.store.record import CardRecord, DecisionRecord, RuleFeedback
from cds_service.store.store import Store
from cds_service.store.tables import metadata

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CARD = "0b5c1f0e-6a3d-4a7b-9f0e-1d2c3b4a5968"
OTHER = "9d0d5ad1-96e5-4d0a-8cf0-1d2c3b4a5968"
WAIT = 10.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/cds.sqlite3"
    found: str = request.getfixturevalue("postgres").database()
    return found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    found = database.connect(url)
    yield found
    found.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    database.upgrade(url)
    opened = Store(url, Retention(calls=90, feedback=730))
    yield opened
    opened.close()


def run(engine: Engine, statement: str) -> list[Any]:
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return list(result) if result.returns_rows else []


def count(engine: Engine, table: str) -> int:
    [(found,)] = run(engine, f"SELECT count(*) FROM {table}")
    return int(found)


def alembic(engine: Engine, revision: str) -> None:
    """Migrate as far as `revision`."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def accepted(**changes: Any) -> FeedbackEntry:
    fields: dict[str, Any] = {"at": "2026-11-21T08:59:00Z", "suggestions": (OTHER,)}
    return FeedbackEntry(CARD, "accepted", **fields | changes)


def overridden(**changes: Any) -> FeedbackEntry:
    fields: dict[str, Any] = {
        "at": "2026-11-21T08:59:00Z",
        "reason": Coding("https://cds.example.org/reasons", "not-rls", "Words"),
    }
    return FeedbackEntry(CARD, "overridden", **fields | changes)


def decision(day: str = "2026-11-21", card: str = CARD) -> DecisionRecord:
    return DecisionRecord(
        service="review",
        day=day,
        pack_revision="abc",
        profile="seed-default",
        cards=(CardRecord(card, (("rls.low-ferritin", "1.0.0"), ("labs.low", "2.0.0"))),),
        outcomes={"rls.low-ferritin": "fires", "labs.low": "unknown"},
        versions={"rls.low-ferritin": "1.0.0", "labs.low": "2.0.0"},
        stages={"facts": 0.001, "rules": 0.0005},
    )


def recorded(store: Store, *records: DecisionRecord) -> None:
    for record in records:
        store.record(record)
    assert store.flush(WAIT)


class TestSchema:
    def test_the_program_knows_its_migrations(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        scripts = ScriptDirectory.from_config(config).walk_revisions()
        assert tuple(reversed([script.revision for script in scripts])) == schema.REVISIONS

    def test_the_migrations_make_the_tables_of_the_program(self, url: str, engine: Engine) -> None:
        assert database.upgrade(url) == ("", schema.REVISIONS[-1])
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_an_upgrade_keeps_what_is_there(self, url: str, engine: Engine) -> None:
        alembic(engine, "0001")
        run(engine, "INSERT INTO rule_days VALUES ('labs.low', '2026-11-21', 'fires', 7)")
        assert database.upgrade(url) == ("0001", schema.REVISIONS[-1])
        assert run(engine, "SELECT count FROM rule_days") == [(7,)]

    def test_a_database_of_before_the_first_release(self, url: str, engine: Engine) -> None:
        metadata.tables["feedback"].create(engine)
        metadata.tables["cards"].create(engine)
        for index in ("feedback_received", "cards_day"):
            run(engine, f"DROP INDEX {index}")
        run(engine, "CREATE TABLE schema_version (version INTEGER)")
        with pytest.raises(ConfigurationError, match="older"):
            Store(url)
        database.upgrade(url)
        Store(url).close()

    def test_a_second_upgrade_does_nothing(self, url: str) -> None:
        database.upgrade(url)
        assert database.upgrade(url) == (schema.REVISIONS[-1], schema.REVISIONS[-1])

    def test_many_at_once(self, url: str, engine: Engine) -> None:
        with ThreadPoolExecutor(4) as pool:
            before = sorted(pool.map(lambda _: database.upgrade(url)[0], range(4)))
        assert before == ["", *[schema.REVISIONS[-1]] * 3]
        assert run(engine, "SELECT version_num FROM alembic_version") == [(schema.REVISIONS[-1],)]

    def test_a_failed_upgrade_leaves_the_old_schema(self, url: str, engine: Engine) -> None:
        alembic(engine, "0001")
        run(engine, "CREATE TABLE calls (placeholder INTEGER)")  # in the way of 0002
        with pytest.raises(ConfigurationError):
            database.upgrade(url)
        run(engine, "DROP TABLE calls")
        with engine.connect() as connection:
            assert schema.state(connection) == (schema.State.OLDER, "0001")

    def test_a_start_refuses_an_older_schema_and_says_what_to_run(
        self, url: str, engine: Engine
    ) -> None:
        alembic(engine, "0001")
        with pytest.raises(ConfigurationError) as caught:
            Store(url)
        assert "older schema 0001" in caught.value.message
        assert "cds db upgrade" in caught.value.hint

    def test_a_newer_schema_is_refused_by_start_and_upgrade(self, url: str, engine: Engine) -> None:
        database.upgrade(url)
        run(engine, "UPDATE alembic_version SET version_num = '9999'")
        for attempt in (Store, database.upgrade):
            with pytest.raises(ConfigurationError, match="newer program"):
                attempt(url)

    def test_a_database_of_something_else_is_left_alone(self, url: str, engine: Engine) -> None:
        run(engine, "CREATE TABLE invoices (id INTEGER)")
        for attempt in (Store, database.upgrade):
            with pytest.raises(ConfigurationError, match="another program"):
                attempt(url)

    def test_an_empty_database_is_made_at_start_only_where_it_is_a_file(self, url: str) -> None:
        if url.startswith("sqlite"):
            Store(url).close()
        else:
            with pytest.raises(ConfigurationError, match="is empty"):
                Store(url)


class TestFeedback:
    def test_an_exact_repeat_is_stored_once(self, store: Store, engine: Engine) -> None:
        store.add_feedback("review", [accepted(), overridden()], NOW)
        store.add_feedback("review", [overridden(), accepted()], NOW)
        assert count(engine, "feedback") == 2

    def test_report(self, store: Store) -> None:
        recorded(store, decision())
        store.add_feedback("review", [accepted(), overridden()], NOW)
        reasons = {"not-rls": 1}
        assert store.report() == [
            RuleFeedback("labs.low", "2.0.0", 1, 1, 1, reasons),
            RuleFeedback("rls.low-ferritin", "1.0.0", 1, 1, 1, reasons),
        ]

    def test_export_names_the_heading_rule_and_what_was_done(self, store: Store) -> None:
        recorded(store, decision())
        store.add_feedback("review", [accepted()], NOW)
        store.add_feedback("review", [overridden(comment="Not so")], NOW, keep_text=True)
        first, second = store.export()
        assert (first.intervention, first.version, first.pack_revision) == (
            "rls.low-ferritin",
            "1.0.0",
            "abc",
        )
        assert (first.action, first.date, first.suggestions) == (
            "accepted",
            "2026-11-21T08:59:00Z",
            OTHER,
        )
        assert (second.reason_code, second.user_feedback) == ("not-rls", "Words; Not so")
        assert (first.user, first.location) == ("", "")

    def test_text_that_a_database_may_refuse(self, store: Store, engine: Engine) -> None:
        entry = overridden(comment="a\0b", at="2026-11-21T08:59:00." + "1" * 60 + "Z")
        store.add_feedback("review", [entry], NOW, keep_text=True)
        [(comment, at)] = run(engine, "SELECT user_comment, outcome_timestamp FROM feedback")
        assert (comment, at) == ("ab", "2026-11-21T08:59:00.111111+00:00")

    def test_times_are_kept_in_utc(self, store: Store, engine: Engine) -> None:
        store.add_feedback("review", [accepted()], datetime.fromisoformat("2026-11-21T00:30+02:00"))
        assert run(engine, "SELECT received FROM feedback") == [("2026-11-20T22:30:00+00:00",)]


def test_a_call_is_a_row_without_values(store: Store, engine: Engine) -> None:
    recorded(store, decision())
    [row] = run(engine, "SELECT * FROM calls")
    told = row._asdict()
    assert told.pop("id")
    assert told == {
        "day": "2026-11-21",
        "service": "review",
        "pack_revision": "abc",
        "profile": "seed-default",
        "outcomes": '{"rls.low-ferritin":["1.0.0","fires"],"labs.low":["2.0.0","unknown"]}',
        "cards": CARD,
        "parse_us": 0,
        "gather_us": 0,
        "facts_us": 1000,
        "rules_us": 500,
        "cards_us": 0,
    }


class TestRetention:
    def test_once_a_day_what_is_too_old_goes(self, store: Store, engine: Engine) -> None:
        old = (decision("2024-11-20", OTHER), decision("2026-08-22"), decision("2026-11-20"))
        recorded(store, *old, decision())
        days = "SELECT DISTINCT day FROM {} ORDER BY day"
        assert run(engine, days.format("calls")) == [("2026-11-20",), ("2026-11-21",)]
        assert run(engine, "SELECT DISTINCT card FROM cards") == [(CARD,)]
        assert run(engine, days.format("rule_days"))[0] == ("2026-08-22",)

    def test_a_clock_that_jumps_ahead_deletes_nothing(self, store: Store, engine: Engine) -> None:
        recorded(store, decision("2026-11-20"), decision("2026-11-21"))
        recorded(store, decision("2037-10-11"))
        recorded(store, decision("2026-11-22"))
        assert count(engine, "calls") == 4

    def test_feedback_and_its_card_go_together(self, store: Store, engine: Engine) -> None:
        recorded(store, decision("2026-11-01"))
        store.add_feedback("review", [accepted()], NOW)
        assert store.purge(date(2028, 11, 20)).cards == 0  # 719 days after the feedback
        assert [row.accepted for row in store.report()] == [1, 1]
        purged = store.purge(date(2028, 11, 22))
        assert (purged.feedback, purged.cards, purged.calls) == (1, 2, 0)

    def test_zero_keeps_for_ever(self, url: str, store: Store, engine: Engine) -> None:
        store.add_feedback("review", [accepted()], NOW)
        keeper = Store(url, Retention(calls=0, feedback=0))
        recorded(keeper, decision("2000-01-01"), decision())
        keeper.purge(date(2100, 1, 1))
        keeper.close()
        assert (count(engine, "calls"), count(engine, "feedback")) == (2, 1)

    def test_a_clock_that_goes_back_makes_nothing_older(self, store: Store, engine: Engine) -> None:
        recorded(store, decision("2026-11-21"))
        recorded(store, decision("2020-01-01"))
        recorded(store, decision("2026-11-21"))
        assert count(engine, "calls") == 3


def test_a_token_is_spent_once(store: Store) -> None:
    second = int(NOW.timestamp())
    assert store.spend_token("a" * 64, second + 300, second)
    assert not store.spend_token("a" * 64, second + 300, second)
    assert store.spend_token("b" * 64, second + 300, second)
