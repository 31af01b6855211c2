"""The chart review of associated conditions and laboratory; see test_clinical_calls.py."""

import pytest

from tests.support.calls import Caller
from tests.support.clinical import done, dx, lab, ordered, rx, said
from tests.support.clinical_cases import (
    CRAMP,
    DIURETIC,
    RECENT_LABS,
    WORKUP,
    Case,
    case,
    cases,
    check_review,
    due,
    flagged,
    panel,
    ranged,
)

CONDITIONS = [
    case("sciatica", "info assoc.neurologic", conditions=[CRAMP, dx("sct:23056005")]),
    case(
        "diabetic polyneuropathy, SNOMED CT",
        "info assoc.neurologic + assoc.systemic",
        conditions=[CRAMP, dx("sct:49455004"), dx("sct:44054006")],
    ),
    case(
        "twitching and tingling",
        "info assoc.neurologic",
        conditions=[CRAMP, dx("icd:R25.3"), dx("icd:R20.2")],
    ),
    case(
        "tingling of the hand",
        conditions=[CRAMP, dx("icd:R20.2", bodySite=[{"text": "right hand"}])],
    ),
    case("carpal tunnel syndrome", conditions=[CRAMP, dx("icd:G56.01")]),
    case("radiculopathy resolved", conditions=[CRAMP, dx("icd:M54.16", clinical="resolved")]),
    case(
        "varicose veins and edema",
        "info assoc.venous",
        "info labs.targeted-workup > Order renal function",
        conditions=[CRAMP, dx("sct:72866009"), dx("sct:102572006")],
    ),
    case("esophageal varices", conditions=[CRAMP, dx("icd:I85.00")]),
    case("cirrhosis, child code", "info assoc.systemic", conditions=[CRAMP, dx("icd:K70.31")]),
    case(
        "hypertension and high cholesterol only",
        conditions=[CRAMP, dx("icd:I10"), dx("icd:E78.00")],
    ),
    case(
        "dialysis known by a Procedure",
        "info assoc.systemic",
        conditions=[CRAMP],
        procedures=[done("sct:233575001")],
        observations=RECENT_LABS,
    ),
    case(
        "dialysis that was not done",
        conditions=[CRAMP],
        procedures=[done("sct:233575001", status="not-done")],
        observations=RECENT_LABS,
    ),
    case("gestational diabetes", conditions=[CRAMP, dx("icd:O24.410", clinical="resolved")]),
    case(
        "pregnant by SNOMED CT",
        "info assoc.pregnancy",
        conditions=[CRAMP, dx("sct:16356006", recorded=30)],
    ),
    case(
        "pregnant by status, 300 days ago",
        "info assoc.pregnancy",
        conditions=[CRAMP],
        observations=[said("loinc:82810-3", answer="sct:77386006", days=300)],
    ),
    case(
        "pregnant by status, 301 days ago",
        conditions=[CRAMP],
        observations=[said("loinc:82810-3", answer="sct:77386006", days=301)],
    ),
    case(
        "pregnant, then not",
        conditions=[CRAMP],
        observations=[
            said("loinc:82810-3", answer="sct:77386006", days=60),
            said("loinc:82810-3", answer="sct:60001007", days=2, id="o-later"),
        ],
    ),
    case(
        "pregnancy, then a delivery",
        conditions=[CRAMP, dx("icd:Z34.93", recorded=120), dx("icd:O80", recorded=10)],
    ),
    case(
        "a delivery, then a pregnancy",
        "info assoc.pregnancy",
        conditions=[
            CRAMP,
            dx("icd:Z34.93", recorded=20),
            dx("icd:O80", recorded=700, clinical="resolved"),
        ],
    ),
    case(
        "pregnant by status, then a loss",
        conditions=[CRAMP, dx("icd:O03.9", recorded=10)],
        observations=[said("loinc:82810-3", answer="sct:77386006", days=60)],
    ),
    case(
        "due date ahead",
        "info assoc.pregnancy",
        conditions=[CRAMP],
        observations=[due("2027-02-01", days=30)],
    ),
    case(
        "due date ahead, then a loss",
        conditions=[CRAMP, dx("icd:O03.9", recorded=10)],
        observations=[due("2027-02-01", days=60)],
    ),
    case("due date gone by", conditions=[CRAMP], observations=[due("2026-11-01", days=200)]),
    case(
        "pregnancy recorded for a man",
        conditions=[CRAMP, dx("icd:Z34.93", recorded=20)],
        patient={"gender": "male"},
    ),
    case(
        "pregnancy, sex not recorded",
        "info assoc.pregnancy",
        conditions=[CRAMP, dx("icd:Z34.93", recorded=20)],
        patient={"gender": None},
    ),
    case(
        "vomiting 30 days ago",
        "info assoc.fluid-loss-heat",
        conditions=[CRAMP, dx("icd:R11.10", recorded=30)],
        observations=RECENT_LABS,
    ),
    case(
        "vomiting 31 days ago",
        conditions=[CRAMP, dx("icd:R11.10", recorded=31)],
        observations=RECENT_LABS,
    ),
    case(
        "diarrhea, long recorded, resolved",
        conditions=[CRAMP, dx("sct:62315008", clinical="resolved", recorded=5)],
        observations=RECENT_LABS,
    ),
    case("atrophy is no alarm", conditions=[CRAMP, dx("icd:M62.561", recorded=20)]),
    case(
        "foot drop, undated",
        "warning redflag.neuro-deficit",
        conditions=[CRAMP, dx("icd:M21.371", recorded=None)],
    ),
    case(
        "weakness refuted",
        conditions=[CRAMP, dx("icd:M62.81", verification="refuted", recorded=20)],
    ),
    case(
        "gait explained by a stroke",
        conditions=[CRAMP, dx("icd:R26.9", recorded=20), dx("icd:I69.354")],
    ),
    case(
        "general weakness beside a stroke is no alarm",
        conditions=[
            CRAMP,
            dx("icd:R26.9", recorded=20),
            dx("icd:I69.354"),
            dx("icd:M62.81", recorded=20),
        ],
    ),
    case(
        "lead poisoning 365 days ago",
        "warning redflag.toxin-exposure",
        conditions=[CRAMP, dx("sct:38342005", recorded=365)],
    ),
    case("lead poisoning 366 days ago", conditions=[CRAMP, dx("sct:38342005", recorded=366)]),
]

LABORATORY = [
    case(
        "potassium 3.1 flagged low",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[flagged("2823-3", 3.1, "mmol/L", "L")],
    ),
    case(
        "potassium 2.9 flagged low",
        "warning labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[flagged("2823-3", 2.9, "mmol/L", "L")],
    ),
    case(
        "potassium 3.5 without a range",
        conditions=[CRAMP],
        observations=[lab("2823-3", 3.5, "mmol/L", days=7)],
    ),
    case(
        "potassium 3.4 without a range",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[lab("2823-3", 3.4, "mmol/L", days=7)],
    ),
    case(
        "potassium 3.4, the laboratory's limit is 3.3",
        conditions=[CRAMP],
        observations=[ranged("2823-3", 3.4, "mmol/L", 3.3)],
    ),
    case(
        "potassium 3.6, the laboratory's limit is 3.7",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[ranged("2823-3", 3.6, "mmol/L", 3.7)],
    ),
    case(
        "potassium 3.6 flagged low",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[flagged("2823-3", 3.6, "mmol/L", "L")],
    ),
    case(
        "significantly low",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[flagged("2823-3", 3.6, "mmol/L", "LU")],
    ),
    case(
        "sodium 118 flagged critical",
        "warning labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[flagged("2951-2", 118, "mmol/L", "LL")],
    ),
    case(
        "magnesium 1.0 meq/L is 1.2 mg/dL",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[lab("2601-3", 1.0, "meq/L", days=7)],
    ),
    case(
        "magnesium 0.7 mmol/L is 1.7 mg/dL",
        conditions=[CRAMP],
        observations=[lab("2601-3", 0.7, "mmol/L", days=7)],
    ),
    case(
        "calcium 2.0 mmol/L is 8.0 mg/dL",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[lab("2000-8", 2.0, "mmol/L", days=7)],
    ),
    case(
        "calcium 2.2 mmol/L is 8.8 mg/dL",
        conditions=[CRAMP],
        observations=[lab("2000-8", 2.2, "mmol/L", days=7)],
    ),
    case(
        "90 days ago",
        "warning labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[lab("2823-3", 2.9, "mmol/L", days=90)],
    ),
    case("91 days ago", conditions=[CRAMP], observations=[lab("2823-3", 2.9, "mmol/L", days=91)]),
    case(
        "low, then normal",
        conditions=[CRAMP],
        observations=[lab("2823-3", 2.9, "mmol/L", days=9), lab("2823-3", 4.0, "mmol/L", days=2)],
    ),
    case(
        "in an impossible unit",
        conditions=[CRAMP],
        observations=[lab("2823-3", 2.9, "ng/mL", days=7)],
    ),
    case(
        "a component of a panel",
        "warning labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[panel(2.9, 140)],
    ),
    case(
        "at most 3.4",
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[lab("2823-3", "<=3.4", "mmol/L", days=7)],
    ),
    case("without a complaint", observations=[flagged("2823-3", 2.9, "mmol/L", "LL")]),
    case(
        "low, with the drug that may do it",
        DIURETIC,
        "info labs.low-electrolyte",
        conditions=[CRAMP],
        observations=[*RECENT_LABS[1:], flagged("2823-3", 3.1, "mmol/L", "L")],
        medicationRequests=[rx("rx:313988")],
    ),
    case(
        "diuretic, no results",
        DIURETIC,
        WORKUP,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
    ),
    case(
        "diuretic, a panel of 180 days ago",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
        observations=[panel(4.0, 140, "2026-05-25")],
    ),
    case(
        "diuretic, a panel of 181 days ago",
        DIURETIC,
        WORKUP,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
        observations=[panel(4.0, 140, "2026-05-24")],
    ),
    case(
        "diuretic, a panel is ordered",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
        serviceRequests=[ordered("loinc:24323-8")],
    ),
    case(
        "diuretic, results not sent",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
        observations=None,
    ),
    case(
        "Hashimoto, TSH 365 days ago",
        "info assoc.systemic",
        conditions=[CRAMP, dx("sct:21983002")],
        observations=[lab("3016-3", 2.0, "mIU/L", days=365)],
    ),
    case(
        "Hashimoto, TSH 366 days ago",
        "info assoc.systemic",
        "info labs.targeted-workup > Order TSH",
        conditions=[CRAMP, dx("sct:21983002")],
        observations=[lab("3016-3", 2.0, "mIU/L", days=366)],
    ),
    case(
        "prediabetes, no HbA1c",
        "info labs.targeted-workup > Order HbA1c",
        conditions=[CRAMP, dx("icd:R73.03")],
    ),
    case(
        "diabetes needs no HbA1c for cramps",
        "info assoc.systemic",
        conditions=[CRAMP, dx("icd:E11.9")],
    ),
    case(
        "after thyroidectomy",
        "info assoc.systemic",
        "info labs.targeted-workup > Order TSH; Order calcium",
        conditions=[CRAMP, dx("icd:E89.0")],
    ),
    case(
        "malabsorption",
        "info labs.targeted-workup > Order calcium",
        conditions=[CRAMP, dx("icd:K90.0")],
    ),
    case("kidney disease of stage 3", WORKUP, conditions=[CRAMP, dx("icd:N18.32")]),
]


@pytest.mark.parametrize("one", cases(CONDITIONS, LABORATORY))
def test_review(caller: Caller, one: Case) -> None:
    check_review(caller, one)
