"""What prefetch did not bring, read from the EHR's FHIR server (rows D15, F1 to F15).

`gather` hands over the keys that are missing and takes the readings as if they had been prefetched.
docs/decisions/0007-reading-from-the-fhir-server.md says what is read, and what is not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cds_service import clock, logs
from cds_service.facts.chart import Resource, Supply
from cds_service.gather import meter, references
from cds_service.gather.access import Access, Grant, Refusal, decide
from cds_service.gather.admission import Admission
from cds_service.gather.limits import LIMITS, Limits
from cds_service.gather.manners import Query, queries
from cds_service.gather.paging import KeyRead, Quota
from cds_service.gather.prefetch import Reading
from cds_service.gather.reader import Read, Reader
from cds_service.gather.trouble import Trouble
from cds_service.protocol.bundles import next_link
from cds_service.protocol.entries import Sent
from cds_service.protocol.model import HookRequest
from cds_service.protocol.raw import decoded

MEDICATIONS = "medications of the FHIR server"  # the key under which single Medications come

Adapt = Callable[[Sequence[Any]], None]

_admission = Admission()


@dataclass(frozen=True)
class Fetched:
    """Readings by key. `refusal` says why nothing was asked, "" where there was nowhere to ask."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    refusal: str = ""


class Fallback(Protocol):
    """Asks somewhere else for prefetch keys."""

    def fetch(
        self, request: HookRequest, wanted: Mapping[str, str], held: Iterable[Resource]
    ) -> Fetched:
        """Readings of the keys that could be asked for.

        `wanted` maps keys to their prefetch templates, with the tokens unresolved; `held` are the
        resources at hand, which may refer to others.
        """
        ...


class FhirFallback:
    """Reads from the FHIR server of the call, as far as the grant goes.

    `adapt` changes what was read in place, before anybody sees it: the EHR's dialect.
    """

    def __init__(
        self, grant: Grant, adapt: Adapt = lambda resources: None, limits: Limits = LIMITS
    ) -> None:
        self._grant = grant
        self._adapt = adapt
        self._limits = limits

    def fetch(
        self, request: HookRequest, wanted: Mapping[str, str], held: Iterable[Resource]
    ) -> Fetched:
        """Ask for all keys at once. Returns by the deadline, whatever the server does."""
        access = decide(request, self._grant)
        if isinstance(access, Refusal):
            return _refused(access) if wanted else Fetched()
        call = _Call(request, access, self._limits, self._adapt)
        reads = list(call.reads(wanted))
        more = list(call.medications(list(held), also_named=False))
        if not reads and not more:
            return Fetched()
        with _admission.enter(access.base) as admitted:
            if admitted:
                call.run([*reads, *more])
            else:
                call.turn_away(reads)
        return Fetched(call.readings())


class _Call:
    """The reads of one call."""

    def __init__(self, request: HookRequest, access: Access, limits: Limits, adapt: Adapt) -> None:
        self._adapt = adapt
        self._request = request
        self._access = access
        self._limits = limits
        self._deadline = clock.monotonic() + min(limits.deadline, access.seconds)
        self._quota = Quota(limits)
        self._keys: list[KeyRead] = []
        self._single: dict[str, KeyRead] = {}
        self._known: set[str] = set()

    def reads(self, wanted: Mapping[str, str]) -> Iterator[KeyRead]:
        """One read for each key whose template has all its values."""
        for key, template in wanted.items():
            forms = queries(template, self._token)
            if forms:
                read = self._read(key, forms, _first_page(self._request.prefetch.get(key)))
                self._keys.append(read)
                yield read

    def medications(self, resources: Sequence[Resource], *, also_named: bool) -> Iterator[KeyRead]:
        """Reads of Medications that the resources refer to, up to the limit."""
        self._known |= references.ids(resources)
        searches = references.wanted(resources, self._access.base, also_named=also_named)
        for identifier, query in searches:
            if identifier in self._known or len(self._single) >= self._limits.medications:
                continue
            self._known.add(identifier)
            self._single[identifier] = self._read(identifier, (query,), None)
            yield self._single[identifier]

    def run(self, reads: Iterable[KeyRead]) -> None:
        """Read, and what the answers refer to as well."""
        access = self._access
        reader = Reader(access.base, access.token, access.permits, self._limits, self._deadline)
        reader.run(reads, self._follow)

    def turn_away(self, reads: Iterable[KeyRead]) -> None:
        """Too many calls are reading already."""
        meter.count_not_asked(Trouble.BUSY.value)
        for read in reads:
            read.give_up(Trouble.BUSY)

    def readings(self) -> dict[str, Reading]:
        """What came, by key; single Medications under one key of their own."""
        by_key = {read.key: read.reading() for read in self._keys}
        single = [read.reading() for read in self._single.values()]
        resources = [
            resource
            for reading in single
            for resource in reading.resources
            if resource.kind == "Medication"
        ]
        if resources:
            by_key[MEDICATIONS] = Reading(Supply.SUPPLIED, resources)
        return by_key

    def _follow(self, read: Read) -> Iterator[KeyRead]:
        if isinstance(read, KeyRead) and read.key not in self._single:
            bodies = [entry.body for entry in read.reading().resources]
            yield from self.medications(bodies, also_named=True)

    def _read(self, key: str, forms: Sequence[Query], page: Any) -> KeyRead:
        return KeyRead(key, self._access.base, forms, self._quota, self._adapt, page)

    def _token(self, name: str) -> str:
        return {
            "context.patientId": self._request.patient_id,
            "context.encounterId": self._request.encounter_id,
            "context.userId": self._request.user_id,
        }.get(name, "")


def _first_page(sent: Sent | None) -> Any:
    """The prefetched Bundle whose next page is to be read, or None."""
    value = decoded(sent.raw) if sent is not None else None
    return value if next_link(value) else None


def _refused(refusal: Refusal) -> Fetched:
    if refusal.reason:
        meter.count_not_asked(refusal.reason)
        if refusal.reason != "no-token":  # the public sandbox never sends one
            logs.logger().warning("FHIR server not asked", code=refusal.reason)
    return Fetched(refusal=refusal.words)
