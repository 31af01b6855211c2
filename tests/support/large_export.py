"""A large Bulk Data export, made of independent charts where there are any (CDS_INDEPENDENT_DATA),
with all that goes wrong in one, and the counts that a run over it must give.

Every tenth of them has a complaint, a ferritin and a drug of the project's own: rules speak there.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.population.lines import READ
from cds_service.population.survey import chart_files, read_charts
from tests.support.population import chart, medication

Json = dict[str, Any]
ONE_IN = 1000  # lines, of which one is damaged
HUGE = 100_000  # resources of one patient
_OWNERS = ("subject", "patient")
_REFERENCES = ("medicationReference", "encounter")
_NEVER_DAMAGED = ("Patient", "Medication", "AllergyIntolerance")


@dataclass
class Expected:
    """What must come out: patients judged, and lines and patients left out, by reason."""

    charts: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@cache
def independent() -> Sequence[Sequence[Json]]:
    """The resources of each independent chart; none where the folder is not named."""
    named = os.environ.get("CDS_INDEPENDENT_DATA")
    if not named:
        return ()
    read = map(read_charts, chart_files([Path(named) / "patients"]))
    return [
        list(charts[0].resources())
        for charts in read
        if not isinstance(charts, str) and len(charts) == 1
    ]


def write_large(folder: Path, charts: int, *, huge: int = HUGE) -> Expected:
    """Write the export, one file a type; `huge` is the number of results of one more patient."""
    folder.mkdir(parents=True)
    expected = Expected(charts)
    with _Files(folder) as files:
        for number in range(charts):
            for resource in _spoiled(patient(number), expected):
                files.write(resource, expected)
        for resource in _others(huge, expected):
            files.write(resource, expected, damage=False)
    return expected


def patient(number: int) -> list[Json]:
    """One chart; those with an odd number refer to their patient by an absolute address."""
    sources = independent() or [[*chart(n), medication()] for n in range(100)]
    resources = renamed(sources[number % len(sources)], number)
    if independent() and number % 10 == 0:
        resources += renamed([_own(one) for one in (*chart(number)[1:], medication())], number)
    return resources


def _own(resource: Json) -> Json:
    """An entry of the project's own chart under an id that no other has."""
    copy = {**resource, "id": f"own-{resource['id']}"}
    for name in _REFERENCES:
        if name in copy:
            kind, _, identifier = copy[name]["reference"].partition("/")
            copy[name] = {"reference": f"{kind}/own-{identifier}"}
    return copy


def renamed(resources: Sequence[Json], number: int) -> list[Json]:
    """A copy that is another patient's; what its entries refer to is renamed with them."""
    base = "https://ehr.example/fhir/" if number % 2 else ""
    copies = []
    for resource in resources:
        copy = {**resource, "id": f"{resource.get('id', 'x')}-{number}"}
        if copy["resourceType"] == "Patient":
            copy["id"] = f"p{number}"
        for name in _OWNERS:
            if name in copy:
                copy[name] = {"reference": f"{base}Patient/p{number}"}
        for name in _REFERENCES:
            to = copy.get(name)
            if isinstance(to, dict) and isinstance(to.get("reference"), str):
                copy[name] = {**to, "reference": _moved(to["reference"], name, number)}
        copies.append(copy)
    return copies


def _moved(reference: str, name: str, number: int) -> str:
    if reference.startswith("#"):
        return reference
    kind = "Encounter" if name == "encounter" else "Medication"
    return f"{kind}/{reference.replace(':', '/').rpartition('/')[2]}-{number}"


def _spoiled(resources: Sequence[Json], expected: Expected) -> Iterator[Json]:
    """The lines of a chart, those counted that cannot be judged."""
    seen: set[str] = set()
    for resource in resources:
        kind = resource["resourceType"]
        if kind not in READ:
            expected.left_out[f"not read: {kind}"] += 1
        elif kind not in ("Patient", "Medication"):
            if not any(name in resource for name in _OWNERS):
                expected.left_out["names no patient"] += 1
            elif (line := json.dumps(resource)) in seen:
                expected.left_out["a line that is there twice"] += 1
            else:
                seen.add(line)
        yield resource


def _others(huge: int, expected: Expected) -> Iterator[Json]:
    """Two patients with one id, an orphan, and the patient with very many resources."""
    yield {"resourceType": "Patient", "id": "p0", "birthDate": "1901-01-01"}
    yield {"resourceType": "Condition", "id": "o", "subject": {"reference": "Patient/nobody"}}
    person, _, ferritin, *_ = chart(1)
    yield {**person, "id": "huge"}
    for number in range(huge):
        yield {**ferritin, "id": f"h{number}", "subject": {"reference": "Patient/huge"}}
    expected.charts -= 1
    expected.left_out["patients left out: two Patient resources with one id"] += 1
    expected.left_out["patients left out: entries without their Patient"] += 1
    expected.left_out["patients left out: too many resources"] += 1


class _Files:
    """A file for each type; every thousandth line that may be damaged is cut off."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}
        self._lines = 0

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._open.values():
            file.close()

    def write(self, resource: Json, expected: Expected, *, damage: bool = True) -> None:
        kind = resource["resourceType"]
        if kind not in self._open:
            self._open[kind] = (self._folder / f"{kind}.ndjson").open("w")
        line = json.dumps(resource)
        if damage and kind not in _NEVER_DAMAGED:
            self._lines += 1
            if self._lines % ONE_IN == 0:
                line = line[: len(line) // 2]
                expected.left_out["not JSON"] += 1
        self._open[kind].write(line + "\n")
