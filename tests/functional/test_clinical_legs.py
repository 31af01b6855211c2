"""The chart review of restless legs and claudication; see test_clinical_calls.py."""

import pytest

from tests.support.calls import Caller
from tests.support.clinical import answers, concept, done, dx, lab, ordered, rx, said, taking
from tests.support.clinical_cases import (
    ABI_HIGH,
    ABI_MISSING,
    ABI_NORMAL,
    CLAUDICATION,
    CRAMP,
    DIURETIC,
    FERRITIN_80,
    FERRITIN_MISSING,
    ORDER_IRON,
    RECENT_LABS,
    RLS,
    Case,
    case,
    cases,
    check_review,
    sided,
)

RESTLESS_LEGS = [
    case(
        "SNOMED CT and 40 ug/L",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("20567-4", 40, "ug/L")],
    ),
    case(
        "90 pmol/L is 40 ng/mL",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("14723-1", 90, "pmol/L")],
    ),
    case(
        "0.04 mg/L is 40 ng/mL",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 0.04, "mg/L")],
    ),
    case(
        "LOINC by OID",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 40, "ng/mL") | {"code": concept("loinc-oid:2276-4")}],
    ),
    case(
        "a corrected result",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 40, "ng/mL", status="corrected")],
    ),
    case(
        "preliminary 30 after a final 80",
        conditions=[RLS],
        observations=[
            lab("2276-4", 30, "ng/mL", status="preliminary", days=2),
            lab("2276-4", 80, "ng/mL", days=60),
        ],
    ),
    case(
        "two on one day: the lowest",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 80, "ng/mL", days=9), lab("2276-4", 45, "ng/mL", days=9)],
    ),
    case(
        "a newer normal one",
        conditions=[RLS],
        observations=[lab("2276-4", 45, "ng/mL", days=90), FERRITIN_80],
    ),
    case(
        "saturation on file: none to order",
        "warning rls.low-ferritin",
        conditions=[RLS],
        observations=[lab("2276-4", 45, "ng/mL"), lab("2502-3", 25, "%")],
    ),
    case(
        "on iron tablets",
        f"info rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 45, "ng/mL")],
        medicationStatements=[taking("rx:310325")],
    ),
    case(
        "intravenous iron 90 days ago",
        f"info rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 45, "ng/mL")],
        medicationStatements=[taking("rx:1433693", status="completed", days=90)],
    ),
    case(
        "intravenous iron 91 days ago",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        observations=[lab("2276-4", 45, "ng/mL")],
        medicationStatements=[taking("rx:1433693", status="completed", days=91)],
    ),
    case(
        "suspected in the questionnaire", FERRITIN_MISSING, more={"q": [answers(Q2=True, Q3=True)]}
    ),
    case("urge without relief by moving", more={"q": [answers(Q2=True, Q3=False)]}),
    case(
        "RLS unconfirmed, no ferritin",
        FERRITIN_MISSING,
        conditions=[dx("icd:G25.81", verification="unconfirmed")],
    ),
    case("RLS resolved", conditions=[dx("icd:G25.81", clinical="resolved")]),
    case("RLS in error", conditions=[dx("icd:G25.81", verification="entered-in-error")]),
    case(
        "ferritin ordered 30 days ago",
        conditions=[RLS],
        serviceRequests=[ordered("loinc:2276-4", days=30)],
    ),
    case(
        "ferritin ordered 31 days ago",
        FERRITIN_MISSING,
        conditions=[RLS],
        serviceRequests=[ordered("loinc:2276-4", days=31)],
    ),
    case(
        "the iron panel ordered",
        conditions=[RLS],
        serviceRequests=[ordered("loinc:50190-8", status="on-hold")],
    ),
    case("Observations not sent: nothing is missing", conditions=[RLS], observations=None),
    case(
        "with cramps, one card",
        f"warning rls.low-ferritin + rls.coexisting-cramp > {ORDER_IRON}",
        conditions=[RLS, CRAMP],
        observations=[lab("2276-4", 45, "ng/mL")],
    ),
    case(
        "with cramps and no ferritin, one card",
        FERRITIN_MISSING.replace(" >", " + rls.coexisting-cramp >"),
        conditions=[RLS, CRAMP],
    ),
    case(
        "suspected RLS with cramps and ferritin",
        "info cramp.first-line-care",
        conditions=[dx("icd:G25.81", verification="provisional"), dx("icd:G47.62", recorded=2)],
        observations=[FERRITIN_80],
    ),
    case(
        "cramps and a low ferritin",
        "info rls.ferritin-indicator",
        conditions=[CRAMP],
        observations=[lab("2276-4", 45, "ng/mL")],
    ),
    case(
        "pain in the calf and a low ferritin",
        "info rls.ferritin-indicator",
        conditions=[dx("sct:300954003")],
        observations=[lab("2276-4", "<5", "ng/mL")],
    ),
    case(
        "PLMD and a low ferritin",
        "info rls.ferritin-indicator",
        conditions=[dx("sct:445140006")],
        observations=[lab("2276-4", 45, "ng/mL")],
    ),
    case(
        "RLS refuted 365 days ago",
        conditions=[CRAMP, dx("icd:G25.81", verification="refuted", recorded=365)],
        observations=[lab("2276-4", 45, "ng/mL")],
    ),
    case(
        "RLS refuted 366 days ago",
        "info rls.ferritin-indicator",
        conditions=[CRAMP, dx("icd:G25.81", verification="refuted", recorded=366)],
        observations=[lab("2276-4", 45, "ng/mL")],
    ),
    case("no leg complaint", observations=[lab("2276-4", 45, "ng/mL")]),
    case(
        "a minor with RLS",
        conditions=[RLS],
        patient={"birthDate": "2009-01-01"},
        observations=[lab("2276-4", 20, "ng/mL")],
    ),
    case(
        "18 today",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS],
        patient={"birthDate": "2008-11-21"},
        observations=[lab("2276-4", 20, "ng/mL")],
    ),
    case(
        "18 tomorrow",
        conditions=[RLS],
        patient={"birthDate": "2008-11-22"},
        observations=[lab("2276-4", 20, "ng/mL")],
    ),
    case(
        "born in 2008, day unknown",
        conditions=[RLS],
        patient={"birthDate": "2008"},
        observations=[lab("2276-4", 20, "ng/mL")],
    ),
    case("PLMD with cramps", "info plmd.movements", conditions=[CRAMP, dx("sct:418763003")]),
    case("PLMD refuted", conditions=[CRAMP, dx("sct:418763003", verification="refuted")]),
]

CLAUDICATION_CASES = [
    case("SNOMED CT, no ABI", ABI_MISSING, conditions=[CLAUDICATION]),
    case(
        "atherosclerosis with claudication, by child code",
        ABI_MISSING,
        conditions=[dx("icd:I70.213")],
    ),
    case("pain on walking in the questionnaire", ABI_MISSING, more={"q": [answers(Q7=True)]}),
    case(
        "known PAD with an old ABI",
        conditions=[dx("icd:I70.213")],
        observations=[lab("77194-9", 0.8, "1", days=900)],
    ),
    case(
        "ABI ordered 60 days ago",
        conditions=[CLAUDICATION],
        serviceRequests=[ordered("cpt:93922", days=60)],
    ),
    case(
        "ABI ordered 61 days ago",
        ABI_MISSING,
        conditions=[CLAUDICATION],
        serviceRequests=[ordered("cpt:93922", days=61)],
    ),
    case(
        "legs as components, one low",
        "warning claudication.low-abi",
        conditions=[CRAMP],
        observations=[sided(1.05, 0.72)],
    ),
    case(
        "legs as components, both normal",
        ABI_NORMAL,
        conditions=[CLAUDICATION],
        observations=[sided(1.02, 0.97)],
    ),
    case(
        "side by LOINC code",
        "warning claudication.low-abi",
        conditions=[CRAMP],
        observations=[lab("8579-5", 0.9, "{ratio}"), lab("8580-3", 1.1, "{ratio}")],
    ),
    case(
        "no unit, up to 3.0",
        "warning claudication.low-abi",
        conditions=[CRAMP],
        observations=[lab("77194-9", 0.85, None)],
    ),
    case(
        "72 percent",
        "warning claudication.low-abi",
        conditions=[CRAMP],
        observations=[lab("77194-9", 72, "%")],
    ),
    case(
        "preliminary",
        conditions=[CRAMP],
        observations=[lab("77194-9", 0.5, "1", status="preliminary")],
    ),
    case(
        "730 days ago",
        "warning claudication.low-abi",
        conditions=[CRAMP],
        observations=[lab("77194-9", 0.5, "1", days=730)],
    ),
    case("731 days ago", conditions=[CRAMP], observations=[lab("77194-9", 0.5, "1", days=731)]),
    case(
        "age 65, no symptom",
        "info claudication.low-abi",
        patient={"birthDate": "1961-11-21"},
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "age 64, no symptom",
        patient={"birthDate": "1961-11-22"},
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "age 50 and smoking",
        "info claudication.low-abi",
        patient={"birthDate": "1976-11-21"},
        observations=[lab("77194-9", 0.85, "1"), said("loinc:72166-2", answer="sct:449868002")],
    ),
    case(
        "age 50 with diabetes",
        "info claudication.low-abi",
        patient={"birthDate": "1976-11-21"},
        conditions=[dx("sct:44054006")],
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "age 49 and smoking",
        patient={"birthDate": "1976-11-22"},
        conditions=[dx("icd:F17.210")],
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "age 49, diabetes and smoking",
        "info claudication.low-abi",
        patient={"birthDate": "1976-11-22"},
        conditions=[dx("icd:E11.9"), dx("icd:Z87.891")],
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "age 40, diabetes alone",
        patient={"birthDate": "1986-01-01"},
        conditions=[dx("icd:E11.9")],
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "coronary disease at 40",
        "info claudication.low-abi",
        patient={"birthDate": "1986-01-01"},
        conditions=[dx("icd:I25.10")],
        observations=[lab("77194-9", 0.85, "1")],
    ),
    case(
        "PAD recorded, no symptom",
        patient={"birthDate": "1950-01-01"},
        conditions=[dx("sct:840580004")],
        observations=[lab("77194-9", 0.7, "1")],
    ),
    case(
        "cramps and PAD, low ABI: one card",
        "warning claudication.low-abi + claudication.mimic-review",
        conditions=[CRAMP, dx("sct:840580004")],
        observations=[lab("77194-9", 0.7, "1")],
    ),
    case(
        "cramps and PAD, no ABI",
        "info claudication.mimic-review",
        conditions=[CRAMP, dx("sct:399957001")],
    ),
    case(
        "claudication and stenosis, studied",
        "info claudication.mimic-review",
        conditions=[CLAUDICATION, dx("sct:18347007")],
        observations=[lab("77194-9", 1.1, "1"), lab("77617-9", 0.8, "1")],
    ),
    case(
        "claudication and arthritis of the knee",
        ABI_MISSING.replace(" >", " + claudication.mimic-review >"),
        conditions=[CLAUDICATION, dx("sct:239873007")],
    ),
    case(
        "claudication and arthritis of the hand",
        ABI_MISSING,
        conditions=[CLAUDICATION, dx("icd:M19.041")],
    ),
    case("1.31", ABI_HIGH, conditions=[CLAUDICATION], observations=[lab("77194-9", 1.31, "1")]),
    case(
        "1.45 right, 0.80 left",
        "warning claudication.low-abi",
        conditions=[CLAUDICATION],
        observations=[sided(0.80, 1.45)],
    ),
    case(
        "1.45 with cramps at 70",
        ABI_HIGH,
        conditions=[CRAMP],
        patient={"birthDate": "1956-01-01"},
        observations=[lab("77194-9", 1.45, "1")],
    ),
    case(
        "1.45 with cramps at 40",
        conditions=[CRAMP],
        patient={"birthDate": "1986-01-01"},
        observations=[lab("77194-9", 1.45, "1")],
    ),
    case(
        "1.45, toe index done and normal",
        conditions=[CLAUDICATION],
        observations=[lab("77194-9", 1.45, "1"), lab("77618-7", 0.71, "1")],
    ),
    case(
        "1.45, toe index done and low",
        "warning claudication.low-tbi",
        conditions=[CLAUDICATION],
        observations=[lab("77194-9", 1.45, "1"), lab("77618-7", 0.7, "1")],
    ),
    case(
        "normal, duplex 730 days ago",
        conditions=[CLAUDICATION],
        observations=[lab("77194-9", 1.1, "1")],
        procedures=[done("loinc:39421-3", days=730)],
    ),
    case(
        "normal, duplex 731 days ago",
        ABI_NORMAL,
        conditions=[CLAUDICATION],
        observations=[lab("77194-9", 1.1, "1")],
        procedures=[done("loinc:39421-3", days=731)],
    ),
    case(
        "low ABI and a diuretic: two cards",
        "warning claudication.low-abi",
        DIURETIC,
        conditions=[CLAUDICATION, CRAMP],
        observations=[*RECENT_LABS, lab("77194-9", 0.8, "1")],
        medicationRequests=[rx("rx:313988")],
    ),
]


@pytest.mark.parametrize("one", cases(RESTLESS_LEGS, CLAUDICATION_CASES))
def test_review(caller: Caller, one: Case) -> None:
    check_review(caller, one)
