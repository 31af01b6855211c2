"""How far a long run has come, for who waits and for who takes it up again."""

import sys
from collections.abc import Iterator

EVERY = 10_000


def told(first: int, count: int) -> Iterator[int]:
    """The numbers of a run; each ten-thousandth is printed (seen with `pytest -s`)."""
    for number in range(first, first + count):
        yield number
        done = number + 1 - first
        if done % EVERY == 0:
            print(f"{done} of {count}, numbers {first} to {number}", file=sys.stderr, flush=True)
