"""Many tasks in processes of their own; a process that is killed is replaced.

How many processes: `--jobs` of `cds population run`, by default one a processor
(`cli/population.py`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from cds_service.errors import ConfigurationError

T = TypeVar("T")

ATTEMPTS = 3  # in a row of which no task came through, as a process was killed
KILLED = f"Processes of the run were killed, {ATTEMPTS} times in a row."
HINT = "There may be too little memory: use fewer --jobs."
_LOG = logging.getLogger(__name__)


def do_all(
    tasks: Sequence[Callable[[], T]], jobs: int, progress: Callable[[int, int], None]
) -> list[T]:
    """What each task gives, in the order of the tasks; in processes of their own where there are
    several. `progress` is told how many are done, and of how many. Raises what a task raises, and
    ConfigurationError where processes are killed again and again.
    """
    if jobs <= 1 or len(tasks) < 2:
        return list(_one_by_one(tasks, progress))
    done: dict[int, T] = {}
    fruitless = 0
    while len(done) < len(tasks):
        before = len(done)
        _attempt(tasks, done, jobs, progress)
        fruitless = 0 if len(done) > before else fruitless + 1
        if fruitless == ATTEMPTS:
            raise ConfigurationError(KILLED, HINT)
    return [done[number] for number in range(len(tasks))]


def _one_by_one(
    tasks: Sequence[Callable[[], T]], progress: Callable[[int, int], None]
) -> Iterator[T]:
    for number, task in enumerate(tasks):
        progress(number, len(tasks))
        yield task()
    progress(len(tasks), len(tasks))


def _attempt(
    tasks: Sequence[Callable[[], T]],
    done: dict[int, T],
    jobs: int,
    progress: Callable[[int, int], None],
) -> None:
    """Do what is not done yet; what a killed process had under way stays undone."""
    spawn = get_context("spawn")  # a fork would copy the locks of other threads
    with ProcessPoolExecutor(jobs, spawn) as pool:
        futures = {
            pool.submit(task): number for number, task in enumerate(tasks) if number not in done
        }
        killed = False
        for future in as_completed(futures):
            try:
                done[futures[future]] = future.result()
            except BrokenProcessPool:  # as all say that were not done by then
                killed = True
            else:
                progress(len(done), len(tasks))
    if killed:
        _LOG.warning("A process was killed; what it had under way is done again.")
