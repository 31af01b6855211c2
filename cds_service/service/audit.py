"""Who put which pack in force, when, from where, and what it changed: in the log and the database.

A person is known as far as the machine knows one: by the account that owns the file of the site's
folder that was written last. There is nothing of a patient in a pack.
"""

import os
import pwd
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import cds_service
from cds_service import logs
from cds_service.clock import Clock
from cds_service.errors import ServiceError
from cds_service.live.snapshot import stamp
from cds_service.rules.model import Pack
from cds_service.store.in_force import LONGEST_SERVER, LONGEST_WHO, InForce
from cds_service.store.store import Store

Describe = Callable[[Pack, Pack], Sequence[str]]  # what changes from one pack to another, in words
MOST_CHANGES = 500  # sentences that are kept of one change
MOST_LOGGED = 20

NOTHING = "nothing in the rules' content: files, or their order"


class Audit:
    """Records for one server; `site` is its folder of changes, None where it has none."""

    def __init__(self, store: Store, clock: Clock, site: Path | None, describe: Describe) -> None:
        self._store, self._clock, self._describe = store, clock, describe
        self._site = site
        place = site.resolve() if site else "shipped pack"
        self._server = f"{socket.gethostname()}:{place}"[:LONGEST_SERVER]
        self._waiting: list[InForce] = []

    def started(self, pack: Pack, shipped: Callable[[], Pack]) -> None:
        """A server starts with this pack. Nothing is written where it ended with the same.

        The pack before is gone by now, so what the site changed is told against the shipped one.
        """
        try:
            if self._store.last_revision(self._server) == pack.revision:
                return
        except ServiceError:
            _not_kept()
            return
        changes = self._describe(shipped(), pack) if self._site else ()
        self._put(self._entry(pack, "start", "shipped", changes))

    def changed(self, before: Pack, pack: Pack) -> None:
        """A running server changes over."""
        changes = self._describe(before, pack) or [NOTHING]
        self._put(self._entry(pack, "live", "before", changes))

    def _entry(self, pack: Pack, how: str, compared: str, changes: Sequence[str]) -> InForce:
        more = len(changes) - MOST_CHANGES
        kept = (*changes[:MOST_CHANGES], *([f"and {more} more"] if more > 0 else []))
        return InForce(
            server=self._server,
            since=self._clock.now().astimezone(UTC).isoformat(timespec="seconds"),
            revision=pack.revision,
            version=pack.version,
            program=cds_service.version(),
            profile=", ".join(pack.profiles),
            how=how,
            who=author(self._site)[:LONGEST_WHO],
            compared=compared,
            changes=kept,
        )

    def _put(self, entry: InForce) -> None:
        """Also what could not be written before, in its order."""
        self._waiting.append(entry)
        try:
            while self._waiting:
                if self._store.add_in_force(self._waiting[0]):
                    _log(self._waiting[0])
                self._waiting.pop(0)
        except ServiceError:
            _log(entry)
            _not_kept()


def author(site: Path | None) -> str:
    """The account that wrote the folder's newest file and when, or that runs the program."""
    files = [(written, path) for path, written, _, _ in stamp(site)] if site else []
    if not files:
        return f"{account(os.getuid())} (runs the service)"
    written, path = max(files)
    moment = datetime.fromtimestamp(written / 1e9, UTC).isoformat(timespec="seconds")
    try:
        owner = account(os.stat(path).st_uid)
    except OSError:  # it went just now
        owner = "unknown"
    return f"{owner} (wrote {Path(path).name} at {moment})"


def account(uid: int) -> str:
    """The name of an account, or its number where the machine has no name for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _log(entry: InForce) -> None:
    told = {
        "revision": entry.revision,
        "pack": entry.version,
        "profile": entry.profile,
        "reason": entry.how,
        "author": entry.who,
        "site": entry.server,
        "changes": list(entry.changes[:MOST_LOGGED]),
    }
    logs.logger().info("pack put in force", **told)


def _not_kept() -> None:
    hint = "It is tried again with the next change."
    logs.logger().warning("pack put in force, not stored", hint=hint)
