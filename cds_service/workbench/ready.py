"""Patients to begin with, made up for the workbench; dates count back from today."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from cds_service.errors import ServiceError
from cds_service.rules.model import Pack
from cds_service.workbench.chart import ChartState
from cds_service.workbench.imports import of_sketch

Json = Any


@dataclass(frozen=True)
class Ready:
    """One patient; `chart` is a sketch as in the tests of rules."""

    id: str
    title: str
    about: str
    chart: Json


@lru_cache(1)
def patients() -> tuple[Ready, ...]:
    """All of them, in their order."""
    content = (files("cds_service") / "workbench/patients.json").read_bytes()
    return tuple(Ready(**entry) for entry in orjson.loads(content))


def chart_of(name: str, pack: Pack, now: datetime) -> ChartState:
    """The chart of one. Raises ServiceError 404."""
    for patient in patients():
        if patient.id == name:
            return of_sketch(patient.chart, pack, now)
    raise ServiceError(404, "not-found", "No ready patient has this id.", "not-found")
