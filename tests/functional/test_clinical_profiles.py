"""What other profiles and the leg symptom screen answer; see test_clinical_calls.py."""

from typing import Any

import pytest

from tests.conftest import AppOfProfile
from tests.support.calls import Caller, Json
from tests.support.clinical import check_cards, draft_drug, dx, lab, request, rx, told
from tests.support.clinical_cases import Case, case

CRAMP = dx("sct:449917004")

RLS = dx("sct:32914008")

FOR_RLS = "info order.dopamine-agonist-rls"


def drug(*codes: str, **more: Any) -> list[Json]:
    return [draft_drug(*codes, **more)]


ORDER_IRON = "Order iron studies with transferrin saturation"

BAND = f"info rls.guideline-band > {ORDER_IRON}"

EXERCISE = (
    "info claudication.normal-abi > Order an exercise treadmill ABI; Order a toe-brachial index;"
    " Order segmental pressures; Order an arterial duplex ultrasound"
)

CLAUDICATION = dx("sct:63491006")

FERRITIN_30 = [lab("2276-4", 30, "ng/mL")]

PROFILES = [
    (
        "aasm-2025",
        case("ferritin 60", BAND, conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")]),
    ),
    (
        "aasm-2025",
        case(
            "saturation 19%",
            "info rls.guideline-band",
            conditions=[RLS],
            observations=[lab("2276-4", 120, "ng/mL"), lab("2502-3", 19, "%")],
        ),
    ),
    (
        "aasm-2025",
        case(
            "saturation 20%",
            conditions=[RLS],
            observations=[lab("2276-4", 120, "ng/mL"), lab("2502-3", 20, "%")],
        ),
    ),
    (
        "aasm-2025",
        case(
            "ferritin 60 on iron",
            conditions=[RLS],
            observations=[lab("2276-4", 60, "ng/mL")],
            medicationRequests=[rx("rx:310325")],
        ),
    ),
    (
        "aasm-2025",
        case(
            "ferritin 60 and hemochromatosis",
            conditions=[RLS, dx("icd:E83.110")],
            observations=[lab("2276-4", 60, "ng/mL")],
        ),
    ),
    (
        "aasm-2025",
        case(
            "ferritin 49",
            f"warning rls.low-ferritin > {ORDER_IRON}",
            conditions=[RLS],
            observations=[lab("2276-4", 49, "ng/mL")],
        ),
    ),
    (
        "aasm-2025",
        case(
            "every new dopamine agonist",
            FOR_RLS,
            drafts=drug("rx:858625"),
            conditions=[RLS],
            observations=[lab("2276-4", 120, "ng/mL")],
        ),
    ),
    (
        "acc-aha-2024",
        case(
            "ABI 1.35",
            EXERCISE,
            conditions=[CLAUDICATION],
            observations=[lab("77194-9", 1.35, "1")],
        ),
    ),
    (
        "acc-aha-2024",
        case(
            "ABI 1.41",
            "info claudication.high-abi > Order a toe-brachial index",
            conditions=[CLAUDICATION],
            observations=[lab("77194-9", 1.41, "1")],
        ),
    ),
    (
        "acc-aha-2024",
        case("ferritin 60", BAND, conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")]),
    ),
    (
        "seeds-only",
        case("ferritin 60", conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")]),
    ),
    (
        "aasm-2025",
        case(
            "ferritin 80",
            "info rls.guideline-iv-band",
            conditions=[RLS],
            observations=[lab("2276-4", 80, "ng/mL")],
        ),
    ),
    (
        "aasm-2025+acc-aha-2024",
        case(
            "both differ",
            BAND,
            EXERCISE,
            conditions=[RLS, CLAUDICATION],
            observations=[lab("2276-4", 60, "ng/mL"), lab("77194-9", 1.35, "1")],
        ),
    ),
    (
        "demo",
        case(
            "a diuretic without a complaint",
            "info drug-review.diuretic",
            medicationRequests=[rx("rx:310798")],
        ),
    ),
    (
        "demo",
        case(
            "a low ferritin without a complaint",
            "info rls.ferritin-indicator",
            observations=FERRITIN_30,
        ),
    ),
    (
        "demo",
        case(
            "a low ABI without a complaint",
            "info claudication.low-abi",
            observations=[lab("77194-9", 0.8, "1")],
        ),
    ),
    (
        "demo",
        case(
            "conditions and results claim no complaint",
            conditions=[dx("sct:23056005"), dx("icd:E05.90")],
            observations=[lab("2823-3", 2.9, "mmol/L")],
        ),
    ),
    (
        "demo",
        case(
            "RLS alone still silences drugs",
            f"warning rls.low-ferritin > {ORDER_IRON}",
            conditions=[RLS],
            observations=FERRITIN_30,
            medicationRequests=[rx("rx:310798")],
        ),
    ),
    (
        "demo",
        case(
            "quinine without a reason",
            "warning order.quinine > Remove the quinine order!",
            drafts=drug("rx:9071"),
        ),
    ),
]


@pytest.mark.parametrize(
    ("profiles", "one"), [pytest.param(p, c, id=f"{p}: {c.name}") for p, c in PROFILES]
)
def test_profile(app_with_profile: AppOfProfile, profiles: str, one: Case) -> None:
    caller = Caller(app_with_profile(*profiles.split("+")).test_client())
    answer = caller.cards(request(**one.chart))
    assert told(answer) == one.cards
    check_cards(answer, profiles.split("+"))


SCREEN = [
    case("a diuretic", "info screen.strong-drugs", medicationRequests=[rx("rx:310798")]),
    case("a statin", medicationRequests=[rx("rx:617312")]),
    case(
        "several things, one card",
        "info screen.strong-drugs + screen.low-ferritin + screen.low-abi",
        medicationRequests=[rx("rx:310798"), rx("rx:617312")],
        observations=[*FERRITIN_30, lab("77194-9", 0.8, "1")],
    ),
    case("ABI 1.45", "info screen.high-abi", observations=[lab("77194-9", 1.45, "1")]),
    case(
        "ferritin 50, ABI 1.3", observations=[lab("2276-4", 50, "ng/mL"), lab("77194-9", 1.3, "1")]
    ),
    case("lisinopril", medicationRequests=[rx("rx:314076")]),
    case(
        "cramps on the list: the review speaks",
        conditions=[CRAMP],
        medicationRequests=[rx("rx:310798")],
    ),
    case("leg pain on the list", conditions=[dx("sct:10601006")], observations=FERRITIN_30),
    case("RLS on the list", conditions=[RLS], observations=FERRITIN_30),
    case(
        "claudication on the list",
        conditions=[CLAUDICATION],
        observations=[lab("77194-9", 0.8, "1")],
    ),
    case(
        "a low ABI at 70: the review speaks",
        patient={"birthDate": "1950-01-01"},
        observations=[lab("77194-9", 0.8, "1")],
    ),
    case(
        "cramps resolved",
        "info screen.strong-drugs",
        conditions=[dx("icd:R25.2", clinical="resolved")],
        medicationRequests=[rx("rx:310798")],
    ),
    case(
        "Conditions not sent",
        "info screen.strong-drugs",
        conditions=None,
        medicationRequests=[rx("rx:310798")],
    ),
    case("a minor", patient={"birthDate": "2012-01-01"}, medicationRequests=[rx("rx:310798")]),
    case("after death", patient={"deceasedBoolean": True}, medicationRequests=[rx("rx:310798")]),
    case("nothing on file"),
]


@pytest.mark.parametrize("one", [pytest.param(c, id=c.name) for c in SCREEN])
def test_screen(caller: Caller, one: Case) -> None:
    answer = caller.cards(request(**one.chart), "leg-symptoms-screen")
    assert told(answer) == one.cards
    check_cards(answer)


@pytest.mark.parametrize("one", [pytest.param(c, id=c.name) for c in SCREEN])
def test_screen_and_review_never_both(caller: Caller, one: Case) -> None:
    """The screen is silent whenever the review has cards for the same facts (design, section 5)."""
    sent = request(**one.chart)
    reviewed = caller.send(sent).get_json()
    if reviewed.get("cards"):
        assert told(caller.cards(sent, "leg-symptoms-screen")) == []
