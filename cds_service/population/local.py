"""The engine for one machine: sort the lines by patient on disk, then judge bucket by bucket.

Memory is bounded by the buckets under way; a run that was killed is taken up where it was.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from cds_service.population import spill
from cds_service.population.decide import Decider
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.pool import do_all
from cds_service.population.rows import LEFT_OUT, Row, batches
from cds_service.population.source import SourceFile, portions

GARBAGE = 200_000  # new containers until the collector looks
LINES_PART = 9999  # the part that says which lines were left out

Progress = Callable[[str, int, int], None]  # stage, done, of how many


def run(
    files: Sequence[SourceFile], plan: RunPlan, folder: RunFolder, jobs: int, progress: Progress
) -> None:
    """Write the rows of a source into the folder. Raises what a task raises; a process that is
    killed is replaced, and its task done again."""
    cut = portions(files)
    buckets = spill.buckets_for(sum(file.size for file in files))
    folder.spill.mkdir(exist_ok=True)
    first = [
        partial(spill.spill, portion, number, folder.spill, buckets)
        for number, portion in enumerate(cut)
    ]
    do_all(first, jobs, partial(progress, "reading"))
    second = [
        partial(_judge, plan, folder.root, number)
        for number in range(buckets)
        if not folder.has_part(number)
    ]
    done = buckets - len(second)
    do_all(second, jobs, lambda n, of: progress("judging", n + done, of + done))
    if not folder.has_part(LINES_PART):
        folder.write_part(LINES_PART, batches(_left_out(folder.spill)))


def _left_out(folder: Path) -> Iterator[Row]:
    for reason, count in sorted(spill.left_out(folder).items()):
        yield Row(LEFT_OUT, outcome=reason, count=count)


def _judge(plan: RunPlan, root: Path, number: int) -> None:
    gc.set_threshold(GARBAGE)  # charts are made by the thousand and hold no circles
    folder = RunFolder(root)
    decider = _decider(plan, folder.spill)
    folder.write_part(number, batches(decider.rows(spill.read_bucket(folder.spill, number))))


_known: dict[tuple[RunPlan, Path], Decider] = {}  # one for each process: packs load once


def _decider(plan: RunPlan, spilled: Path) -> Decider:
    if (plan, spilled) not in _known:
        _known.clear()
        _known[plan, spilled] = Decider(plan, spill.read_medications(spilled))
        gc.collect()
        gc.freeze()
    return _known[plan, spilled]
