"""When Python looks for garbage: rarely, because a call leaves none behind.

Parsing makes tens of thousands of objects that hold others, which is what the collector counts.
None of them refer to each other in a circle, so each is let go as soon as nobody needs it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New containers, less those that are gone, before the collector looks: far more than one large
# call has at a time, and some 20 MB if all of them were garbage.
PATIENCE = 200_000


@contextmanager
def loading() -> Iterator[None]:
    """While everything is loaded: nothing of it is garbage, so looking only delays the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Once everything is loaded: forget what is there for good, and look rarely from now on.

    With the pack among the objects to look at, each full collection would walk it again, and
    reading a large body would take three times as long.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(PATIENCE, 10, 10)
