"""The one door to the database."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.exc import SQLAlchemyError

from cds_service import logs
from cds_service.config import Settings
from cds_service.errors import ConfigurationError
from cds_service.protocol.model import FeedbackEntry
from cds_service.store import decisions, feedback, in_force, probe
from cds_service.store.activity import Activity, activity
from cds_service.store.database import open_engine
from cds_service.store.in_force import InForce
from cds_service.store.jti import SpentTokens
from cds_service.store.purge import Retention, days_follow, purge
from cds_service.store.record import DecisionRecord, Intervention, Purged, RuleFeedback
from cds_service.store.record_writer import FLUSH_SECONDS, Recorder


def retention(settings: Settings) -> Retention:
    """What the environment says of how long things are kept."""
    return Retention(calls=settings.keep_call_days, feedback=settings.keep_feedback_days)


class Store:
    """Feedback and decision records. Raises ConfigurationError when it cannot be opened.

    Whoever records calls also purges, once a day: `retention` says what is too old.
    """

    def __init__(self, url: str, retention: Retention | None = None) -> None:
        self._engine = open_engine(url)
        self._retention = retention or Retention()
        self._purged = ""  # the day of the last daily purge, ISO
        self._spent_tokens = SpentTokens(self._engine)
        self._recorder = Recorder(self._write_records, SQLAlchemyError)

    def add_feedback(
        self,
        service: str,
        entries: Sequence[FeedbackEntry],
        received: datetime,
        *,
        keep_text: bool = False,
    ) -> None:
        """Store all entries, on disk at return, or raise ServiceError 503 and store none."""
        feedback.store(self._engine, service, entries, received, keep_text)

    def record(self, record: DecisionRecord) -> None:
        """Queue a decision record; never waits and never fails."""
        self._recorder.put(record)

    def spend_token(self, digest: str, until: int, now: int) -> bool:
        """Whether a token is used for the first time; on record until the Unix second `until`.

        Raises ServiceError 503 when that cannot be known.
        """
        return self._spent_tokens.spend(digest, until, now)

    def report(self) -> list[RuleFeedback]:
        """What became of each rule's cards."""
        return feedback.report(self._engine)

    def activity(self, today: date) -> list[Activity]:
        """What rules did lately, and which have gone silent. Raises SQLAlchemyError."""
        return activity(self._engine, today)

    def export(self) -> list[Intervention]:
        """Every piece of feedback, oldest first."""
        return feedback.export(self._engine)

    def add_in_force(self, entry: InForce) -> bool:
        """Write that a server answers with another pack now; False where that is on record
        already. Raises ServiceError 503."""
        return in_force.add(self._engine, entry)

    def last_revision(self, server: str) -> str:
        """The pack that a server answered with last, or "". Raises ServiceError 503."""
        return in_force.last_revision(self._engine, server)

    def history(self) -> Sequence[InForce]:
        """Which pack was in force where, oldest first. Raises ServiceError 503."""
        return in_force.history(self._engine)

    def purge(self, today: date) -> Purged:
        """Delete what is older than the site wants to keep. Raises ConfigurationError."""
        try:
            return purge(self._engine, self._retention, today)
        except SQLAlchemyError as error:
            raise ConfigurationError(
                f"Nothing was deleted: {type(error).__name__}.", "Is the database there and free?"
            ) from error

    @property
    def dropped_records(self) -> int:
        """Decision records that this process could not write."""
        return self._recorder.dropped

    @property
    def waiting_records(self) -> int:
        """Decision records that this process has not written yet."""
        return self._recorder.waiting

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Wait for queued records; False if that took longer than `timeout` seconds."""
        return self._recorder.flush(timeout)

    def problem(self, now: int) -> str:
        """Why a call or feedback would be refused at this moment (Unix second), or "". For
        /readyz; it writes."""
        return probe.problem(self._engine, now)

    def close(self) -> None:
        """Write what is queued and let go of the database."""
        self.flush()
        self._engine.dispose()

    def _write_records(self, records: Sequence[DecisionRecord]) -> None:
        decisions.write(self._engine, records)
        # The calls' own days, so that a clock which goes back never makes anything older.
        self._purge_daily(max(record.day for record in records))

    def _purge_daily(self, today: str) -> None:
        if today <= self._purged:
            return
        try:
            if not days_follow(self._engine, today):
                return
            self._purged = today
            purged = purge(self._engine, self._retention, date.fromisoformat(today))
        except SQLAlchemyError as error:
            logs.logger().warning("purge failed", **logs.describe_exception(error))
        else:
            logs.logger().info("purged", entries=purged.calls + purged.feedback)
