"""One patient's entries, sorted only once by type, by code, by time and by what templates ask for.

Of an entry the head is read (`protocol.entries`), and the body when somebody asks for it: of three
quarters of a chart nobody does. However often a chart is opened, each entry is read once.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from cds_service.gather import prefetch
from cds_service.gather.prefetch import Reading
from cds_service.gather.subject import Subject
from cds_service.population.recorded import BEGINNING, day_of, recorded_at
from cds_service.protocol.entries import Entries, Entry, Resource, Sent, entry_of, value_of
from cds_service.protocol.raw import Raw, decoded, text, word
from cds_service.terminology.code_systems import CodeSystems

Code = tuple[str, str]  # system, code
Asked = tuple[CodeSystems, str]  # a template, or a type, as a pack understands it

_OTHERS = (
    "Medication", "MedicationAdministration", "MedicationDispense", "QuestionnaireResponse",
    "DiagnosticReport",
)  # fmt: skip
_MOST_REMEMBERED = 20_000  # concepts as sent


class Query(NamedTuple):
    """A prefetch template, read. None: any status, any code."""

    kind: str
    instance: bool
    statuses: frozenset[str] | None
    codes: frozenset[Code] | None


class _Dated(NamedTuple):
    """Entries in the order in which they were recorded, those without a date first."""

    entries: Sequence[Entry]
    moments: Sequence[datetime]

    def until(self, at: datetime) -> Sequence[Entry]:
        return self.entries[: bisect_right(self.moments, at)]


class PatientChart:
    """One patient's part of a source. What its methods give is kept, and must not be changed."""

    def __init__(self, patient_id: str, entries: Sequence[Entry]) -> None:
        self.patient_id = patient_id
        self.entries = entries
        self._asked: dict[Asked, Sequence[Entry]] = {}  # by template
        self._dated: dict[Asked | str, _Dated] = {}  # by template, or by type
        self._readings: dict[tuple[Asked, int], Reading] = {}  # by template and number of entries
        self._codes: dict[Asked, Mapping[Code, Sequence[int]]] = {}  # by type

    def opened_at(self) -> datetime | None:
        """The end of the day of the last visit, else of the newest entry; None without a date."""
        visits = [day_of(visit) for visit in self.resources("Encounter")]
        newest = max(visits, default="") or max(map(day_of, self.resources()), default="")
        if not newest:
            return None
        return datetime.combine(date.fromisoformat(newest), time(23, 59), UTC)

    def resources(self, kind: str = "") -> Iterator[Resource]:
        """The resources, or those of one type."""
        for entry in self.of_type(kind) if kind else self.entries:
            yield entry.body

    def of_type(self, kind: str) -> Sequence[Entry]:
        """The entries whose resource is of one type."""
        return self._by_type.get(kind, ())

    def asked(self, template: str, systems: CodeSystems) -> Sequence[Entry]:
        """The entries that a prefetch template asks for, whatever their date."""
        key = systems, template
        if key not in self._asked:
            self._asked[key] = self._matches(query_of(template), systems)
        return self._asked[key]

    def answer(
        self,
        template: str,
        systems: CodeSystems,
        until: datetime | None = None,
        without: Collection[int] = (),
    ) -> Reading:
        """What an EHR would send for a prefetch template that asks for several: all, or what was
        recorded by a moment. `without` leaves out entries by identity."""
        key = systems, template
        entries = self.asked(template, systems)
        if until is not None:
            entries = self._by_time(key, entries).until(until)
        if without:
            return prefetch.listed([entry for entry in entries if id(entry) not in without])
        return self._reading(key, entries)

    def others(self, until: datetime | None = None) -> Reading | None:
        """What no template asks for and a call may carry all the same; None without any."""
        unasked: list[Entry] = []
        for kind in self._others:
            entries = self.of_type(kind)
            unasked += entries if until is None else self._by_time(kind, entries).until(until)
        return prefetch.listed(unasked) if unasked else None

    @cached_property
    def person(self) -> Reading:
        """The Patient, as a call has it."""
        patients = self.of_type("Patient")
        own = (patient for patient in patients if text(patient.head.id) == self.patient_id)
        return self.single(next(own))

    @cached_property
    def last_visit(self) -> Reading:
        """The Encounter of the newest day, as a call has it."""
        visits = self.of_type("Encounter")
        return self.single(max(visits, key=lambda visit: day_of(visit.body), default=None))

    def single(self, entry: Entry | None) -> Reading:
        """A resource by itself, as a call has it: without the address that a Bundle gives it."""
        alone = entry if entry is None or not entry.url else entry_of(entry.raw)
        return prefetch.single(alone)

    def _reading(self, asked: Asked, entries: Sequence[Entry]) -> Reading:
        """The first entries of a template are always the same: one reading for all who ask."""
        key = asked, len(entries)
        if key not in self._readings:
            self._readings[key] = prefetch.listed(entries)
        return self._readings[key]

    def _by_time(self, name: Asked | str, entries: Sequence[Entry]) -> _Dated:
        dated = self._dated.get(name)
        if dated is None:
            pairs = [(recorded_at(entry.body) or BEGINNING, entry) for entry in entries]
            pairs.sort(key=lambda pair: pair[0])
            dated = _Dated([entry for _, entry in pairs], [moment for moment, _ in pairs])
            self._dated[name] = dated
        return dated

    def _matches(self, query: Query, systems: CodeSystems) -> Sequence[Entry]:
        entries = self.of_type(query.kind)
        if query.codes is not None:
            entries = [
                entries[number] for number in self._coded((systems, query.kind), query.codes)
            ]
        if query.statuses is None:
            return entries
        return [entry for entry in entries if word(entry.head.status) in query.statuses]

    def _coded(self, kind: Asked, codes: frozenset[Code]) -> Iterable[int]:
        """Which entries of a type have one of the codes, ascending."""
        by_code = self._by_code(kind)
        return sorted({number for code in by_code.keys() & codes for number in by_code[code]})

    def _by_code(self, kind: Asked) -> Mapping[Code, Sequence[int]]:
        if kind not in self._codes:
            by_code: dict[Code, list[int]] = {}
            for number, entry in enumerate(self.of_type(kind[1])):
                for code in _codes_of(bytes(entry.head.code), kind[0]):
                    by_code.setdefault(code, []).append(number)
            self._codes[kind] = by_code
        return self._codes[kind]

    @cached_property
    def _others(self) -> Sequence[str]:
        return [kind for kind in _OTHERS if kind in self._by_type]

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Entry]]:
        by_type: dict[str, list[Entry]] = {}
        for entry in self.entries:
            by_type.setdefault(entry.kind, []).append(entry)
        return by_type


def charts_of(bundle: Raw) -> list[PatientChart]:
    """A chart for each Patient with an id in a Bundle; none for anything else."""
    value = value_of(bundle)
    if value is None or not isinstance(value.entry, list):
        return []
    read = Entries(value.entry, Sent(value, bundle), "entry")
    entries = [entry for entry in read if entry is not None]
    patients = [entry for entry in entries if entry.kind == "Patient"]
    people = {patient.url: patient for patient in patients}
    ids = [text(patient.head.id) for patient in patients]
    return [_chart(patient_id, entries, people) for patient_id in ids if patient_id]


def _chart(patient_id: str, entries: Sequence[Entry], people: Mapping[str, Entry]) -> PatientChart:
    subject = Subject(patient_id, lambda: people)
    return PatientChart(patient_id, [entry for entry in entries if subject.owns(entry)])


@lru_cache(maxsize=256)
def query_of(template: str) -> Query:
    """What a prefetch template asks for."""
    parts = urlsplit(template)
    kind, _, instance = parts.path.partition("/")
    asked = parse_qs(parts.query)
    statuses = frozenset(asked["status"][0].split(",")) if "status" in asked else None
    codes = None
    if "code" in asked:
        pairs = (token.rpartition("|") for token in asked["code"][0].split(","))
        codes = frozenset((system, code) for system, _, code in pairs)
    return Query(kind, bool(instance), statuses, codes)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _codes_of(concept: bytes, systems: CodeSystems) -> frozenset[Code]:
    """System and code of each coding of a concept as sent."""
    given = decoded(concept) if concept else None
    return frozenset((system, code) for system, code, _ in systems.codings(given))
