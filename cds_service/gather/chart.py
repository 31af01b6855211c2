"""A request's prefetch and draft orders as a `Chart` (design: prefetch keys and required data).

The state of each key is decided in `gather.prefetch`; here resources are sorted into slots by what
they are, so that a key under another name works, and what belongs to another patient is left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cds_service.errors import PreconditionFailed
from cds_service.facts.chart import PREFETCH_KEYS, RESULT_KEYS, Chart, Draft, Resource, Slot, Supply
from cds_service.facts.prefetch_keys import KEY_OF_TYPE, KEYS, MEDICATIONS, described
from cds_service.gather import prefetch
from cds_service.gather.fallback import Fallback
from cds_service.gather.prefetch import Reading, Room
from cds_service.gather.slots import OF_ANOTHER_PATIENT, SlotBuilder
from cds_service.gather.subject import Subject
from cds_service.protocol.entries import Entry, by_kind, entry
from cds_service.protocol.model import HookRequest

if TYPE_CHECKING:
    from cds_service.rules.model import ServiceDefinition

_NOT_TO_BE_HAD = (Supply.MISSING, Supply.FAILED)
_NOT_SENT = Slot(Supply.MISSING)
_RESULTS = "observations"


def gather(
    request: HookRequest,
    service: "ServiceDefinition",
    fallback: Fallback | None = None,
    *,
    most: int | None = None,
) -> Chart:
    """All that the call knows of its patient. `fallback` is asked for what prefetch did not bring.

    Raises PreconditionFailed (412) that names the required keys which cannot be had, and why;
    ServiceError 413 where prefetch holds more than `most` entries.
    """
    room = Room(most)
    readings = {key: prefetch.read(request.prefetch[key], room) for key in _keys(request.prefetch)}
    return arrange(request, service, readings, fallback)


def arrange(
    request: HookRequest,
    service: "ServiceDefinition",
    readings: Mapping[str, Reading],
    fallback: Fallback | None = None,
) -> Chart:
    """`gather` for prefetch that has been read. Raises PreconditionFailed (412)."""
    readings = {key: readings[key] for key in _keys(readings)}
    themes = _themes(service)
    sorter = _sort(request, readings, themes)
    chart = _chart(request, sorter)
    refusal = ""
    if fallback is not None:
        wanted = _wanted(service, readings, chart, sorter.parts)
        fetched = fallback.fetch(request, wanted, _resources(chart))
        refusal = fetched.refusal
        if fetched.readings:
            sorter = _sort(request, {**readings, **fetched.readings}, themes)
            chart = _chart(request, sorter)
    _require(service, chart.slots, refusal)
    return chart


def _keys(sent: Mapping[str, Any]) -> list[str]:
    """The keys of a request: the known ones in our order, whatever the EHR's, then the others.

    Of two entries that are alike the first counts, and JSON says nothing of an order of members.
    """
    known = (*PREFETCH_KEYS, *RESULT_KEYS)
    return [key for key in known if key in sent] + [key for key in sent if key not in known]


def _themes(service: "ServiceDefinition") -> tuple[str, ...]:
    """The keys that hold the results together: those of the service's templates."""
    return tuple(
        key
        for key, template in service.prefetch.items()
        if key != _RESULTS and template.startswith("Observation?")
    )


def _sort(
    request: HookRequest, readings: Mapping[str, Reading], themes: Sequence[str]
) -> "_Sorter":
    sorter = _Sorter(
        Subject(request.patient_id, partial(_people, request, readings.values())), themes
    )
    for key, reading in readings.items():
        sorter.add(key, reading)
    return sorter


def _chart(request: HookRequest, sorter: "_Sorter") -> Chart:
    drafts = tuple(sorter.keep_drafts(request))
    others = [*sorter.keep(list(request.others)), *sorter.others]
    return Chart(sorter.slots(), drafts, others, request.hook, dict(sorter.dropped))


def _wanted(
    service: "ServiceDefinition",
    readings: Mapping[str, Reading],
    chart: Chart,
    parts: Mapping[str, Slot],
) -> dict[str, str]:
    """The templates of the keys that are worth asking for."""
    wanted = {
        key: template
        for key, template in service.prefetch.items()
        if key not in parts
        and described(key).asked
        and _worth_asking(chart.slot(key), readings.get(key), key in service.required)
    }
    return wanted | _wanted_results(service, readings, chart, parts)


def _wanted_results(
    service: "ServiceDefinition",
    readings: Mapping[str, Reading],
    chart: Chart,
    parts: Mapping[str, Slot],
) -> dict[str, str]:
    """By theme, unless `observations` brought them: then what is left of it, under its own key."""
    whole, slot = readings.get(_RESULTS), chart.slot(_RESULTS)
    if not parts or slot.supply.complete:
        return {}
    if whole is not None and whole.supply is not Supply.MISSING and not _in_parts(readings, parts):
        first = next(iter(parts))
        again = _worth_asking(slot, whole, _RESULTS in service.required)
        return {_RESULTS: service.prefetch[first]} if again and whole.next_page else {}
    return {
        key: service.prefetch[key]
        for key, part in parts.items()
        if _worth_asking(part, readings.get(key), _RESULTS in service.required)
    }


def _in_parts(readings: Mapping[str, Reading], parts: Mapping[str, Slot]) -> bool:
    return any(key in readings for key in parts)


def _worth_asking(slot: Slot, sent: Reading | None, required: bool) -> bool:
    """What is missing, has a further page, or came in part under another name. What the EHR failed
    to read is asked for once more only where the answer would be 412 otherwise (row D9)."""
    if slot.supply is Supply.MISSING:
        return True
    if slot.supply is Supply.INCOMPLETE:
        return sent is None or sent.supply is Supply.EMPTY or bool(sent.next_page)
    return slot.supply is Supply.FAILED and required


def _resources(chart: Chart) -> Iterable[Resource]:
    """What may refer to Medications, and Medications."""
    for key in MEDICATIONS:
        yield from (resource.body for resource in chart.slot(key).resources)
    yield from (draft.resource for draft in chart.drafts)
    yield from (other.body for other in chart.others)


def _people(request: HookRequest, readings: Iterable[Reading]) -> dict[str, Entry]:
    """The Patients of the call by fullUrl."""
    sources = (request.others, *(reading.resources for reading in readings if not reading.alike))
    return {
        resource.url: resource
        for source in sources
        for resource in source
        if resource.kind == "Patient"
    }


class _Sorter:
    """Sorts resources into slots and counts what it leaves out."""

    def __init__(self, subject: Subject, themes: Sequence[str]) -> None:
        self._subject = subject
        self._themes = themes
        self._builders: dict[str, SlotBuilder] = {}  # of the keys that something came for
        self.others: list[Entry] = []
        self.dropped: Counter[str] = Counter()

    def add(self, key: str, reading: Reading) -> None:
        """Take in one prefetch value, under a known key or under any other."""
        if reading.unreadable:
            self.dropped["not-an-object"] += reading.unreadable
        kept = self._own(reading)
        dropped = len(kept) < len(reading.resources)
        by_type = _by_type(kept, reading.alike)
        known = True
        if key in KEYS:
            own = by_type.pop(KEYS[key].resource_type, [])
            self._builder(key).answer(reading, own, dropped)
        elif key in self._themes:
            own = by_type.pop("Observation", [])
            self._builder(_RESULTS).part(key, reading, own, dropped)
        else:
            known = False
        complete = not known and _answers_one_question(reading, by_type)
        for kind, resources in by_type.items():
            slot_key = KEY_OF_TYPE.get(kind)
            if slot_key is None:
                self.others.extend(resources)
            else:
                self._builder(slot_key).extra(resources, complete, reading.problem)

    def _builder(self, key: str) -> SlotBuilder:
        builder = self._builders.get(key)
        if builder is None:
            parts = self._themes if key == _RESULTS else ()
            builder = self._builders[key] = SlotBuilder(key, parts)
        return builder

    def _own(self, reading: Reading) -> list[Entry]:
        if reading.alike and self._subject.owns(reading.resources[0]):
            return reading.resources
        return self.keep(reading.resources)

    def keep(self, entries: list[Entry]) -> list[Entry]:
        """The resources that are not another patient's."""
        return self._subject.owned(entries, self.dropped)

    def keep_drafts(self, request: HookRequest) -> Iterable[Draft]:
        """The draft orders that are not another patient's."""
        for order in request.drafts:
            if self.keep([entry(order.resource)]):
                yield Draft(order.resource, order.reference, order.selected)

    @property
    def parts(self) -> Mapping[str, Slot]:
        """The states of the themes."""
        return self._builder(_RESULTS).parts

    def slots(self) -> dict[str, Slot]:
        """The finished slots, one for each prefetch key."""
        builders = self._builders
        return {key: builders[key].build() if key in builders else _NOT_SENT for key in KEYS}


def _by_type(entries: list[Entry], alike: bool) -> dict[str, list[Entry]]:
    if alike and entries:
        return {entries[0].kind: entries}
    by_type: dict[str, list[Entry]] = {}
    for kind, run in by_kind(entries):
        by_type.setdefault(kind, []).extend(run)
    return by_type


def _answers_one_question(reading: Reading, by_type: Mapping[str, Any]) -> bool:
    """Whether a Bundle under a foreign key looks like the whole answer to one search.

    A single resource, or one beside its includes (the order under review with its patient and
    insurer), is a narrower query: what it does not hold may still be on file.
    """
    clinical = by_type.keys() - {"Medication"}
    return reading.bundle and reading.supply is Supply.SUPPLIED and len(clinical) == 1


def _require(service: "ServiceDefinition", slots: Mapping[str, Slot], refusal: str) -> None:
    gaps = {
        key: slots[key] for key in sorted(service.required) if slots[key].supply in _NOT_TO_BE_HAD
    }
    if not gaps:
        return
    reasons = "; ".join(slot.problem or f"{key} was not sent" for key, slot in gaps.items())
    not_asked = f" The FHIR server was not asked: {refusal}." if refusal else ""
    others = [key for key, slot in gaps.items() if slot.problem == f"{key} {OF_ANOTHER_PATIENT}"]
    if others:
        raise PreconditionFailed(
            "data-of-another-patient",
            f"The service needs prefetch data of context.patientId: {reasons}.{not_asked}",
            f"prefetch.{others[0]}",
        )
    missing = [key for key, slot in gaps.items() if slot.supply is Supply.MISSING]
    raise PreconditionFailed(
        "data-missing" if missing else "data-failed",
        f"The service needs prefetch data that it did not get: {reasons}.{not_asked}",
        f"prefetch.{next(iter(missing or gaps))}",
    )
