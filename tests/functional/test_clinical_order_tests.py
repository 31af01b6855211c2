"""Orders of tests and of drugs that may provoke or treat cramps; see test_clinical_orders.py."""

from typing import Any

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import (
    check_cards,
    concept,
    done,
    draft_drug,
    draft_test,
    dx,
    encounter,
    lab,
    request,
    rx,
    told,
)
from tests.support.clinical_cases import Case, case, cases

CRAMP = dx("sct:449917004", recorded=20)

RLS = dx("sct:32914008")

SLEEP_STUDY = "warning order.polysomnography > Remove this order"

NO_REASON = "info order.polysomnography"

ROUTINE = "info order.routine-electrolytes > Remove this order"

A = "warning order.cramp-provoking-drug"

LIMITED = "info order.limited-evidence-therapy"

FOR_CRAMP = {"reasonCode": [concept("icd:R25.2")]}


def drug(*codes: str, **more: Any) -> list[Json]:
    return [draft_drug(*codes, **more)]


def study(*codes: str, **more: Any) -> list[Json]:
    return [draft_test(*codes, **more)]


TESTS = [
    case("sleep study by SNOMED CT", NO_REASON, drafts=study("sct:60554003"), conditions=[CRAMP]),
    case(
        "sleep study by LOINC, for a cramp", SLEEP_STUDY, drafts=study("loinc:28633-6", **FOR_CRAMP)
    ),
    case("with CPAP titration", NO_REASON, drafts=study("cpt:95811"), conditions=[CRAMP]),
    case("snoring", drafts=study("cpt:95810"), conditions=[CRAMP, dx("icd:R06.83")]),
    case(
        "narcolepsy suspected",
        drafts=study("cpt:95810"),
        conditions=[CRAMP, dx("icd:G47.419", verification="provisional")],
    ),
    case(
        "RLS suspected",
        drafts=study("cpt:95810"),
        conditions=[CRAMP, dx("icd:G25.81", verification="differential")],
    ),
    case(
        "apnea resolved",
        NO_REASON,
        drafts=study("cpt:95810"),
        conditions=[CRAMP, dx("icd:G47.33", clinical="resolved")],
    ),
    case(
        "for something else",
        drafts=study("cpt:95810", reasonCode=[concept("icd:R40.0")]),
        conditions=[CRAMP],
    ),
    case(
        "for something in words",
        drafts=study("cpt:95810", reasonCode=[concept("text:witnessed apneas")]),
        conditions=[CRAMP],
    ),
    case("home sleep apnea test", drafts=study("cpt:95806"), conditions=[CRAMP]),
    case("no complaint", drafts=study("cpt:95810")),
    case("Conditions not sent", NO_REASON, drafts=study("cpt:95810", **FOR_CRAMP), conditions=None),
    case("panel for a cramp", ROUTINE, drafts=study("loinc:24321-2", **FOR_CRAMP)),
    case(
        "magnesium at a visit for cramps",
        "info order.routine-electrolytes",
        drafts=study("loinc:19123-9"),
        visit=encounter("sct:102550009"),
    ),
    case("magnesium, cramps on the list only", drafts=study("loinc:19123-9"), conditions=[CRAMP]),
    case(
        "TSH at a visit for cramps", drafts=study("loinc:3016-3"), visit=encounter("sct:102550009")
    ),
    case("TSH for a cramp", ROUTINE, drafts=study("loinc:3016-3", **FOR_CRAMP)),
    case("HbA1c for a cramp", ROUTINE, drafts=study("loinc:4548-4", **FOR_CRAMP)),
    case("creatinine for a cramp", ROUTINE, drafts=study("loinc:2160-0", **FOR_CRAMP)),
    case("calcium for a cramp", ROUTINE, drafts=study("loinc:17861-6", **FOR_CRAMP)),
    case(
        "panel for diabetes",
        drafts=study("loinc:24321-2", reasonCode=[concept("icd:E11.9")]),
        visit=encounter("icd:R25.2"),
    ),
    case("inpatient", drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind="IMP")),
    case("emergency", drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind="EMER")),
    case(
        "observation unit",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        visit=encounter(kind="OBSENC"),
    ),
    case(
        "class not sent",
        ROUTINE,
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        visit=encounter(kind=None),
    ),
    case(
        "on a diuretic",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        medicationRequests=[rx("rx:313096")],
    ),
    case(
        "on lithium",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        medicationRequests=[rx("rx:197889")],
    ),
    case(
        "with dialysis",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        procedures=[done("sct:67970008", days=300)],
    ),
    case(
        "with kidney disease of stage 3",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:N18.31")],
    ),
    case(
        "with hyperthyroidism",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("sct:34486009")],
    ),
    case(
        "with prediabetes", drafts=study("loinc:4548-4", **FOR_CRAMP), conditions=[dx("icd:R73.03")]
    ),
    case(
        "with cirrhosis", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:K74.60")]
    ),
    case(
        "with edema", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("sct:271809000")]
    ),
    case(
        "with Addison's disease",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:E27.1")],
    ),
    case(
        "with an eating disorder",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:F50.2")],
    ),
    case(
        "with celiac disease",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:K90.0")],
    ),
    case(
        "after diarrhea",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:R19.7", recorded=30)],
    ),
    case(
        "long after diarrhea",
        ROUTINE,
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        conditions=[dx("icd:R19.7", recorded=31)],
    ),
    case(
        "a low potassium 365 days ago",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        observations=[lab("2823-3", 3.0, "mmol/L", days=365)],
    ),
    case(
        "a low potassium 366 days ago",
        ROUTINE,
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        observations=[lab("2823-3", 3.0, "mmol/L", days=366)],
    ),
    case("pregnant", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:Z34.93")]),
    case(
        "drugs not sent",
        "info order.routine-electrolytes",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        medicationRequests=None,
        medicationStatements=None,
    ),
    case(
        "results not sent",
        "info order.routine-electrolytes",
        drafts=study("loinc:24321-2", **FOR_CRAMP),
        observations=None,
    ),
    case("ferritin is no routine electrolyte", drafts=study("loinc:2276-4", **FOR_CRAMP)),
]

NEW_DRUGS = [
    case("hydrochlorothiazide", A, drafts=drug("rx:310798"), conditions=[CRAMP]),
    case(
        "losartan and hydrochlorothiazide in words",
        A,
        drafts=drug("text:losartan-hydrochlorothiazide 50-12.5 mg"),
        conditions=[CRAMP],
    ),
    case(
        "the same, hydrochlorothiazide in use",
        drafts=drug("text:losartan-hydrochlorothiazide 50-12.5 mg"),
        conditions=[CRAMP],
        medicationRequests=[rx("rx:310798")],
    ),
    case(
        "another diuretic beside one",
        A,
        drafts=drug("rx:313988"),
        conditions=[CRAMP],
        medicationRequests=[rx("rx:310798")],
    ),
    case(
        "a diuretic that was stopped",
        A,
        drafts=drug("rx:313988"),
        conditions=[CRAMP],
        medicationRequests=[rx("rx:310798", status="stopped")],
    ),
    case(
        "named as a renewal",
        drafts=drug("rx:310798", priorPrescription={"reference": "MedicationRequest/old"}),
        conditions=[CRAMP],
    ),
    case("naproxen, a brand", A, drafts=drug("rx:849728"), conditions=[CRAMP]),
    case("naproxen for the cramp itself", A, drafts=drug("rx:849728", **FOR_CRAMP)),
    case("salmeterol with fluticasone", A, drafts=drug("rx:284635"), conditions=[CRAMP]),
    case("teriparatide", A, drafts=drug("rx:847904"), conditions=[CRAMP]),
    case("iron sucrose with RLS and cramps", A, drafts=drug("rx:283517"), conditions=[CRAMP, RLS]),
    case("ferric carboxymaltose", drafts=drug("rx:1433693"), conditions=[CRAMP, RLS]),
    case("albuterol", drafts=drug("rx:745734"), conditions=[CRAMP]),
    case("amlodipine", drafts=drug("rx:197361"), conditions=[CRAMP]),
    case("amlodipine with celecoxib", drafts=drug("rx:2047712"), conditions=[CRAMP]),
    case(
        "amlodipine with benazepril, for hypertension",
        drafts=drug("rx:371002", reasonCode=[concept("icd:I10")]),
        conditions=[CRAMP],
    ),
    case("simvastatin with ezetimibe", drafts=drug("rx:476345"), conditions=[CRAMP]),
    case("insulin", drafts=drug("rx:311041"), conditions=[CRAMP]),
    case("diclofenac gel", drafts=drug("text:Voltaren 1 % gel, topical"), conditions=[CRAMP]),
    case("aspirin 81 mg", drafts=drug("rx:318272"), conditions=[CRAMP]),
    case("aspirin 500 mg", drafts=drug("rx:198471"), conditions=[CRAMP]),
    case("lisinopril", drafts=drug("rx:314076"), conditions=[CRAMP]),
    case("no complaint", drafts=drug("rx:310798")),
    case("RLS alone", drafts=drug("rx:310798"), conditions=[RLS]),
    case("Conditions not sent", drafts=drug("rx:310798"), conditions=None),
    case("magnesium oxide", LIMITED, drafts=drug("rx:198741"), conditions=[CRAMP]),
    case(
        "magnesium with a low magnesium",
        drafts=drug("rx:198741"),
        conditions=[CRAMP],
        observations=[lab("19123-9", 1.2, "mg/dL", days=20)],
    ),
    case(
        "magnesium for constipation", drafts=drug("rx:198741"), conditions=[CRAMP, dx("icd:K59.00")]
    ),
    case(
        "magnesium for another reason",
        drafts=drug("rx:198741", reasonCode=[concept("icd:G43.909")]),
        conditions=[CRAMP],
    ),
    case("magnesium for a cramp", LIMITED, drafts=drug("rx:198741", **FOR_CRAMP)),
    case("vitamin B12", LIMITED, drafts=drug("rx:11248"), conditions=[CRAMP]),
    case(
        "vitamin B12 for pernicious anemia",
        drafts=drug("rx:11248"),
        conditions=[CRAMP, dx("sct:84027009")],
    ),
    case(
        "carisoprodol for a cramp at 65",
        "warning order.limited-evidence-therapy > Remove this order",
        drafts=drug("rx:94126", **FOR_CRAMP),
        conditions=[CRAMP],
        patient={"birthDate": "1961-11-21"},
    ),
    case(
        "carisoprodol at 64",
        LIMITED,
        drafts=drug("rx:94126"),
        conditions=[CRAMP],
        patient={"birthDate": "1961-11-22"},
    ),
    case(
        "carisoprodol, born in 1961",
        LIMITED,
        drafts=drug("rx:94126"),
        conditions=[CRAMP],
        patient={"birthDate": "1961"},
    ),
    case(
        "carisoprodol for a cramp, born in 1960",
        "warning order.limited-evidence-therapy > Remove this order",
        drafts=drug("rx:94126", **FOR_CRAMP),
        conditions=[CRAMP],
        patient={"birthDate": "1960"},
    ),
    case(
        "carisoprodol, age unknown",
        LIMITED,
        drafts=drug("rx:94126"),
        conditions=[CRAMP],
        patient={"birthDate": None},
    ),
    case("baclofen for spasticity", drafts=drug("rx:197391"), conditions=[CRAMP, dx("icd:G80.1")]),
    case("cyclobenzaprine for a cramp", LIMITED, drafts=drug("rx:828320", **FOR_CRAMP)),
    case("diltiazem for a cramp", LIMITED, drafts=drug("rx:830837", **FOR_CRAMP)),
    case(
        "diltiazem for a cramp, with hypertension",
        drafts=drug("rx:830837", **FOR_CRAMP),
        conditions=[dx("sct:59621000")],
    ),
    case(
        "a minor", drafts=drug("rx:310798"), conditions=[CRAMP], patient={"birthDate": "2012-01-01"}
    ),
]


@pytest.mark.parametrize("one", cases(TESTS, NEW_DRUGS))
def test_order(caller: Caller, one: Case) -> None:
    """Exactly these cards, and no others."""
    answer = caller.cards(request(**one.chart))
    assert told(answer) == one.cards
    check_cards(answer)
