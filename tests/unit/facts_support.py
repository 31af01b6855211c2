"""A small terminology, catalogue and chart builder for the tests of the facts layer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds_service.facts.base import FactBase
from cds_service.facts.catalogue import Catalogue
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Draft, Slot, Supply
from cds_service.protocol.entries import entry_of
from cds_service.protocol.raw import encoded
from cds_service.rules.model import Pack
from cds_service.terminology.codings import ICD10CM, LOINC, RXNORM, SNOMED
from cds_service.terminology.drugs import DrugDictionary
from cds_service.terminology.entry_names import name_lists
from cds_service.terminology.index import Terminology
from cds_service.terminology.valueset import ParsedSet
from cds_service.units.table import UnitTables
from tests.support import vocabulary

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
INGREDIENT = "https://cds.legcramps.example/CodeSystem/ingredient"
UCUM = "http://unitsofmeasure.org"
OF_TYPE = {
    "Patient": "patient",
    "Encounter": "encounter",
    "Condition": "conditions",
    "MedicationRequest": "medicationRequests",
    "MedicationOrder": "medicationRequests",
    "MedicationStatement": "medicationStatements",
    "Observation": "observations",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
}
SETTINGS: dict[str, Decimal | bool | str] = {
    "ferritin.lookback": Decimal(365),
    "abi.lookback": Decimal(730),
    "complaint.lookback": Decimal(365),
    "short.lookback": Decimal(30),
    "medication.max-age": Decimal(400),
    "medication.dispensed-within": Decimal(120),
    "medication.given-within": Decimal(30),
}

_SETS: dict[str, dict[tuple[str, str], str]] = {
    "cond-cramp": {(SNOMED, "449917004"): "Cramp in calf", (ICD10CM, "R25.2"): "Cramp and spasm"},
    "cond-rls": {(ICD10CM, "G25.81"): "Restless legs syndrome"},
    "cond-pregnancy": {(ICD10CM, "Z34.90"): "Pregnancy"},
    "cond-ended": {(ICD10CM, "O80"): "Delivery"},
    "site-not-leg": {(SNOMED, "hand"): "Hand"},
    "drug-diuretics": {(INGREDIENT, "hydrochlorothiazide"): "", (INGREDIENT, "furosemide"): ""},
    "drug-nsaids": {(INGREDIENT, "diclofenac"): "", (INGREDIENT, "aspirin"): ""},
    "drug-iron": {(INGREDIENT, "iron sucrose"): ""},
    "order-ferritin": {(LOINC, "2276-4"): "Ferritin"},
    "order-iron-pills": {(INGREDIENT, "iron sucrose"): ""},
    "obs-ferritin": {(LOINC, "2276-4"): "Ferritin"},
    "obs-potassium": {(LOINC, "2823-3"): "Potassium"},
    "obs-abi": {
        (LOINC, "77194-9"): "Ankle-brachial index",
        (LOINC, "8579-5"): "left",
        (LOINC, "8580-3"): "right",
    },
    "obs-pregnancy": {(LOINC, "82810-3"): "Pregnancy status"},
    "ans-pregnant": {(SNOMED, "77386006"): "Pregnant"},
    "obs-edd": {(LOINC, "11778-8"): "Delivery date"},
    "proc-duplex": {(SNOMED, "duplex"): "Arterial duplex"},
}
_DRUGS = {
    "ingredients": ["hydrochlorothiazide", "valsartan", "furosemide", "diclofenac", "aspirin"],
    "forms": [["oral tablet", "oral"], ["gel", "topical"], ["ingredient", ""]],
    "products": {
        "310798": [[0], 0, "hydrochlorothiazide 25 MG Oral Tablet"],
        "200284": [[0, 1], 0, "hydrochlorothiazide 12.5 MG / valsartan 80 MG Oral Tablet"],
        "349201": [[1], 0, "valsartan 160 MG Oral Tablet"],
        "855633": [[3], 1, "diclofenac 1 % Topical Gel"],
        "3355": [[3], 2, "diclofenac"],
        "243670": [[4], 0, "aspirin 81 MG Oral Tablet"],
        "198466": [[4], 0, "aspirin 500 MG Oral Tablet"],
    },
    "vocabulary": ["hydrochlorothiazide", "furosemide", "iron sucrose", "diclofenac", "lithium"],
    "brands": {"Venofer": ["iron sucrose"]},
}
_UNITS = {
    "obs-ferritin": {
        "canonical": "ng/mL",
        "units": {"ng/mL": {}, "ug/L": {}, "pmol/L": {"dividedBy": "2.247"}},
    },
    "obs-potassium": {"canonical": "mmol/L", "units": {"mmol/L": {}, "meq/L": {}}},
    "obs-abi": {
        "canonical": "{ratio}",
        "units": {"{ratio}": {}, "1": {}, "%": {"dividedBy": "100"}},
    },
}
_FACTS: dict[str, dict[str, Any]] = {
    "patient.age": {"kind": "number", "title": "age"},
    "patient.sex": {"kind": "code", "path": "Patient.gender"},
    "patient.deceased": {"kind": "flag"},
    "encounter.class": {"kind": "code", "path": "Encounter.class"},
    "cramp": {
        "kind": "problem",
        "title": "leg cramps",
        "valueSet": "cond-cramp",
        "from": ["condition", "encounter", "order-reason", "observation"],
        "encounterLookback": "complaint.lookback",
        "notBodySite": "site-not-leg",
        "notBodySiteWords": ["arm", "abdomen"],
    },
    "cramp.visit": {"kind": "problem", "valueSet": "cond-cramp", "from": ["encounter"]},
    "cramp.recent": {
        "kind": "problem",
        "title": "recent cramps",
        "valueSet": "cond-cramp",
        "lookback": "short.lookback",
    },
    "rls": {"kind": "problem", "valueSet": "cond-rls", "verification": ["confirmed"]},
    "rls.suspected": {"kind": "problem", "valueSet": "cond-rls", "verification": ["suspected"]},
    "rls.refuted": {"kind": "problem", "valueSet": "cond-rls", "verification": ["refuted"]},
    "rls.ever": {"kind": "problem", "valueSet": "cond-rls", "clinical": "any"},
    "pregnancy": {"kind": "problem", "valueSet": "cond-pregnancy", "clearedBy": "cond-ended"},
    "drug.diuretic": {"kind": "drug", "title": "diuretic", "valueSet": "drug-diuretics"},
    "drug.nsaid": {
        "kind": "drug",
        "valueSet": "drug-nsaids",
        "maxStrength": {"ingredient": "aspirin", "mg": 325},
    },
    "drug.nsaid-any": {"kind": "drug", "valueSet": "drug-nsaids", "routes": "any"},
    "drug.iron": {"kind": "drug", "valueSet": "drug-iron", "givenWithin": "short.lookback"},
    "draft.diuretic": {"kind": "draft-drug", "valueSet": "drug-diuretics"},
    "draft.nsaid": {"kind": "draft-drug", "valueSet": "drug-nsaids"},
    "draft.ferritin": {"kind": "draft-order", "valueSet": "order-ferritin"},
    "order.ferritin": {"kind": "order", "valueSet": "order-ferritin", "lookback": "short.lookback"},
    "order.iron": {"kind": "order", "valueSets": ["order-iron-pills"]},
    "duplex": {"kind": "procedure", "valueSet": "proc-duplex", "lookback": "abi.lookback"},
    "abi.done": {"kind": "procedure", "valueSet": "obs-abi"},
    "ferritin": {
        "kind": "quantity",
        "title": "ferritin",
        "valueSet": "obs-ferritin",
        "unit": "ng/mL",
        "lookback": "ferritin.lookback",
        "pick": "lowest",
        "plausible": {"above": 0, "atMost": 100000},
    },
    "potassium": {
        "kind": "quantity",
        "title": "potassium",
        "valueSet": "obs-potassium",
        "unit": "mmol/L",
        "plausible": {"atLeast": 1, "atMost": 10},
    },
    **{
        f"abi.{pick}": {
            "kind": "quantity",
            "title": f"ABI ({pick})",
            "valueSet": "obs-abi",
            "unit": "{ratio}",
            "lookback": "abi.lookback",
            "pick": pick,
            "decimals": 2,
            "unitless": 3.0,
            "plausible": {"atLeast": 0, "atMost": 3},
        }
        for pick in ("lowest", "highest")
    },
    "pregnant": {
        "kind": "coded",
        "valueSet": "obs-pregnancy",
        "answers": "ans-pregnant",
        "lookback": "complaint.lookback",
    },
    "pregnancy.due-ahead": {"kind": "flag", "valueSet": "obs-edd"},
    "answer.hard": {
        "kind": "answer",
        "questionnaire": "urn:q",
        "linkId": "Q9",
        "answers": [True],
        "lookback": "short.lookback",
    },
    "answer.any": {"kind": "answer", "questionnaire": "urn:q", "lookback": "short.lookback"},
    **{
        name: {"kind": "flag"}
        for name in ("draft.any", "draft.renewal", "draft.has-reason", "draft.drug-known")
    },
}


def terminology() -> Terminology:
    """Value sets, drugs and units that the tests name."""
    sets = {name: ParsedSet(name, name, "1", "", dict(codes)) for name, codes in _SETS.items()}
    sets["cond-cramp"].below = {(ICD10CM, "G47.62"): "Sleep related leg cramps"}
    lists = name_lists(
        [
            {
                "results": {"ignore": ["serum", "s"], "not": ["urine", "goal"]},
                "denials": ["no", "denies"],
            }
        ]
    )
    units = UnitTables.checked(_UNITS)[0]
    words = vocabulary.shipped()
    return Terminology(sets, DrugDictionary(_DRUGS), units, names=lists, vocabulary=words)


TERMINOLOGY = terminology()
CATALOGUE = Catalogue.from_json({"facts": _FACTS})


def day(before: int) -> str:
    """The date so many days before NOW."""
    return (NOW.date() - timedelta(days=before)).isoformat()


def facts(
    *resources: Any,
    drafts: tuple[Any, ...] = (),
    supplies: dict[str, Supply] | None = None,
    now: datetime = NOW,
    pack: Pack | None = None,
    settings: Mapping[str, Decimal | bool | str] | None = None,
) -> FactBase:
    """The facts of a chart of these resources; slots without any are known-empty.

    `settings`: some that are other than those of this module.
    `pack`: one whose facts are asked for, in place of those of this module.
    """
    slots: dict[str, list[Any]] = {key: [] for key in PREFETCH_KEYS}
    others: list[Any] = []
    for resource in resources:
        entry = entry_of(encoded(resource))
        if entry is not None:
            key = OF_TYPE.get(entry.kind)
            (slots[key] if key else others).append(entry)
    given = supplies or {}
    chart = Chart(
        slots={
            key: Slot(
                given.get(key, Supply.SUPPLIED if found else Supply.EMPTY),
                found,
            )
            for key, found in slots.items()
        },
        drafts=[Draft(draft, _reference(draft), True) for draft in drafts],
        others=others,
        hook="order-select" if drafts else "patient-view",
    )
    if pack is not None:
        of_pack = {name: setting.value for name, setting in pack.settings.items()}
        return FactBase(pack.catalogue, pack.terminology, chart, now, of_pack)
    return FactBase(CATALOGUE, TERMINOLOGY, chart, now, {**SETTINGS, **(settings or {})})


def _reference(resource: Any) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}" if "id" in resource else ""


def coded(system: str, code: str, **extra: Any) -> dict[str, Any]:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}], **extra}


def condition(code: str = "G47.62", **extra: Any) -> dict[str, Any]:
    """A Condition with an ICD-10-CM code and nothing else."""
    return {"resourceType": "Condition", "id": "c1", "code": coded(ICD10CM, code), **extra}


def result(
    value: Any,
    unit: str | None = "ng/mL",
    *,
    code: str = "2276-4",
    on: str | None = day(10),
    **extra: Any,
) -> dict[str, Any]:
    """A final laboratory Observation; `value` may start with a comparator."""
    quantity: dict[str, Any] = {}
    if isinstance(value, str):
        number = value.lstrip("<>=")
        quantity["comparator"] = value[: len(value) - len(number)]
        value = float(number)
    quantity["value"] = value
    if unit is not None:
        quantity |= {"unit": unit, "code": unit, "system": UCUM}
    resource = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": coded(LOINC, code),
        "valueQuantity": {key: entry for key, entry in quantity.items() if entry != ""},
    }
    if on is not None:
        resource["effectiveDateTime"] = on
    return resource | extra


def abi(
    value: Any, code: str = "77194-9", unit: str | None = "{ratio}", **extra: Any
) -> dict[str, Any]:
    """An ABI Observation."""
    return result(value, unit, code=code, **extra)


def request(code: str = "310798", **extra: Any) -> dict[str, Any]:
    """An active MedicationRequest of ten days ago with an RxNorm product."""
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "authoredOn": day(10),
        "medicationCodeableConcept": coded(RXNORM, code),
        **extra,
    }


def statement(text: str, **extra: Any) -> dict[str, Any]:
    """An active MedicationStatement that only has words."""
    return {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "active",
        "medicationCodeableConcept": {"text": text},
        **extra,
    }
