"""One walk over the chart: which resources carry a code that some fact asks for.

Everything else is read from the hits, when a fact is asked for. A resource without a wanted code
costs one look-up for each of its codings; nearly all of a chart is like that, so the common shape
of a resource is read with as few steps as Python allows, and any other one by `codings`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cds_service.facts.catalogue import DOMAINS, Catalogue
from cds_service.facts.chart import Chart, Draft, Resource
from cds_service.facts.codes import Codes, Known, wanted_codes
from cds_service.facts.diagnoses import Diagnosis
from cds_service.facts.fhir import contained, objects, reference_key, reference_of, string
from cds_service.facts.medication_status import Usage
from cds_service.facts.medications import Medication, MedicationReader
from cds_service.facts.reasons import Reason, reasons_of
from cds_service.protocol.results import Result, Results
from cds_service.terminology.codings import codings, names_of
from cds_service.terminology.index import Terminology


class Later:
    """One of a large call's results: what is known of it, and how to read the rest."""

    __slots__ = ("_number", "_results", "seen")

    def __init__(self, results: Results, number: int, seen: Result) -> None:
        self._results = results
        self._number = number
        self.seen = seen

    def resource(self) -> Resource:
        """The Observation as a whole. Raises BadRequest where it is not JSON after all."""
        return self._results.resource(self._number)


class Hit(NamedTuple):
    """A coding of a resource that is in a wanted value set.

    `component` is the part of the Observation that carries it; `source` is "" or, for a reason,
    "encounter" or "order-reason". A reason that is a Condition has that Condition as `resource`.
    An order that is known by its name alone has no system and no code.
    """

    entry: Resource | Later
    set_id: str
    system: str
    code: str
    component: Resource | None = None
    source: str = ""
    given: Any = None  # the concept; None where it is the entry's `code`

    @property
    def resource(self) -> Resource:
        """The resource as a whole."""
        return self.entry.resource() if isinstance(self.entry, Later) else self.entry

    @property
    def concept(self) -> Any:
        """What carries the coding."""
        return self.resource.get("code") if self.given is None else self.given

    @property
    def by_name(self) -> bool:
        """Whether words and not a code put the resource into the value set."""
        return not self.code

    def is_of(self, entry: Resource | Later, component: Resource | None) -> bool:
        """Whether this is the same entry: two codings of one concept led to one value set."""
        return self.entry is entry and self.component is component


Hits = dict[str, list[Hit]]

_ORDER_TYPES = (
    "ServiceRequest",
    "ProcedureRequest",
    "DiagnosticOrder",
    "DiagnosticRequest",
    "ReferralRequest",
)
_MEDICATION_TYPES = (
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "MedicationOrder",
    "MedicationUsage",
)


class DraftIndex(NamedTuple):
    """What one draft order is, and why it is ordered."""

    draft: Draft
    orders: Hits
    medication: Medication | None
    reasons: Hits
    given: tuple[Reason, ...]  # all reasons, whether or not a value set knows them


class ChartIndex:
    """The chart by value set. Building it reads codes only: no dates, no values."""

    def __init__(self, catalogue: Catalogue, terminology: Terminology, chart: Chart) -> None:
        self.wanted = catalogue.readers
        self.patient: Resource | None = None
        self.encounters: list[Resource] = []
        self.answers: list[Resource] = []
        self.conditions: Hits = {}
        self.reasons: Hits = {}
        self.findings: Hits = {}
        self.orders: Hits = {}
        self.procedures: Hits = {}
        self.observations: Hits = {}
        self.drugs: dict[str, list[Medication]] = {}
        self.medications: list[Medication] = []
        self.unreadable_medications = 0
        self._unknown_drugs: Counter[str] = Counter()  # codes, by system
        self.usage: dict[int, Usage] = {}  # of the medications, by identity, once they are read
        self.diagnoses: dict[int, Diagnosis] = {}  # the Conditions that were read, by identity
        self.titles: dict[tuple[int, str, str], str] = {}  # of entries, by concept, code and fact
        self._terminology = terminology
        self._codes = wanted_codes(catalogue, terminology)
        self._observed = self._codes["observations"]
        self._all_conditions: list[Resource] = []
        self._by_reference: dict[str, Resource] | None = None
        self._taken: list[Resource] = []  # resources that record a medication
        self._dictionary: list[Resource] = []  # Medication resources
        self._walk(chart)
        # Not kept: it refers back to the index, and in a circle a whole chart would stay in memory
        # until the garbage collector looks.
        reader = MedicationReader(self._terminology, self.find, self._unknown_drugs)
        self._read_medications(reader)
        self._read_encounters()
        self._chart_reasons = self.reasons
        self.drafts = tuple(self._draft(draft, reader) for draft in chart.drafts)

    def domain(self, name: str) -> Mapping[str, Any]:
        """The hits of one of `catalogue.DOMAINS`, without the drafts'."""
        hits: Mapping[str, Any] = getattr(self, name)
        return hits

    def names(self) -> set[str]:
        """Names of the facts that a hit outside the drafts may concern."""
        return {
            name
            for domain in DOMAINS
            for set_id in self.domain(domain)
            for name in self.wanted[domain].get(set_id, ())
        }

    def draft_names(self, number: int) -> set[str]:
        """Names of the facts that drafts may concern when this one is under evaluation."""
        found: set[str] = set()
        for entry in self.drafts:
            for set_id in entry.orders:
                found |= self.wanted["orders"].get(set_id, frozenset())
            for set_id in entry.medication.sets if entry.medication else ():
                found |= self.wanted["drugs"].get(set_id, frozenset())
        if 0 <= number < len(self.drafts):
            for set_id in self.drafts[number].reasons:
                found |= self.wanted["reasons"].get(set_id, frozenset())
        return found

    def unknown_codes(self) -> Counter[str]:
        """Codings of conditions and medications that nothing knows, by code system."""
        found = Counter(self._unknown_drugs)
        for resource in self._all_conditions:
            known = _known(self._codes["conditions"], resource.get("code"))
            found.update(one.key[0] for one in known if one.unknown)
        return found

    def find(self, reference: Any, owner: Resource) -> Resource | None:
        """The Condition or Medication that a reference of `owner` names, if the chart has it."""
        key = reference_key(reference)
        if not key:
            return None
        if key.startswith("#"):
            return contained(owner, key)
        return self._references().get(key)

    def _references(self) -> Mapping[str, Resource]:
        if self._by_reference is None:
            self._by_reference = {}
            for resource in (*self._all_conditions, *self._dictionary):
                identifier = string(resource.get("id"))
                self._by_reference.setdefault(reference_of(resource), resource)
                self._by_reference.setdefault(f"urn:uuid:{identifier}", resource)
        return self._by_reference

    def _walk(self, chart: Chart) -> None:
        for resource in objects(list(chart.slot("encounter").resources)):
            if resource.get("resourceType") == "Encounter":  # in another slot it is a past one
                self.encounters.append(resource)
        for slot in chart.slots.values():
            if slot.results is not None:
                self._walk_results(slot.results)
        sources = [slot.resources for slot in chart.slots.values()]
        for resources in (*sources, chart.others):
            for resource in resources:
                try:
                    reader = _READERS[resource["resourceType"]]
                except (KeyError, TypeError):  # nothing that names its type, or that is read
                    continue
                reader(self, resource)

    def _walk_results(self, results: Results) -> None:
        codes, hits = self._observed, self.observations
        for number, entry in enumerate(results.entries):
            seen = entry.resource
            if not seen.says_all():
                self._observation(results.resource(number))
                continue
            later = None
            for coding in seen.code.coding:
                key, sets, _, _ = codes[coding.system, coding.code]
                for set_id in sets:
                    later = later or Later(results, number, seen)
                    filed = hits.setdefault(set_id, [])
                    if not (filed and filed[-1].is_of(later, None)):
                        filed.append(Hit(later, set_id, *key))

    def _answers(self, resource: Resource) -> None:
        self.answers.append(resource)

    def _drug_on_file(self, resource: Resource) -> None:
        self._dictionary.append(resource)

    def _medication(self, resource: Resource) -> None:
        self._taken.append(resource)

    def _patient(self, resource: Resource) -> None:
        self.patient = self.patient or resource

    def _condition(self, resource: Resource) -> None:
        self._all_conditions.append(resource)
        self._collect(self._codes["conditions"], self.conditions, resource, resource.get("code"))

    def _observation(self, resource: Resource) -> None:
        codes = self._observed
        concept = resource.get("code")
        self._collect(codes, self.observations, resource, concept)
        if "component" in resource:
            for part in objects(resource["component"]):
                self._collect(codes, self.observations, resource, part.get("code"), part)
        if "valueCodeableConcept" in resource:
            value = resource["valueCodeableConcept"]
            self._collect(self._codes["findings"], self.findings, resource, value)

    def _procedure(self, resource: Resource) -> None:
        self._collect(self._codes["procedures"], self.procedures, resource, resource.get("code"))

    def _order(self, resource: Resource) -> None:
        self._file_order(self.orders, resource)

    def _file_order(self, hits: Hits, resource: Resource) -> None:
        """File an order by its codes; by its words where no set knows any of its codes."""
        codes = self._codes["orders"]
        for concept in _ordered(resource):
            self._collect(codes, hits, resource, concept)
            if concept and not any(known.listed for known in _known(codes, concept)):
                for set_id in self._terminology.sets_of_order(names_of(concept)):
                    if set_id in self.wanted["orders"]:
                        hit = Hit(resource, set_id, "", "", given=concept)
                        hits.setdefault(set_id, []).append(hit)

    def _collect(
        self,
        codes: Codes,
        hits: Hits,
        resource: Resource,
        concept: Any,
        component: Resource | None = None,
        source: str = "",
    ) -> None:
        """File a resource under each wanted value set that has one of the concept's codings."""
        try:
            (coding,) = concept["coding"]
            key, sets, _, _ = codes[coding["system"], coding["code"]]
        except (AttributeError, KeyError, TypeError, ValueError):  # not the common shape
            for key, sets, _, _ in _known(codes, concept):
                for set_id in sets:
                    filed = hits.setdefault(set_id, [])
                    if not (filed and filed[-1].is_of(resource, component)):
                        filed.append(Hit(resource, set_id, *key, component, source, concept))
            return
        for set_id in sets:
            hits.setdefault(set_id, []).append(
                Hit(resource, set_id, *key, component, source, concept)
            )

    def _read_medications(self, reader: MedicationReader) -> None:
        for resource in self._taken:
            medication = reader.read(resource)
            if medication is None:
                self.unreadable_medications += 1
                continue
            self.medications.append(medication)
            for set_id in medication.sets:
                if set_id in self.wanted["drugs"]:
                    self.drugs.setdefault(set_id, []).append(medication)

    def _read_encounters(self) -> None:
        for encounter in self.encounters:
            self._file_reasons(
                self.reasons, encounter, reasons_of(encounter, self.find), "encounter"
            )

    def _file_reasons(
        self, hits: Hits, owner: Resource, given: Iterable[Reason], source: str
    ) -> None:
        for reason in given:
            resource = reason.condition or owner
            codes = self._codes["reasons"]
            self._collect(codes, hits, resource, reason.concept, source=source)

    def _draft(self, draft: Draft, reader: MedicationReader) -> DraftIndex:
        resource = next(iter(objects(draft.resource)), {})  # {}: not an object after all
        draft = Draft(resource, draft.reference, draft.selected)
        orders: Hits = {}
        self._file_order(orders, resource)
        given = tuple(reasons_of(resource, self.find))
        reasons: Hits = {}
        self._file_reasons(reasons, resource, given, "order-reason")
        return DraftIndex(draft, orders, reader.read(resource), reasons, given)


_READERS: Mapping[str, Callable[[ChartIndex, Resource], None]] = {
    "Patient": ChartIndex._patient,
    "QuestionnaireResponse": ChartIndex._answers,
    "Condition": ChartIndex._condition,
    "Observation": ChartIndex._observation,
    "Procedure": ChartIndex._procedure,
    "DiagnosticReport": ChartIndex._procedure,
    "Medication": ChartIndex._drug_on_file,
    **dict.fromkeys(_ORDER_TYPES, ChartIndex._order),
    **dict.fromkeys(_MEDICATION_TYPES, ChartIndex._medication),
}


def _known(codes: Codes, concept: Any) -> Sequence[Known]:
    """What is known of each coding of a concept of any shape."""
    return [codes[key] for key in _keys(concept)] if concept else ()


def _keys(concept: Any) -> list[tuple[str, str]]:
    """System and code of each coding. The common shape is read here, any other by `codings`."""
    keys = []
    try:
        for coding in concept["coding"]:
            system = coding["system"]
            if type(system) is not str:
                break
            keys.append((system, coding["code"].strip()))
        else:
            return keys
    except (AttributeError, KeyError, TypeError):
        pass
    return [(system, code) for system, code, _ in codings(concept)]


def _ordered(resource: Resource) -> Iterable[Any]:
    """What an order asks for: `code` (R5: `code.concept`), in DSTU2 the `item`s' codes."""
    code = resource.get("code")
    if code:
        yield code
    for item in objects(resource.get("item")):
        yield item.get("code")
