"""One walk over the chart: which resources, components, reports and members of panels carry a code
that some fact asks for.

Everything else is read from the hits, when a fact is asked for. Nearly all of a chart has no wanted
code, and a resource without one costs one look-up: its concept as sent, to the letter.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cds_service.facts import members
from cds_service.facts.catalogue import DOMAINS, NAMED, Catalogue
from cds_service.facts.chart import Chart, Draft, Entry, Resource
from cds_service.facts.codes import problem_names, under, wanted_codes, words_remembered
from cds_service.facts.diagnoses import Diagnosis
from cds_service.facts.fhir import objects
from cds_service.facts.hits import MEMBER, Hit, Hits
from cds_service.facts.medication_status import Usage
from cds_service.facts.medications import Medication, MedicationReader
from cds_service.facts.reasons import Reason, reasons_of
from cds_service.facts.references import References
from cds_service.protocol.entries import by_kind
from cds_service.protocol.raw import word
from cds_service.terminology.entry_names import Names
from cds_service.terminology.index import Terminology
from cds_service.terminology.statuses import NO_INFORMATION

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
    "MedicationDispense",
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
        self._person: Entry | None = None
        self.encounters: list[Resource] = []
        self.answers: list[Resource] = []
        self.conditions = Hits()
        self.reasons = Hits()
        self.findings = Hits()
        self.orders = Hits()
        self.procedures = Hits()
        self.observations = Hits()
        self.drugs: dict[str, list[Medication]] = {}
        self.medications: list[Medication] = []
        self.unreadable_medications = 0
        self.no_drug_information = False  # whether an entry says that nobody knows the medications
        self.usage: dict[int, Usage] = {}  # of the medications, by identity, once they are read
        self.diagnoses: dict[int, Diagnosis] = {}  # the Conditions that were read, by identity
        self.memory = words_remembered(catalogue, terminology)
        self.results: dict[tuple[str, ...], Any] = {}  # by their sets, once they are asked for
        self.values: dict[tuple[str, int], Any] = {}  # of hits, by fact and hit, once read
        self.spans: Any = None  # how long medications count, once somebody asks
        self._terminology = terminology
        self._codes = wanted_codes(catalogue, terminology)
        self._all_conditions: list[Entry] = []
        self.unclear: list[Entry] = []  # of them, those that some fact's sets could not recognise
        self._references = References()
        self.find = self._references.find
        self._taken: list[Entry] = []  # resources that record a medication
        self._panels: list[Entry] = []  # resources that name results
        self.dated_by: Mapping[int, Sequence[Entry]] = {}  # see `members.dated_by`
        # What nothing recognises: drugs; of problems and results the code system, "" for words.
        self.strange_drugs: list[Medication] = []
        self.strange_problems: list[str] = []
        self.strange_results: list[str] = []
        self.drug_notes: tuple[str, ...] | None = None  # once they are asked for
        self._walk(chart)
        # Not kept: it refers back to the index, and in a circle a whole chart would stay in memory
        # until the garbage collector looks.
        reader = MedicationReader(self._terminology, self.find)
        self._read_medications(reader)
        self._read_encounters()
        self._named_by = catalogue
        self.drafts = tuple(self._draft(draft, reader) for draft in chart.drafts)

    @property
    def patient(self) -> Resource | None:
        """The Patient, if one was sent."""
        return self._person.body if self._person else None

    def domain(self, name: str) -> Hits:
        """The hits of one of `catalogue.DOMAINS` but the drugs, without the drafts'."""
        hits: Hits = getattr(self, name)
        return hits

    def names(self) -> set[str]:
        """Names of the facts that a hit outside the drafts may concern."""
        names: set[str] = set()
        for domain in DOMAINS:
            hits = getattr(self, domain)
            if hits:
                wanted = self.wanted[domain]
                names.update(*[wanted[set_id] for set_id in hits if set_id in wanted])
        return names

    def draft_names(self, number: int) -> set[str]:
        """Names of the facts that drafts may concern when this one is under evaluation."""
        names: set[str] = set()
        for entry in self.drafts:
            for set_id in entry.orders:
                names |= self.wanted["orders"].get(set_id, frozenset())
            for set_id in _sets_of(entry.medication):
                names |= self.wanted["drugs"].get(set_id, frozenset())
        if 0 <= number < len(self.drafts):
            for set_id in self.drafts[number].reasons:
                names |= self.wanted["reasons"].get(set_id, frozenset())
        return names

    @property
    def names_of_problems(self) -> Names:
        """The names of the problems that some fact asks for."""
        return problem_names(self._named_by, self._terminology)

    @property
    def conditions_on_file(self) -> int:
        """How many Conditions the chart has."""
        return len(self._all_conditions)

    def unknown_codes(self) -> Counter[str]:
        """Codings of conditions and medications that nothing knows, by code system."""
        ordered = (draft.medication for draft in self.drafts if draft.medication)
        systems = Counter(
            s for medication in (*self.medications, *ordered) for s in medication.systems
        )
        for entry in self._all_conditions:
            known = self._codes["conditions"].sent(entry.head.code).known
            systems.update(coding.key[0] for coding in known if coding.unknown)
        return systems

    def _walk(self, chart: Chart) -> None:
        for entry in chart.slot("encounter").resources:
            if entry.kind == "Encounter":  # in another slot it is a past one
                self.encounters.append(entry.body)
        sources = [*(slot.resources for slot in chart.slots.values()), chart.others]
        for entries in sources:
            for kind, run in by_kind(entries):
                reader = _READERS.get(kind)
                if reader is not None:
                    reader(self, run)
        if self._panels:
            entries = [entry for entries in sources for entry in entries]
            results = [entry for entry in entries if entry.kind == "Observation"]
            self._file_members(results)
            self.dated_by = members.dated_by(self._panels, results)

    def _answers(self, entries: Iterable[Entry]) -> None:
        self.answers.extend(entry.body for entry in entries)

    def _referred_to(self, entries: Iterable[Entry]) -> None:
        self._references.add(entries)

    def _medications(self, entries: Iterable[Entry]) -> None:
        self._taken.extend(entries)

    def _patients(self, entries: Iterable[Entry]) -> None:
        self._person = self._person or next(iter(entries))

    def _conditions(self, entries: Iterable[Entry]) -> None:
        conditions = list(entries)
        self._references.add(conditions)
        self._all_conditions.extend(conditions)
        concepts = self._codes["conditions"].concepts
        for entry in conditions:
            sent = concepts[bytes(entry.head.code)]
            if sent.filed:
                self.conditions.file(sent.filed, entry)
            if sent.unclear:
                self.unclear.append(entry)
            if sent.stranger is not None:
                self.strange_problems.append(sent.stranger)

    def _observations(self, entries: Iterable[Entry]) -> None:
        concepts = self._codes["observations"].concepts
        for entry in entries:
            head = entry.head
            sent = concepts[bytes(head.code)]
            if sent.filed:
                self.observations.file(sent.filed, entry)
            if sent.stranger is not None:
                self.strange_results.append(sent.stranger)
            if head.component:
                self._file_components(entry)
            if head.value_codeable_concept:
                self._file_finding(entry)
            if head.has_member or head.contained:
                self._panels.append(entry)

    def _file_components(self, entry: Entry) -> None:
        codes = self._codes["observations"]
        for part in objects(entry.body["component"]):
            concept = part.get("code")
            self.observations.file(under(codes.of(concept)), entry, part, "", concept)

    def _file_finding(self, entry: Entry) -> None:
        sent = self._codes["findings"].sent(entry.head.value_codeable_concept)
        if sent.filed:
            value = entry.body["valueCodeableConcept"]
            self.findings.file(sent.filed, entry, None, "", value)

    def _file_members(self, results: Iterable[Entry]) -> None:
        """File what a report or panel names and was not sent, as results known by name alone: once
        for each value set, whether the panel's code says it, a member's words, or both."""
        codes = self._codes["observations"]
        filed: dict[tuple[int, str], Hit] = {}
        for panel, reference, concept in members.not_sent(self._panels, results):
            part = {"valueReference": reference}
            for set_id, _ in under(codes.of(concept)):
                named = NAMED + set_id.removeprefix(NAMED)
                hit = Hit(panel, named, "", "", part, MEMBER, concept)
                filed.setdefault((id(panel), named), hit)
        for hit in filed.values():
            self.observations.add(hit)

    def _reports(self, entries: Iterable[Entry]) -> None:
        known = list(entries)
        self._procedures(known)
        of_results = self._codes["observations"].concepts
        self._panels.extend(
            entry
            for entry in known
            if entry.head.result or entry.head.contained or of_results[bytes(entry.head.code)].filed
        )

    def _procedures(self, entries: Iterable[Entry]) -> None:
        self._collect("procedures", self.procedures, entries)

    def _orders(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.head.item:  # DSTU2
                self._file_order(self.orders, entry, entry.body)
            else:
                self._collect("orders", self.orders, (entry,))

    def _collect(self, domain: str, hits: Hits, entries: Iterable[Entry]) -> None:
        """File resources under each wanted value set that has one of their code's codings."""
        concepts = self._codes[domain].concepts
        for entry in entries:
            hits.file(concepts[bytes(entry.head.code)].filed, entry)

    def _file_order(self, hits: Hits, entry: Entry | Resource, resource: Resource) -> None:
        """File an order by all that it asks for."""
        for concept in _ordered(resource):
            filed = under(self._codes["orders"].of(concept))
            hits.file(filed, entry, None, "", concept)

    def _read_medications(self, reader: MedicationReader) -> None:
        for entry in self._taken:
            medication = reader.read(entry)
            if medication is None:
                self.unreadable_medications += 1
                continue
            drug = medication.drug
            if not drug.known and self._says_of_the_list(entry, medication):
                continue
            self.medications.append(medication)
            if drug.sets or drug.disputed:
                self._file_drug(medication, self.wanted["drugs"])
            elif not drug.ingredients:
                self.strange_drugs.append(medication)

    def _says_of_the_list(self, entry: Entry, medication: Medication) -> bool:
        """Whether an entry names no drug and says that none is known, or that nobody knows."""
        state = medication.about_the_list
        if state == NO_INFORMATION and word(entry.head.status).lower() != "entered-in-error":
            self.no_drug_information = True
        return bool(state)

    def _file_drug(self, medication: Medication, wanted: Collection[str]) -> None:
        for set_id in medication.drug.sets:
            if set_id in wanted:
                self.drugs.setdefault(set_id, []).append(medication)
        for set_id in medication.drug.disputed:
            self.drugs.setdefault(NAMED + set_id, []).append(medication)

    def _read_encounters(self) -> None:
        for encounter in self.encounters:
            self._file_reasons(
                self.reasons, encounter, reasons_of(encounter, self.find), "encounter"
            )

    def _file_reasons(
        self, hits: Hits, owner: Resource, given: Iterable[Reason], source: str
    ) -> None:
        for reason in given:
            known = self._codes["reasons"].of(reason.concept)
            hits.file(under(known), reason.condition or owner, None, source, reason.concept)

    def _draft(self, draft: Draft, reader: MedicationReader) -> DraftIndex:
        resource = next(iter(objects(draft.resource)), {})  # {}: not an object after all
        draft = Draft(resource, draft.reference, draft.selected)
        orders = Hits()
        self._file_order(orders, resource, resource)
        given = tuple(reasons_of(resource, self.find))
        reasons = Hits()
        self._file_reasons(reasons, resource, given, "order-reason")
        return DraftIndex(draft, orders, reader.read(resource), reasons, given)


_READERS: Mapping[str, Callable[[ChartIndex, Iterable[Entry]], None]] = {
    "Patient": ChartIndex._patients,
    "QuestionnaireResponse": ChartIndex._answers,
    "Condition": ChartIndex._conditions,
    "Observation": ChartIndex._observations,
    "Procedure": ChartIndex._procedures,
    "DiagnosticReport": ChartIndex._reports,
    "Medication": ChartIndex._referred_to,
    "Substance": ChartIndex._referred_to,
    **dict.fromkeys(_ORDER_TYPES, ChartIndex._orders),
    **dict.fromkeys(_MEDICATION_TYPES, ChartIndex._medications),
}


def _sets_of(medication: Medication | None) -> frozenset[str]:
    """The sets that a draft's medication is in, or may be in."""
    return medication.sets | medication.disputed if medication else frozenset()


def _ordered(resource: Resource) -> Iterable[Any]:
    """What an order asks for: `code` (R5: `code.concept`), in DSTU2 the `item`s' codes."""
    code = resource.get("code")
    if code:
        yield code
    for item in objects(resource.get("item")):
        yield item.get("code")
