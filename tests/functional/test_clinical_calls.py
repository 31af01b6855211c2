"""What the chart review answers to whole calls that nobody wrote the rules against.

Expected cards follow from the sentences of the clinical specification, with other codes and other
shapes of data than the rules' own tests: SNOMED CT, OIDs, products, names, components, units. A
case names every card of the answer, so that it also says which rules stay silent.
"""

import pytest

from tests.support.calls import Caller
from tests.support.clinical import answers, dx, encounter, lab, rx, said
from tests.support.clinical_cases import (
    ABI_MISSING,
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
    flagged,
)

COMPLAINT = [
    case("SNOMED CT cramp", DIURETIC, conditions=[CRAMP], drugs=True),
    case("SNOMED CT by OID", DIURETIC, conditions=[dx("sct-oid:102550009")], drugs=True),
    case("a US edition of SNOMED CT", DIURETIC, conditions=[dx("sct-us:449918009")], drugs=True),
    case("ICD-10-CM by OID", DIURETIC, conditions=[dx("icd-oid:G47.62")], drugs=True),
    case("ICD-10-CM without a dot", DIURETIC, conditions=[dx("icd:M62831")], drugs=True),
    case("a cramp in words", DIURETIC, conditions=[dx("text:nocturnal leg cramps")], drugs=True),
    case("a local code system", DIURETIC, conditions=[dx("local:R25.2")], drugs=True),
    case("relapse", DIURETIC, conditions=[dx("icd:R25.2", clinical="relapse")], drugs=True),
    case("recurrence", DIURETIC, conditions=[dx("icd:R25.2", clinical="recurrence")], drugs=True),
    case("resolved", conditions=[dx("icd:R25.2", clinical="resolved")], drugs=True),
    case("inactive", conditions=[dx("icd:R25.2", clinical="inactive")], drugs=True),
    case("remission", conditions=[dx("icd:R25.2", clinical="remission")], drugs=True),
    case("refuted", conditions=[dx("icd:R25.2", verification="refuted")], drugs=True),
    case("in error", conditions=[dx("icd:R25.2", verification="entered-in-error")], drugs=True),
    case(
        "provisional",
        DIURETIC,
        conditions=[dx("icd:R25.2", verification="provisional")],
        drugs=True,
    ),
    case(
        "no statuses",
        DIURETIC,
        conditions=[dx("icd:R25.2", clinical=None, verification=None)],
        drugs=True,
    ),
    case(
        "no status, abated",
        drugs=True,
        conditions=[dx("icd:R25.2", clinical=None, abatementDateTime="2026-02-01")],
    ),
    case(
        "a diagnosis of a visit 365 days ago",
        DIURETIC,
        drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded=365)],
    ),
    case(
        "a diagnosis of a visit 366 days ago",
        drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded=366)],
    ),
    case(
        "a problem of ten years ago",
        DIURETIC,
        drugs=True,
        conditions=[dx("icd:G47.62", recorded=3650)],
    ),
    case(
        "a visit's diagnosis with only a year: new until that year ends",
        "info drug-review.diuretic + cramp.first-line-care",
        drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2026")],
    ),
    case(
        "a visit's diagnosis of the month that ends 356 days ago",
        DIURETIC,
        drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2025-11")],
    ),
    case(
        "a visit's diagnosis of the month before that",
        drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2025-10")],
    ),
    case(
        "cramp of the hand",
        drugs=True,
        conditions=[
            dx(
                "icd:R25.2",
                bodySite=[{"coding": [{"system": "http://snomed.info/sct", "code": "7569003"}]}],
            )
        ],
    ),
    case(
        "cramp of the calf",
        DIURETIC,
        drugs=True,
        conditions=[dx("icd:R25.2", bodySite=[{"text": "left calf"}])],
    ),
    case(
        "the visit's reason",
        "info drug-review.diuretic + cramp.first-line-care",
        visit=encounter("sct:55300003"),
        drugs=True,
    ),
    case(
        "the visit's reason by reference to a Condition",
        "info drug-review.diuretic + cramp.first-line-care",
        drugs=True,
        conditions=[dx("icd:R25.2", recorded=800, category="encounter-diagnosis")],
        visit=encounter(reasonReference=[{"reference": "Condition/c-icd-r25-2"}]),
    ),
    case(
        "the visit's diagnosis by reference",
        "info drug-review.diuretic + cramp.first-line-care",
        drugs=True,
        conditions=[dx("icd:G47.62", recorded=800)],
        visit=encounter(diagnosis=[{"condition": {"reference": "Condition/c-icd-g47-62"}}]),
    ),
    case(
        "a hardening muscle in the questionnaire",
        DIURETIC,
        drugs=True,
        more={"q": [answers(Q9=True)]},
    ),
    case("no hardening muscle", drugs=True, more={"q": [answers(Q9=False)]}),
    case("answered 91 days ago", drugs=True, more={"q": [answers(91, Q9=True)]}),
    case(
        "a cramp found and coded, 20 days ago",
        "info drug-review.diuretic + cramp.first-line-care",
        drugs=True,
        observations=[*RECENT_LABS, said("sct:102550009", answer="text:present")],
    ),
    case(
        "heat cramp",
        "info drug-review.diuretic + assoc.fluid-loss-heat + cramp.first-line-care",
        conditions=[dx("icd:T67.2XXA", recorded=3)],
        drugs=True,
    ),
    case(
        "new 30 days ago", "info cramp.first-line-care", conditions=[dx("icd:G47.62", recorded=30)]
    ),
    case("31 days old", conditions=[dx("icd:G47.62", recorded=31)]),
    case(
        "recorded long ago, onset last week",
        "info cramp.first-line-care",
        conditions=[dx("icd:G47.62", recorded=300, onsetDateTime="2026-11-14")],
    ),
    case(
        "new, with RLS recorded",
        "info rls.coexisting-cramp",
        conditions=[dx("icd:G47.62", recorded=5), RLS],
        observations=[FERRITIN_80],
    ),
    case(
        "new, questionnaire two weeks ago",
        conditions=[dx("icd:G47.62", recorded=5)],
        more={"q": [answers(14, Q1=True)]},
    ),
]

COMPOSITION = [
    case(
        "all kinds: warnings for which there is no room join the last card",
        "warning redflag.neuro-deficit",
        "warning redflag.toxin-exposure",
        "warning drug-review.quinine + rls.low-ferritin + rls.coexisting-cramp"
        f" + claudication.low-abi > Order a complete blood count; {ORDER_IRON}",
        conditions=[
            CRAMP,
            RLS,
            dx("icd:M21.371", recorded=3),
            dx("icd:T56.0X1A", recorded=3),
            dx("icd:E11.42"),
        ],
        medicationRequests=[rx("rx:9071"), rx("rx:313988")],
        observations=[*RECENT_LABS, lab("2276-4", 20, "ng/mL"), lab("77194-9", 0.7, "1")],
    ),
    case(
        "two kinds of diuretic, one card",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988"), rx("rx:313096")],
        observations=RECENT_LABS,
    ),
    case(
        "tier A, then B, then the context",
        "info drug-review.named-agents + drug-review.ccb + drug-review.lipid-lowering"
        " + drug-review.context",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:617312"), rx("rx:314076"), rx("rx:197361"), rx("rx:312768")],
    ),
    case(
        "drugs, conditions and first-line care in one",
        "info drug-review.ccb + assoc.neurologic + cramp.first-line-care",
        conditions=[dx("icd:G47.62", recorded=5), dx("sct:23056005")],
        medicationRequests=[rx("rx:197361")],
    ),
    case(
        "a warning of the laboratory stays a card of its own",
        "warning labs.low-electrolyte",
        DIURETIC,
        conditions=[CRAMP],
        medicationRequests=[rx("rx:313988")],
        observations=[*RECENT_LABS[1:], flagged("2823-3", 2.2, "mmol/L", "LL")],
    ),
    case(
        "RLS alone: only the card about RLS",
        f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[
            RLS,
            dx("icd:M62.81", recorded=3),
            dx("icd:E11.42"),
            dx("icd:K74.60"),
            dx("icd:E86.0", recorded=2),
        ],
        medicationRequests=[rx("rx:313988"), rx("rx:197361")],
        observations=[lab("2276-4", 20, "ng/mL"), flagged("2823-3", 2.2, "mmol/L", "LL")],
    ),
]

COMPOSITION += [
    case(
        "more notes than three: the last is named, not shown",
        FERRITIN_MISSING.replace(" >", " + rls.coexisting-cramp >"),
        ABI_MISSING,
        DIURETIC,
        conditions=[CRAMP, RLS, CLAUDICATION],
        medicationRequests=[rx("rx:313988")],
    ),
]


@pytest.mark.parametrize("one", cases(COMPLAINT, COMPOSITION))
def test_review(caller: Caller, one: Case) -> None:
    check_review(caller, one)
