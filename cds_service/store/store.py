"""The one door to the database."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.protocol.model import FeedbackEntry
from cds_service.store import decisions, feedback, jti
from cds_service.store.database import open_engine
from cds_service.store.record import DecisionRecord, RuleFeedback
from cds_service.store.recorder import Recorder
from cds_service.store.tables import schema_version


class Store:
    """Feedback and decision records. Raises ConfigurationError when it cannot be opened."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._recorder = Recorder(
            lambda records: decisions.write(self._engine, records), SQLAlchemyError
        )

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

    def spend_token(self, digest: str, until: int) -> bool:
        """Whether a token is used for the first time; on record until the Unix second `until`.

        Raises ServiceError 503 when that cannot be known.
        """
        return jti.spend(self._engine, digest, until)

    def purge_tokens(self, now: int) -> None:
        """Forget tokens that no longer matter at `now`; tried again later when it fails."""
        with suppress(SQLAlchemyError):
            jti.purge(self._engine, now)

    def report(self) -> list[RuleFeedback]:
        """What became of each rule's cards."""
        return feedback.report(self._engine)

    @property
    def dropped_records(self) -> int:
        """Decision records that this process could not write."""
        return self._recorder.dropped

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait for queued records; False if that took longer than `timeout` seconds."""
        return self._recorder.flush(timeout)

    def problem(self) -> str:
        """Why the database cannot be used at this moment, or "". For /readyz."""
        try:
            with self._engine.connect() as connection:
                connection.execute(select(schema_version.c.version)).scalar()
        except SQLAlchemyError as error:
            return type(error).__name__
        return ""

    def close(self) -> None:
        """Write what is queued and let go of the database."""
        self.flush()
        self._engine.dispose()
