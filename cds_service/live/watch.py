"""Watches a site's folder and puts a changed one in force once it has been found good.

One small thread a worker looks every two seconds at the times and sizes of the files. A change
waits until the folder has been quiet for one look, is copied, judged (by a child process, for all
workers of the server once) and loaded from the copy. Whatever goes wrong, the pack in force stays.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cds_service import clock, logs
from cds_service.errors import PackError, Problem
from cds_service.live.shelf import Shelf
from cds_service.live.snapshot import Snapshot, Stamp, stamp, take
from cds_service.ruletests.site_verdict import Verdict

LOOK_EVERY = 2.0  # seconds
HANGS = 180.0  # seconds after which a look is called one that hangs; a judge may take 120
INTERRUPTED = "L002"  # this verdict is about the machine, not about the files

Judge = Callable[[Path, str], Verdict]  # a copy of the folder, the digest of its content
Apply = Callable[[Path, Verdict], None]  # load the copy and put it in force; may raise PackError
Reject = Callable[[Verdict], None]
Keep = Callable[[], None]  # the folder is again what is in force


class SiteWatch:
    """Decides about one site's folder. `content` is the digest of what is in force at the start."""

    def __init__(
        self,
        site: Path,
        content: str,
        make_shelf: Callable[[], Shelf],
        *,
        judge: Judge,
        apply: Apply,
        reject: Reject,
        keep: Keep,
    ) -> None:
        self._site = site
        self._content = content
        self._refused = ""
        self._put_off = ""  # what could not be judged yet, and was told
        self._seen: Stamp | None = None
        self._settled: Stamp | None = None
        self._make_shelf = make_shelf
        self._shelf: Shelf | None = None
        self._judge, self._apply, self._reject, self._keep = judge, apply, reject, keep
        self._started_in = 0  # process id: a thread does not survive a fork
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._looking: float | None = None  # since when, while a look is under way
        os.register_at_fork(after_in_child=self._after_fork)

    def start(self) -> bool:
        """Start looking in this process; False if it does already."""
        if self._started_in == os.getpid():
            return False
        with self._starting:
            if self._started_in == os.getpid():
                return False
            self._started_in = os.getpid()
        self._guarded(self._catch_up)
        threading.Thread(target=self._run, name="site-watch", daemon=True).start()
        return True

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    @property
    def hangs(self) -> bool:
        """Whether the folder can neither be read nor be said to be unreadable."""
        since = self._looking
        return since is not None and clock.monotonic() - since > HANGS

    @property
    def shelf(self) -> Shelf | None:
        """What the workers share; made by the worker itself, never before a fork. None where no
        folder can be made."""
        if self._shelf is None or not self._shelf.usable:
            try:
                self._shelf = self._make_shelf()
            except OSError:
                self._shelf = None
        return self._shelf

    def look(self) -> None:
        """One look: nothing, or a decision about a folder that has come to rest."""
        now = stamp(self._site)
        if now == self._settled:
            return
        if now != self._seen:  # somebody is at work: wait until it is quiet
            self._seen = now
            return
        if self._decide(take(self._site)):
            self._settled = now

    def _decide(self, snapshot: Snapshot) -> bool:
        """Whether the matter is settled until the folder changes again."""
        if snapshot.content == self._content:
            self._refused = self._put_off = ""
            self._keep()
        elif snapshot.content != self._refused:
            try:
                verdict = self._judged(snapshot)
            except OSError as error:
                self._wait_for_room(snapshot.content, error)
                return False
            self._put_off = ""
            if verdict.problems:
                self._refuse(verdict)
            else:
                self._put_in_force(verdict)
        return True

    def _judged(self, snapshot: Snapshot) -> Verdict:
        """What the judge says. Raises OSError where there is no room for a copy."""
        if snapshot.folder.problems:  # they would not be seen in the copy
            return Verdict(snapshot.content, "", tuple(snapshot.folder.problems))
        shelf = self._shelf_needed()
        with shelf.alone():
            known = shelf.verdict(snapshot.content)
            copy = shelf.copy(snapshot)
            if known:
                return known
            verdict = self._judge(copy, snapshot.content)
            verdict = _renamed(verdict, copy, self._site)
            if not any(problem.code == INTERRUPTED for problem in verdict.problems):
                shelf.put_verdict(verdict)
            return verdict

    def _shelf_needed(self) -> Shelf:
        shelf = self.shelf
        if shelf is None:
            raise OSError("no temporary folder")
        return shelf

    def _wait_for_room(self, content: str, error: OSError) -> None:
        """A change that cannot be judged now is looked at again, and told of once."""
        if self._put_off == content:
            return
        self._put_off = content
        message = f"The change cannot be judged: no copy can be made ({error.strerror or error})."
        hint = "Make room in the temporary folder; it is tried again every two seconds."
        problem = Problem(str(self._site), 1, 1, "$", INTERRUPTED, message, hint)
        self._refuse(Verdict(content, "", (problem,)))
        self._refused = ""

    def _put_in_force(self, verdict: Verdict) -> None:
        copy = self._shelf_needed().root / "sites" / verdict.content
        try:
            self._apply(copy, verdict)
        except PackError as error:
            refusal = Verdict(verdict.content, verdict.revision, tuple(error.problems))
            self._refuse(_renamed(refusal, copy, self._site))
            return
        self._content, self._refused = verdict.content, ""
        logs.logger().info("pack in force", revision=verdict.revision)

    def _refuse(self, verdict: Verdict) -> None:
        self._refused = verdict.content
        self._reject(verdict)
        first = verdict.problems[0]
        place = f"{first.file}:{first.line}:{first.column} {first.code}"
        logs.logger().error(
            "pack refused", revision=verdict.revision, problems=len(verdict.problems), hint=place
        )

    def _catch_up(self) -> None:
        """A worker that was started late runs what the others run, even if the folder is broken."""
        good = self.shelf.last_good() if self.shelf else None
        if good and good.content != self._content:
            self._put_in_force(good)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            self._guarded(self.look)

    def _guarded(self, work: Callable[[], None]) -> None:
        """The thread must live: without it no later change would be seen. And a worker whose site
        folder cannot be looked at still answers."""
        self._looking = clock.monotonic()
        try:
            work()
        except Exception as error:
            logs.logger().error("site watch failed", **logs.describe_exception(error))
        finally:
            self._looking = None

    def _after_fork(self) -> None:
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._shelf = self._looking = None


def _renamed(verdict: Verdict, copy: Path, site: Path) -> Verdict:
    """Problems named as the administrator knows the files, not by the copy's place."""

    def renamed(problem: Problem) -> Problem:
        fields: dict[str, Any] = {
            name: getattr(problem, name) for name in Problem.__dataclass_fields__
        }
        fields["file"] = problem.file.replace(str(copy), str(site))
        fields["message"] = problem.message.replace(str(copy), str(site))
        return Problem(**fields)

    return Verdict(verdict.content, verdict.revision, tuple(map(renamed, verdict.problems)))
