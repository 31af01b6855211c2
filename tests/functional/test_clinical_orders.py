"""What the order services answer to whole calls that nobody wrote the rules against.

As test_clinical_calls.py: expected cards follow from the clinical specification, and a case names
every card of the answer.
"""

from typing import Any

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import (
    check_cards,
    concept,
    draft_drug,
    draft_test,
    dx,
    lab,
    request,
    rx,
    taking,
    told,
)
from tests.support.clinical_cases import Case, case, cases

CRAMP = dx("sct:449917004", recorded=20)

RLS = dx("sct:32914008")

QUININE = "quinine > Remove the quinine order!"

CRITICAL, WARNING = f"critical order.{QUININE}", f"warning order.{QUININE}"

LOW_PLATELETS = "critical redflag.quinine-low-platelets + order.quinine > Remove the quinine order!"

NO_RLS = "warning order.dopamine-agonist-without-rls > Remove this order"

NO_RLS_FERRITIN = f"{NO_RLS}; Order ferritin, if RLS is suspected"

FOR_RLS = "info order.dopamine-agonist-rls"

SLEEP_STUDY = "info order.polysomnography"

A = "warning order.cramp-provoking-drug"

FOR_CRAMP = {"reasonCode": [concept("icd:R25.2")]}


def drug(*codes: str, **more: Any) -> list[Json]:
    return [draft_drug(*codes, **more)]


def study(*codes: str, **more: Any) -> list[Json]:
    return [draft_test(*codes, **more)]


QUININE_CASES = [
    case("a branded capsule", CRITICAL, drafts=drug("rx:997012"), conditions=[CRAMP]),
    case("in words, no complaint", WARNING, drafts=drug("text:quiNINE sulfate 324 mg capsule")),
    case("an NDC with words", WARNING, drafts=drug("ndc:53489-0700-01", "text:Qualaquin 324 mg")),
    case(
        "with suspected RLS",
        CRITICAL,
        drafts=drug("rx:198186"),
        conditions=[dx("icd:G25.81", verification="provisional")],
    ),
    case("for a cramp, an array", CRITICAL, drafts=drug("rx:9071", **FOR_CRAMP)),
    case(
        "for a cramp, an object",
        CRITICAL,
        drafts=drug("rx:9071", reasonCode=concept("sct:102550009")),
    ),
    case(
        "for a cramp, a Condition",
        CRITICAL,
        drafts=drug("rx:9071", reasonReference=[{"reference": "Condition/c-icd-g47-62"}]),
        conditions=[dx("icd:G47.62", clinical=None)],
    ),
    case(
        "for malaria",
        drafts=drug("rx:9071", reasonCode=[concept("sct:61462000")]),
        conditions=[CRAMP],
    ),
    case(
        "for malaria, a Condition on file",
        drafts=drug("rx:9071", reasonReference=[{"reference": "Condition/c-icd-b50-9"}]),
        conditions=[dx("icd:B50.9", recorded=300)],
    ),
    case(
        "malaria 31 days ago",
        CRITICAL,
        drafts=drug("rx:9071"),
        conditions=[CRAMP, dx("icd:B50.9", recorded=31)],
    ),
    case(
        "babesiosis this week",
        drafts=drug("rx:9071"),
        conditions=[CRAMP, dx("sct:21061004", recorded=3)],
    ),
    case(
        "renewed",
        CRITICAL,
        drafts=drug("rx:997012"),
        conditions=[CRAMP],
        medicationRequests=[rx("rx:198186")],
    ),
    case("Conditions not sent", WARNING.replace("!", ""), drafts=drug("rx:9071"), conditions=None),
    case("quinidine", drafts=drug("text:quinidine gluconate 324 mg"), conditions=[CRAMP]),
    case("chloroquine", drafts=drug("text:chloroquine 250 mg"), conditions=[CRAMP]),
    case("tonic water", drafts=drug("text:tonic water"), conditions=[CRAMP]),
    case(
        "a minor",
        CRITICAL,
        drafts=drug("rx:9071"),
        conditions=[CRAMP],
        patient={"birthDate": "2012"},
    ),
    case(
        "after death", drafts=drug("rx:9071"), conditions=[CRAMP], patient={"deceasedBoolean": True}
    ),
    case("in pregnancy", CRITICAL, drafts=drug("rx:9071"), conditions=[CRAMP, dx("icd:Z34.93")]),
    case("not selected", drafts=drug("rx:9071"), select=[], conditions=[CRAMP]),
    case(
        "platelets 149",
        LOW_PLATELETS,
        drafts=drug("rx:9071"),
        conditions=[CRAMP],
        observations=[lab("777-3", 149, "10*3/uL")],
    ),
    case(
        "platelets 150",
        CRITICAL,
        drafts=drug("rx:9071"),
        conditions=[CRAMP],
        observations=[lab("777-3", 150, "10*3/uL")],
    ),
    case("TTP on the list", LOW_PLATELETS, drafts=drug("rx:9071"), conditions=[dx("sct:78129009")]),
    case(
        "for malaria with platelets 80",
        "warning redflag.quinine-low-platelets",
        drafts=drug("rx:9071", reasonCode=[concept("icd:B50.9")]),
        observations=[lab("777-3", 80, "10*3/uL")],
    ),
    case("a combination with quinine", f"{CRITICAL}", drafts=drug("rx:427479"), conditions=[CRAMP]),
]

DOPAMINE = [
    case(
        "cramps, no reason given",
        "info order.dopamine-agonist-without-rls",
        drafts=drug("rx:152952"),
        conditions=[CRAMP],
    ),
    case(
        "for a cramp, a ferritin is on file",
        NO_RLS,
        drafts=drug("rx:152952", **FOR_CRAMP),
        conditions=[CRAMP],
        observations=[lab("2276-4", 80, "ng/mL")],
    ),
    case("a rotigotine patch for a cramp", NO_RLS_FERRITIN, drafts=drug("rx:722253", **FOR_CRAMP)),
    case("carbidopa and levodopa", drafts=drug("rx:724598"), conditions=[CRAMP]),
    case("levodopa for a cramp", NO_RLS_FERRITIN, drafts=drug("rx:724598", **FOR_CRAMP)),
    case("no complaint", drafts=drug("rx:152952")),
    case(
        "Parkinson's disease is the order's reason",
        drafts=drug("rx:858625", reasonCode=[concept("icd:G20.A1")]),
        conditions=[CRAMP],
    ),
    case(
        "RLS is the order's reason",
        FOR_RLS + " > Order ferritin",
        drafts=drug("rx:858625", reasonCode=[concept("sct:32914008")]),
        conditions=[CRAMP],
    ),
    case(
        "PLMD suspected",
        drafts=drug("rx:858625"),
        conditions=[CRAMP, dx("icd:G47.61", verification="provisional")],
    ),
    case(
        "PLMD refuted",
        NO_RLS_FERRITIN,
        drafts=drug("rx:858625", **FOR_CRAMP),
        conditions=[CRAMP, dx("icd:G47.61", verification="refuted")],
    ),
    case(
        "already in use",
        drafts=drug("rx:152953"),
        conditions=[CRAMP],
        medicationStatements=[taking("rx:72302")],
    ),
    case(
        "RLS, no ferritin",
        FOR_RLS + " > Order ferritin",
        drafts=drug("rx:858625"),
        conditions=[RLS],
    ),
    case(
        "RLS, ferritin ordered in the same session",
        FOR_RLS,
        drafts=[*drug("rx:858625"), *study("loinc:2276-4")],
        select=["MedicationRequest/draft-rx-858625"],
        conditions=[RLS],
    ),
    case(
        "RLS, ferritin 49",
        FOR_RLS,
        drafts=drug("rx:858625"),
        conditions=[RLS],
        observations=[lab("2276-4", 49, "ng/mL")],
    ),
    case(
        "RLS, ferritin 50",
        FOR_RLS,
        drafts=drug("rx:858625"),
        conditions=[RLS],
        observations=[lab("2276-4", 50, "ng/mL")],
    ),
    case(
        "RLS, ferritin 20 of last year",
        FOR_RLS + " > Order ferritin",
        drafts=drug("rx:858625"),
        conditions=[RLS],
        observations=[lab("2276-4", 20, "ng/mL", days=366)],
    ),
    case(
        "RLS with Parkinson's disease", drafts=drug("rx:858625"), conditions=[RLS, dx("icd:G20.C")]
    ),
    case(
        "RLS, renewed",
        drafts=drug("rx:858625"),
        conditions=[RLS],
        medicationRequests=[rx("rx:746741")],
    ),
    case(
        "RLS, Observations not sent",
        FOR_RLS,
        drafts=drug("rx:858625"),
        conditions=[RLS],
        observations=None,
    ),
]

SEVERAL = [
    case(
        "two selected",
        CRITICAL,
        A,
        drafts=[*drug("rx:9071"), *drug("rx:310798")],
        conditions=[CRAMP],
    ),
    case(
        "one of two selected",
        A,
        drafts=[*drug("rx:9071"), *drug("rx:310798")],
        select=["MedicationRequest/draft-rx-310798"],
        conditions=[CRAMP],
    ),
    case(
        "order-sign: all of them",
        CRITICAL,
        A,
        SLEEP_STUDY,
        hook="order-sign",
        drafts=[*drug("rx:310798"), *study("cpt:95810"), *drug("rx:9071")],
        conditions=[CRAMP],
    ),
    case(
        "two strengths of one drug, one card",
        "critical order.quinine > Remove the quinine order: quinine 325 MG capsule!;"
        " Remove the quinine order: quinine 200 MG capsule!",
        drafts=[
            *drug("rx:198186", "text:quinine 325 MG capsule"),
            *drug("rx:198832", "text:quinine 200 MG capsule"),
        ],
        conditions=[CRAMP],
    ),
]


@pytest.mark.parametrize("one", cases(QUININE_CASES, DOPAMINE, SEVERAL))
def test_order(caller: Caller, one: Case) -> None:
    """Exactly these cards, and no others."""
    answer = caller.cards(request(**one.chart))
    assert told(answer) == one.cards
    check_cards(answer)
