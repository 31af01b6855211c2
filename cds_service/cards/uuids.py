"""Random uuids, made from the system's randomness in larger portions.

Every card and every suggestion has one, and a call to the system for each took longer than
composing the card on some machines.
"""

import os
import threading
from uuid import UUID

PORTION = 4096  # bytes: 256 uuids
_lock = threading.Lock()
_waiting = bytearray()


def new_uuid() -> str:
    """A random uuid (version 4) that no other process or thread gets."""
    with _lock:
        if not _waiting:
            _waiting.extend(os.urandom(PORTION))
        random = bytes(_waiting[-16:])
        del _waiting[-16:]
    return str(UUID(bytes=random, version=4))


def _after_fork() -> None:
    # A child must not hand out what its parent hands out, nor wait for the parent's lock.
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _waiting.clear()


os.register_at_fork(after_in_child=_after_fork)
