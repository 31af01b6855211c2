"""One line of a Bulk Data export or one entry of a Bundle: whose it is, and whether it is read.

Only the head of a line is decoded here; all of it must still be JSON.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import orjson

from cds_service.protocol import identity
from cds_service.protocol.entries import Entry, entry_of
from cds_service.protocol.raw import NOTHING, Raw, encoded

Json = Any

_MOST_REMEMBERED = 100_000  # references to patients, as sent
NOT_JSON = "not JSON"
NOT_FHIR = "no resourceType"
NO_PATIENT = "names no patient"
NO_ID = "a Patient without an id"

# What a service reads. Other types are counted and passed over before anything else is done.
READ = frozenset(
    {
        "Patient",
        "Encounter",
        "Condition",
        "Observation",
        "Procedure",
        "DiagnosticReport",
        "MedicationRequest",
        "MedicationStatement",
        "MedicationAdministration",
        "MedicationDispense",
        "ServiceRequest",
        "QuestionnaireResponse",
        "Medication",
    }
)


class Record(NamedTuple):
    """A resource and the patient whose it is ("" for a Medication, which is everybody's)."""

    patient: str
    id: str  # of the resource
    url: str  # fullUrl of a Bundle entry, else ""
    line: bytes  # the resource, JSON on one line


class _Reference(msgspec.Struct):
    reference: str = ""


class _Head(msgspec.Struct):
    resourceType: str = ""
    id: str = ""
    subject: _Reference | None = None
    patient: _Reference | None = None


_HEAD = msgspec.json.Decoder(_Head)


def read_line(line: bytes, counts: Counter[str]) -> Record | None:
    """The record of a line; None where it is not read, which `counts` tells by reason."""
    head: _Head | None
    try:
        head = _HEAD.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            resource = orjson.loads(line)
        except orjson.JSONDecodeError:
            counts[NOT_JSON] += 1
            return None
        head = _head_of(resource) if isinstance(resource, dict) else None
    if head is None or not head.resourceType:
        counts[NOT_FHIR] += 1
        return None
    return _record(head, "", line, counts)


def entry_of_line(line: bytes, url: str, counts: Counter[str]) -> Entry | None:
    """The resource of a line; None where it is none, which `counts` tells by reason."""
    entry = entry_of(Raw(line), encoded(url) if url else NOTHING) if _is_utf8(line) else None
    if entry is None:
        counts[NOT_FHIR if _is_json(line) else NOT_JSON] += 1
    return entry


def _is_utf8(line: bytes) -> bool:
    if line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def read_bundle(content: Json, counts: Counter[str]) -> Iterator[Record]:
    """The records of a Bundle. A URN that names a Patient entry stands for that patient."""
    entries = content.get("entry") if isinstance(content, dict) else None
    resources: list[tuple[str, dict[str, Json]]] = []
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            counts[NOT_FHIR] += 1
            continue
        url = entry.get("fullUrl")
        resources.append((url if isinstance(url, str) else "", resource))
    yield from _owned(resources, counts)


def _owned(
    resources: Sequence[tuple[str, dict[str, Json]]], counts: Counter[str]
) -> Iterator[Record]:
    people = {
        url: _text(resource.get("id")) or url.rpartition(":")[2]
        for url, resource in resources
        if resource["resourceType"] == "Patient"
    }
    everybody = tuple(dict.fromkeys(people.values()))
    for url, resource in resources:
        if resource["resourceType"] == "Medication":  # of a transaction: known by its URN alone
            line = orjson.dumps(resource)
            name = _text(resource.get("id"))
            yield from (Record(patient, name, url, line) for patient in everybody)
            continue
        if resource["resourceType"] == "Patient" and not resource.get("id"):
            resource = {**resource, "id": people[url]}
        head = _head_of(resource)
        if head.subject and head.subject.reference in people:
            head.subject.reference = f"Patient/{people[head.subject.reference]}"
        if head.patient and head.patient.reference in people:
            head.patient.reference = f"Patient/{people[head.patient.reference]}"
        record = _record(head, url, orjson.dumps(resource), counts)
        if record is not None:
            yield record


def unread(kind: str) -> str:
    """The reason for which a type is passed over."""
    return f"not read: {kind[:40]}"


@lru_cache(maxsize=_MOST_REMEMBERED)
def patient_id(reference: str) -> str:
    """The id in a reference to a Patient: relative, absolute, with a version, or a URN; "" else."""
    if reference.startswith("urn:"):
        return reference.rpartition(":")[2]
    return identity.id_in(reference, "Patient")


def _record(head: _Head, url: str, line: bytes, counts: Counter[str]) -> Record | None:
    if head.resourceType not in READ:
        counts[unread(head.resourceType)] += 1
        return None
    if head.resourceType == "Medication":
        return Record("", head.id, url, line)
    if head.resourceType == "Patient":
        if head.id:
            return Record(head.id, head.id, url, line)
        counts[NO_ID] += 1
        return None
    owner = head.subject or head.patient
    patient = patient_id(owner.reference) if owner else ""
    if not patient:
        counts[NO_PATIENT] += 1
        return None
    return Record(patient, head.id, url, line)


def _head_of(resource: dict[str, Json]) -> _Head:
    subject, patient = (_reference(resource.get(name)) for name in ("subject", "patient"))
    return _Head(_text(resource.get("resourceType")), _text(resource.get("id")), subject, patient)


def _reference(value: Json) -> _Reference | None:
    return _Reference(_text(value.get("reference"))) if isinstance(value, dict) else None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
