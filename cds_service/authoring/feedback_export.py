"""Feedback as tables that people take away: what the command line prints and the pages give."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from cds_service.store.record import Intervention

EXPORTED = tuple(field.name for field in fields(Intervention))
NOT_PROVIDED = "not provided"


def as_csv(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A header and one line for each of `lines`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in line] for line in lines)
    return out.getvalue()


def _inert(cell: Any) -> Any:
    """A spreadsheet runs what begins like a formula, and an EHR's text may."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell


def provided(row: Intervention) -> dict[str, str]:
    """A row with what was not provided said so (45 CFR 170.315(b)(11))."""
    return {name: value or NOT_PROVIDED for name, value in asdict(row).items()}
