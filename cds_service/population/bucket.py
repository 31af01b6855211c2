"""One bucket of a source judged: the work that every engine hands to its processes.

A process keeps the pack of its run and what it learned of it, however many buckets it judges.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from cds_service.population.decide import Decider, Line
from cds_service.population.lines import Record
from cds_service.population.output import RunFolder
from cds_service.population.plan import RunPlan
from cds_service.population.rows import batches

GARBAGE = 200_000  # new containers until the collector looks

Medications = Callable[[], Mapping[str, bytes]]


class Task(NamedTuple):
    """What the buckets of a run have in common. `run` is a name that no other run has."""

    run: str
    plan: RunPlan
    medications: Medications  # asked once in each process


def judge(task: Task, folder: RunFolder, number: int, lines: Iterable[Line]) -> None:
    """Write the rows of a bucket, its lines sorted as `by_patient` gives them."""
    gc.set_threshold(GARBAGE)  # charts are made by the thousand and hold no circles
    folder.write_part(number, batches(_decider(task).rows(lines)))


def by_patient(records: Iterable[Record]) -> Iterator[Line]:
    """The lines sorted by patient; then by content, so that the order of files and of lines in the
    source decides nothing."""
    owned: dict[str, list[tuple[bytes, str]]] = {}
    for record in records:
        owned.setdefault(record.patient, []).append((record.line, record.url))
    for patient in sorted(owned):
        lines = owned.pop(patient)
        lines.sort()
        for line, url in lines:
            yield patient, url, line


def medications_of(records: Iterable[Record]) -> dict[str, bytes]:
    """The Medication resources by id; of two with one id the one that sorts first."""
    medications: dict[str, bytes] = {}
    for record in records:
        if record.line < medications.get(record.id, b"\xff"):
            medications[record.id] = record.line
    return medications


_known: dict[tuple[str, RunPlan], Decider] = {}  # one for each process: packs load once


def _decider(task: Task) -> Decider:
    key = task.run, task.plan
    if key not in _known:
        _known.clear()
        _known[key] = Decider(task.plan, task.medications())
        gc.collect()
        gc.freeze()
    return _known[key]
