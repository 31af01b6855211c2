"""Many tasks in processes of their own; a process that is killed is replaced."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")

ATTEMPTS = 3  # at a task whose process was killed


def do_all(
    tasks: Sequence[Callable[[], T]], jobs: int, progress: Callable[[int, int], None]
) -> list[T]:
    """What each task gives, in the order of the tasks; in processes of their own where there are
    several. `progress` is told how many are done, and of how many. Raises what a task raises.
    """
    if jobs <= 1 or len(tasks) < 2:
        return list(_one_by_one(tasks, progress))
    done: dict[int, T] = {}
    for attempt in range(ATTEMPTS):
        _attempt(tasks, done, jobs, progress, last=attempt == ATTEMPTS - 1)
        if len(done) == len(tasks):
            break
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
    *,
    last: bool,
) -> None:
    """Do what is not done yet; what a killed process had under way stays undone."""
    spawn = get_context("spawn")  # a fork would copy the locks of other threads
    with ProcessPoolExecutor(jobs, spawn) as pool:
        futures: dict[Future[T], int] = {
            pool.submit(task): number for number, task in enumerate(tasks) if number not in done
        }
        pending = set(futures)
        while pending:
            ready, pending = wait(pending, return_when="FIRST_COMPLETED")
            for future in ready:
                try:
                    done[futures[future]] = future.result()
                except BrokenProcessPool:
                    if last:
                        raise
            progress(len(done), len(tasks))
