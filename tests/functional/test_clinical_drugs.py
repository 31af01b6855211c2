"""The chart review of drugs in use; see test_clinical_calls.py."""

import pytest

from tests.support.calls import Caller
from tests.support.clinical import concept, dx, encounter, lab, rx, taking
from tests.support.clinical_cases import (
    CRAMP,
    DIURETIC,
    FERRITIN_80,
    LOW_PLATELETS,
    QUININE,
    RECENT_LABS,
    RLS,
    WORKUP,
    Case,
    by_reference,
    case,
    cases,
    check_review,
)

DRUGS = [
    case(
        "a branded product",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:93253")],
        observations=RECENT_LABS,
    ),
    case(
        "RxNorm by OID",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationRequests=[rx("rx-oid:197361")],
    ),
    case(
        "two codes of different drugs",
        "info drug-review.uncounted",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:4603", "atc:C07AB02")],
    ),
    case(
        "two codes of one drug",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:4603", "atc:C03CA01")],
        observations=RECENT_LABS,
    ),
    case(
        "the parts of a mixture",
        DIURETIC + " + drug-review.context",
        conditions=[CRAMP],
        medicationRequests=[
            {
                **rx("text:x"),
                "medicationCodeableConcept": None,
                "contained": [
                    {
                        "resourceType": "Medication",
                        "id": "mixture",
                        "ingredient": [
                            {"itemCodeableConcept": concept("rx:29046")},
                            {"itemCodeableConcept": concept("rx:5487")},
                        ],
                    }
                ],
                "medicationReference": {"reference": "#mixture"},
            }
        ],
        observations=RECENT_LABS,
    ),
    case(
        "NDC and words",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationRequests=[rx("ndc:00093-7167-98", "text:amLODIPine 5 mg tablet")],
    ),
    case(
        "words only, a brand",
        "info drug-review.named-agents",
        conditions=[CRAMP],
        medicationStatements=[taking("text:Aleve 220 mg as needed")],
    ),
    case(
        "words only, a combination",
        "info drug-review.diuretic + drug-review.context",
        WORKUP,
        conditions=[CRAMP],
        medicationRequests=[rx("text:Lisinopril-Hydrochlorothiazide 20-12.5 mg")],
    ),
    case(
        "a contained Medication",
        "info drug-review.lipid-lowering",
        conditions=[CRAMP],
        **by_reference("contained", "rx:617312", contained=True),
    ),
    case(
        "a Medication sent along",
        "info drug-review.lipid-lowering",
        conditions=[CRAMP],
        **by_reference("sent", "rx:617312", contained=False),
    ),
    case(
        "requested and stated, one drug",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:197361")],
        medicationStatements=[taking("rx:17767")],
    ),
    case(
        "a statement that is intended",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:17767", status="intended")],
    ),
    case(
        "a statement not taken",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:17767", status="not-taken")],
    ),
    case(
        "a completed request",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", status="completed")],
    ),
    case(
        "a request on hold",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", status="on-hold")],
    ),
    case(
        "an order not to give it",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", doNotPerform=True)],
    ),
    case(
        "written 400 days ago",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", days=400)],
    ),
    case(
        "written 401 days ago", conditions=[CRAMP], medicationRequests=[rx("rx:197361", days=401)]
    ),
    case(
        "written long ago, valid until next month",
        "info drug-review.ccb",
        conditions=[CRAMP],
        medicationRequests=[
            rx("rx:197361", days=900, dispenseRequest={"validityPeriod": {"end": "2026-12-21"}})
        ],
    ),
    case(
        "past its validity",
        conditions=[CRAMP],
        medicationRequests=[
            rx("rx:197361", dispenseRequest={"validityPeriod": {"end": "2026-11-20"}})
        ],
    ),
    case(
        "a diclofenac gel",
        conditions=[CRAMP],
        medicationRequests=[rx("text:diclofenac 1 % topical gel")],
    ),
    case(
        "diclofenac onto the skin",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:3355", route="topical")],
    ),
    case(
        "ketorolac eye drops",
        conditions=[CRAMP],
        medicationRequests=[rx("text:ketorolac 0.5 % ophthalmic solution")],
    ),
    case(
        "diclofenac tablets",
        "info drug-review.nsaid",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:855657")],
    ),
    case(
        "a meloxicam suppository acts in the whole body",
        "info drug-review.nsaid",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:152694")],
    ),
    case("aspirin 81 mg", conditions=[CRAMP], medicationRequests=[rx("rx:318272")]),
    case("aspirin 325 mg", conditions=[CRAMP], medicationRequests=[rx("rx:212033")]),
    case(
        "aspirin 500 mg",
        "info drug-review.nsaid",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:198471")],
    ),
    case(
        "vaginal conjugated estrogens",
        conditions=[CRAMP],
        medicationRequests=[rx("text:Premarin 0.625 mg/g vaginal cream")],
    ),
    case(
        "conjugated estrogens by mouth",
        "info drug-review.named-agents",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:150840")],
    ),
    case(
        "estradiol patch",
        conditions=[CRAMP],
        medicationRequests=[rx("text:estradiol 0.05 mg/day transdermal patch")],
    ),
    case(
        "fluticasone and salmeterol",
        "info drug-review.beta-agonist",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:284635")],
    ),
    case(
        "levalbuterol",
        "info drug-review.beta-agonist",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:237159")],
    ),
    case("atenolol", conditions=[CRAMP], medicationRequests=[rx("rx:197381")]),
    case(
        "acetazolamide",
        conditions=[CRAMP],
        medicationRequests=[rx("text:acetazolamide 250 mg tablet")],
    ),
    case(
        "omega-3",
        conditions=[CRAMP],
        medicationRequests=[rx("text:omega-3 acid ethyl esters 1 g capsule")],
    ),
    case(
        "cholestyramine",
        conditions=[CRAMP],
        medicationRequests=[rx("text:cholestyramine 4 g powder")],
    ),
    case(
        "ezetimibe",
        "info drug-review.lipid-lowering",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:349556")],
    ),
    case(
        "insulin glargine",
        "info drug-review.other-listed",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:311041")],
    ),
    case(
        "levonorgestrel device",
        conditions=[CRAMP],
        medicationRequests=[rx("text:levonorgestrel 52 mg intrauterine system")],
    ),
    case(
        "iron sucrose 30 days ago",
        "info drug-review.named-agents",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:283517", status="completed", days=30)],
    ),
    case(
        "iron sucrose 31 days ago",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:283517", status="completed", days=31)],
    ),
    case(
        "ferric carboxymaltose",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:1433693", status="completed", days=3)],
    ),
    case("ferrous sulfate", conditions=[CRAMP], medicationRequests=[rx("rx:310325")]),
    case(
        "amlodipine and atorvastatin in one",
        "info drug-review.ccb + drug-review.lipid-lowering",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:404010")],
    ),
    case("lisinopril alone", conditions=[CRAMP], medicationRequests=[rx("rx:314076")]),
    case(
        "alcohol beside raloxifene",
        "info drug-review.named-agents + drug-review.context",
        conditions=[CRAMP, dx("sct:7200002")],
        medicationRequests=[rx("rx:312768")],
    ),
    case("alcohol alone", conditions=[CRAMP, dx("icd:F10.20")]),
    case(
        "naproxen is not listed twice",
        "info drug-review.named-agents",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:849728")],
    ),
    case(
        "RLS alone silences drugs and conditions",
        conditions=[RLS, dx("icd:E11.42")],
        medicationRequests=[rx("rx:313988"), rx("rx:197361")],
        observations=[FERRITIN_80],
    ),
    case(
        "ropinirole without its reason",
        "info drug-review.dopamine-agonist-without-rls",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:152953")],
    ),
    case(
        "a rotigotine patch",
        "info drug-review.dopamine-agonist-without-rls",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:722253")],
    ),
    case(
        "carbidopa and levodopa",
        conditions=[CRAMP],
        medicationStatements=[taking("rx:724598")],
    ),
    case(
        "pramipexole for drug-induced parkinsonism",
        "info assoc.neurologic",
        conditions=[CRAMP, dx("sct:4223005")],
        medicationRequests=[rx("rx:858625")],
    ),
    case(
        "ropinirole with suspected PLMD",
        "info plmd.movements",
        conditions=[CRAMP, dx("sct:418763003", verification="differential")],
        medicationRequests=[rx("rx:152953")],
    ),
]

QUININE_CASES = [
    case("a branded capsule", QUININE, conditions=[CRAMP], medicationRequests=[rx("rx:997012")]),
    case(
        "with RLS in pregnancy",
        QUININE,
        conditions=[dx("sct:1052284009")],
        medicationRequests=[rx("rx:198186")],
        observations=[FERRITIN_80],
    ),
    case(
        "no reason on file", QUININE, medicationStatements=[taking("text:quinine sulfate 324 mg")]
    ),
    case(
        "malaria recorded 30 days ago",
        conditions=[dx("sct:61462000", recorded=30)],
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "malaria recorded 31 days ago",
        QUININE,
        conditions=[dx("sct:61462000", recorded=31)],
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "babesiosis", conditions=[dx("icd:B60.00", recorded=5)], medicationRequests=[rx("rx:9071")]
    ),
    case(
        "malaria is the visit's reason",
        visit=encounter("icd:B54"),
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "malaria refuted",
        QUININE,
        conditions=[dx("icd:B54", recorded=5, verification="refuted")],
        medicationRequests=[rx("rx:9071")],
    ),
    case("quinidine", conditions=[CRAMP], medicationRequests=[rx("text:quinidine sulfate 200 mg")]),
    case(
        "hydroxychloroquine",
        conditions=[CRAMP],
        medicationRequests=[rx("text:hydroxychloroquine 200 mg")],
    ),
    case(
        "a minor",
        QUININE,
        conditions=[CRAMP],
        patient={"birthDate": "2010-01-01"},
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "after death",
        conditions=[CRAMP],
        patient={"deceasedDateTime": "2026-10-01"},
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "platelets 149",
        LOW_PLATELETS,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:9071")],
        observations=[lab("777-3", 149, "10*9/L")],
    ),
    case(
        "platelets 150",
        QUININE,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:9071")],
        observations=[lab("777-3", 150, "10*9/L")],
    ),
    case(
        "platelets 92,000 per microliter",
        LOW_PLATELETS,
        medicationRequests=[rx("rx:9071")],
        observations=[lab("26515-7", 92000, "/uL")],
    ),
    case(
        "platelets 91 days ago",
        QUININE,
        medicationRequests=[rx("rx:9071")],
        observations=[lab("777-3", 92, "10*3/uL", days=91)],
    ),
    case(
        "low, then normal",
        QUININE,
        medicationRequests=[rx("rx:9071")],
        observations=[lab("777-3", 92, "10*3/uL", days=20), lab("777-3", 180, "10*3/uL", days=2)],
    ),
    case(
        "ITP on the list",
        LOW_PLATELETS,
        conditions=[dx("sct:32273002")],
        medicationRequests=[rx("rx:9071")],
    ),
    case(
        "malaria and platelets 80",
        "warning redflag.quinine-low-platelets > Order a complete blood count",
        conditions=[dx("icd:B50.9", recorded=5)],
        medicationRequests=[rx("rx:9071")],
        observations=[lab("777-3", 80, "10*3/uL")],
    ),
]


@pytest.mark.parametrize("one", cases(DRUGS, QUININE_CASES))
def test_review(caller: Caller, one: Case) -> None:
    check_review(caller, one)
