"""Age, sex, death and the class of the encounter."""

from datetime import date
from decimal import Decimal

from cds_service.facts import dates
from cds_service.facts.chart import Resource
from cds_service.facts.definitions import Code, FactDefinition, Number
from cds_service.facts.fhir import codes, is_true, listed, objects, reference_of, string
from cds_service.facts.model import Fact, Item, Quantity, State
from cds_service.facts.query import Query, status_of

_DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
OLDEST = 130  # years; an older patient is a mistyped date
# FHIR's codes of `Patient.gender`, without the one that says that nobody knows.
SEXES = ("male", "female", "other")
_STRANGE_SEX = "the recorded sex says nothing that is known here"


def read_age(query: Query[Number]) -> Fact:
    """A fact of kind `number`: age in whole years, the youngest that the birth date allows."""
    patient, fact = _patient(query)
    if patient is None:
        return fact
    name, today = query.definition.name, query.patient.today
    text = patient.get("birthDate")
    if not string(text):
        return Fact(name, State.UNKNOWN, reasons=("the birth date was not supplied",))
    born = dates.latest_day(text)
    if born is None:
        return Fact(name, State.UNKNOWN, reasons=("the birth date could not be read",))
    when = dates.parse(text, today)  # this year's or month's child may be born already
    years = _years(when.day if when else born, today)
    if years < 0:
        return Fact(name, State.UNKNOWN, reasons=("the birth date lies in the future",))
    if years > OLDEST:
        return Fact(name, State.UNKNOWN, reasons=("the birth date is not plausible",))
    quantity = Quantity(Decimal(years), "a")
    item = Item(reference_of(patient), query.definition.title, quantity=quantity)
    return Fact(name, State.KNOWN, (item,))


def _years(born: date, today: date) -> int:
    if born > today:
        return -1
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def read_code(query: Query[Code]) -> Fact:
    """A fact of kind `code`: `path` is Patient.gender or Encounter.class."""
    name, path = query.definition.name, query.definition.path
    if path.endswith("gender") or (not path and name == "patient.sex"):
        patient, fact = _patient(query)
        if patient is None:
            return fact
        return _sex(name, patient)
    return _encounter_class(query)


def _sex(name: str, patient: Resource) -> Fact:
    """The recorded sex; a Patient without one, or of "unknown" sex, may be of any."""
    gender = string(patient.get("gender")).lower()
    if gender in SEXES:
        item = Item(reference_of(patient), gender, code=gender)
        return Fact(name, State.KNOWN, (item,))
    sent = patient.get("gender") not in (None, "")
    reason = _STRANGE_SEX if sent else "the sex was not supplied"
    return Fact(name, State.UNKNOWN, reasons=(reason,))


def _encounter_class(query: Query[Code]) -> Fact:
    items = [
        Item(reference_of(encounter), code, code=code, details={"source": "encounter"})
        for encounter in query.patient.index.encounters
        if status_of(encounter) not in ("entered-in-error", "cancelled")
        for code in sorted(_classes(encounter))
    ]
    if items:
        return Fact(query.definition.name, State.KNOWN, tuple(items))
    slot = query.patient.chart.slot("encounter")
    if slot.supply.complete and not query.patient.index.encounters:
        return Fact(query.definition.name, State.ABSENT)
    reason = "the class of the encounter is not known"
    return Fact(query.definition.name, State.UNKNOWN, reasons=(reason,))


def _classes(encounter: Resource) -> set[str]:
    """R4 has a Coding, R5 a list of CodeableConcepts, DSTU2 a word ("inpatient")."""
    return {
        _FROM_DSTU2.get(code, code.upper())
        for element in listed(encounter.get("class"))
        for code in codes(element)
    }


_FROM_DSTU2 = {
    "inpatient": "IMP",
    "outpatient": "AMB",
    "ambulatory": "AMB",
    "emergency": "EMER",
    "home": "HH",
    "field": "FLD",
    "virtual": "VR",
}


def read_deceased(query: Query[FactDefinition]) -> Fact:
    """The flag `patient.deceased`: a boolean or any date of death."""
    patient, fact = _patient(query)
    if patient is None:
        return fact
    died = string(patient.get("deceasedDateTime"))
    name = query.definition.name
    if not (is_true(patient.get("deceasedBoolean")) or died or _on_an_unknown_day(patient)):
        return Fact(name, State.ABSENT)
    item = Item(reference_of(patient), query.definition.title, date_text=died[:10])
    return Fact(name, State.KNOWN, (item,))


def _on_an_unknown_day(patient: Resource) -> bool:
    """Whether the date of death is stated to be absent: the death is not."""
    stated = patient.get("_deceasedDateTime")
    extensions = objects(stated.get("extension")) if isinstance(stated, dict) else ()
    return any(string(entry.get("url")) == _DATA_ABSENT for entry in extensions)


def _patient(query: Query[FactDefinition]) -> tuple[Resource | None, Fact]:
    """The Patient, or the fact for a chart without one."""
    patient = query.patient.index.patient
    slot = query.patient.chart.slot("patient")
    reason = (
        "the patient could not be read"
        if slot.supply.name == "FAILED"
        else ("the patient was not supplied")
    )
    return patient, Fact(query.definition.name, State.UNKNOWN, reasons=(reason,))
