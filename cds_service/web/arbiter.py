"""gunicorn's master process, which goes on whatever becomes of a worker.

gunicorn gives up when a worker cannot be started: right at the first start, where the reason is
told and lasts, and wrong later, when a full disk would end a service that answers.
"""

from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from cds_service import logs
from cds_service.live import scratch


class LastingArbiter(Arbiter):
    """Tries again in its next round (a second later) what the system could not do."""

    def spawn_worker(self) -> Any:
        """A new worker, or none at this moment. Its sign of life is a file."""
        place = scratch.roomy()
        self.cfg.set("worker_tmp_dir", str(place) if place else None)
        try:
            return super().spawn_worker()  # type: ignore[no-untyped-call]
        except OSError as error:  # of the master: no room, no process, no handle
            logs.logger().error("worker not started", **logs.describe_exception(error))
            return None

    def reap_workers(self) -> None:
        """Bury the dead. As long as one answers, a worker that could not start ends nothing."""
        try:
            super().reap_workers()  # type: ignore[no-untyped-call]
        except HaltServer as halt:
            if not self.WORKERS:
                raise
            logs.logger().error("worker not started", reason=halt.reason)
