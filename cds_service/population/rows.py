"""The rows of a run, as Arrow: one schema for every engine.

`row` says what a row is: "chart" (a patient), "call" (one call of a service), "rule" (a rule that
was other than "no" in a call), "variant" (what another pack or another threshold says otherwise in
a call), "left-out" (lines and patients that were not taken, by reason).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import pyarrow as pa

CHART, CALL, RULE, VARIANT, LEFT_OUT = "chart", "call", "rule", "variant", "left-out"
PER_BATCH = 8192  # rows

_WORDS = pa.list_(pa.string())

SCHEMA = pa.schema(
    [
        ("row", pa.string()),
        ("patient", pa.string()),  # salted hash
        ("encounter", pa.string()),  # salted hash; "" without one
        ("clinician", pa.string()),  # salted hash; "" where the encounter names none
        ("site", pa.string()),  # salted hash of the encounter's organisation
        ("day", pa.date32()),  # of the encounter
        ("setting", pa.string()),  # class of the encounter
        ("sex", pa.string()),
        ("age_band", pa.string()),
        ("service", pa.string()),
        ("rule", pa.string()),
        ("version", pa.string()),
        ("outcome", pa.string()),  # fires, unknown, error; of a call: answered or refused
        ("reasons", _WORDS),  # why unknown, without values
        ("cards", pa.int32()),  # of a call; of a rule: those that it heads; of a variant: change
        ("shown", pa.int32()),  # of a rule: cards that it is part of
        ("indicator", pa.string()),  # the strongest of the cards counted
        ("facts", _WORDS),  # of a chart: facts for which it holds an entry
        ("variant", pa.string()),
        ("warnings", pa.int32()),  # of a variant: change of its warning and critical cards
        ("gains", _WORDS),  # of a variant: rules that speak only there
        ("loses", _WORDS),  # of a variant: rules that speak only in the pack of the run
        ("rules", _WORDS),  # of a call: those that are on its cards
        ("calls", pa.int32()),  # of this service for this patient, in the whole run
        ("count", pa.int64()),  # left-out: how many; of a chart: its encounters
    ]
)


class Row(msgspec.Struct):
    """One row; the fields are those of `SCHEMA`."""

    row: str
    patient: str = ""
    encounter: str = ""
    clinician: str = ""
    site: str = ""
    day: date | None = None
    setting: str = ""
    sex: str = ""
    age_band: str = ""
    service: str = ""
    rule: str = ""
    version: str = ""
    outcome: str = ""
    reasons: Sequence[str] = ()
    cards: int = 0
    shown: int = 0
    indicator: str = ""
    facts: Sequence[str] = ()
    variant: str = ""
    warnings: int = 0
    gains: Sequence[str] = ()
    loses: Sequence[str] = ()
    rules: Sequence[str] = ()
    calls: int = 0
    count: int = 0


def lines_left_out(counts: Mapping[str, int]) -> Iterator[Row]:
    """A row for each reason for which lines of the source were not taken."""
    for reason, count in sorted(counts.items()):
        yield Row(LEFT_OUT, outcome=reason, count=count)


def batches(rows: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    """The rows in batches of bounded size."""
    waiting: list[Row] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) >= PER_BATCH:
            yield _batch(waiting)
            waiting = []
    if waiting:
        yield _batch(waiting)


def _batch(rows: Sequence[Row]) -> pa.RecordBatch:
    columns: list[Any] = [
        pa.array([getattr(row, field.name) for row in rows], field.type) for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
