"""The engine for one machine: sort the lines by patient on disk, then judge bucket by bucket.

Memory is bounded by the buckets under way; a run that was killed is taken up where it was.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cds_service.population import bucket, packets, spill
from cds_service.population.output import LINES_PART, RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.pool import do_all
from cds_service.population.rows import batches, lines_left_out
from cds_service.population.source import SourceFile, portions

Progress = Callable[[str, int, int], None]  # stage, done, of how many


def run(
    files: Sequence[SourceFile], plan: RunPlan, folder: RunFolder, jobs: int, progress: Progress
) -> None:
    """Write the rows of a source into the folder. Raises what a task raises; a process that is
    killed is replaced, and its task done again."""
    cut = portions(files)
    buckets = packets.buckets_for(sum(file.size for file in files), spill.MOST_BUCKETS)
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
        folder.write_part(LINES_PART, batches(lines_left_out(spill.left_out(folder.spill))))


def _judge(plan: RunPlan, root: Path, number: int) -> None:
    folder = RunFolder(root)
    task = bucket.Task(str(root), plan, partial(spill.read_medications, folder.spill))
    bucket.judge(task, folder, number, spill.read_bucket(folder.spill, number))
