"""Words of problems: beside a wide code, which cramp or spasm is one of the leg; alone, whether a
button may take an order away."""

from typing import Any

import pytest

from tests.support.calls import Caller
from tests.support.clinical import concept, draft_drug, draft_test, dx, request, rx
from tests.support.clinical_cases import Case, case, cases, check_review

COUNTS = ("info drug-review.ccb",)


def _words(name: str, *codes: str, counts: bool, **more: Any) -> Case:
    charts = {
        "conditions": [dx(*codes, **more)],
        "medicationRequests": [rx("text:amlodipine 5 mg tablet")],
    }
    return case(name, *(COUNTS if counts else ()), **charts)


WORDS = [
    _words("no words", "icd:R25.2", counts=True),
    _words("no words, SNOMED CT", "sct:55300003", counts=True),
    _words("cramp and spasm", "icd:R25.2", "text:Cramp and spasm", counts=True),
    _words("menstrual", "icd:R25.2", "text:Menstrual cramps", counts=False),
    _words("stomach", "sct:55300003", "text:Stomach cramps", counts=False),
    _words("writer's", "icd:R25.2", "text:Writer's cramp", counts=False),
    _words("writer", "icd:R25.2", "text:writer cramp", counts=False),
    _words("thumb", "icd:R25.2", "text:Cramp of thumb", counts=False),
    _words("hands", "icd:R25.2", "text:Cramping of both hands", counts=False),
    _words("hands and legs", "icd:R25.2", "text:Cramps in hands and legs", counts=True),
    _words("low back", "icd:R25.2", "text:Low-back spasm", counts=False),
    _words("calf", "icd:M62.838", "text:Muscle spasm of calf", counts=True),
    _words("left foot", "icd:M62.838", "text:Spasm of left foot muscle", counts=True),
    _words("neck", "icd:M62.838", "text:Neck muscle spasm", counts=False),
    _words("spasm of nothing", "icd:M62.838", counts=False),
    _words("back by its code", "icd:M62.830", counts=False),
    _words("calf by its code", "icd:M62.831", counts=True),
    _words("spasm at the thigh", "icd:M62.838", counts=True, bodySite=[{"text": "Right thigh"}]),
    _words("a leg code decides", "icd:G47.62", "icd:R25.2", "text:hand", counts=True),
]


@pytest.mark.parametrize("wanted", cases(WORDS))
def test_words_beside_a_wide_code(caller: Caller, wanted: Case) -> None:
    check_review(caller, wanted)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("Diarrhea", False),
        ("Diarrhoea", False),
        ("Acute diarrh\u0153a", False),
        ("Severe vomiting", False),
        ("Hyponatraemia", False),
        ("Suspected hypokalemia, mild", False),
        ("CKD stage 3", False),
        ("Acute", True),
        ("Headache", True),
        ("No diarrhoea", True),
    ],
)
def test_a_problem_in_words_keeps_the_button_away(
    caller: Caller, words: str, offered: bool
) -> None:
    """Whatever its spelling, course and severity."""
    reason = {
        "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "449917004"}]}]
    }
    draft = draft_test("loinc:24326-1", **reason)
    chart = request(drafts=[draft], conditions=[dx("icd:G47.62"), dx(f"text:{words}", recorded=5)])
    (card,) = caller.cards(chart)["cards"]
    assert bool(card.get("suggestions")) is offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("On hemodialysis", False),
        ("Haemodialysis patient", False),
        ("Maintenance peritoneal dialysis", False),
        ("Hx of ESKD", False),
        ("ESRD on HD", False),
        ("Dialysepflichtige Niereninsuffizienz", False),
        ("Kidney transplant", True),
        ("Refuses dialysis teaching", True),
    ],
)
def test_dialysis_in_words_keeps_renal_function_from_being_ordered(
    caller: Caller, words: str, offered: bool
) -> None:
    """Nobody orders renal function to see whether a dialysis patient has any."""
    problems = [dx("icd:G47.62"), dx("icd:N18.4"), dx(f"text:{words}")]
    cards = caller.cards(request(conditions=problems))["cards"]
    labels = [offer["label"] for card in cards for offer in card.get("suggestions", ())]
    assert ("Order renal function" in labels) is offered
    assert "Order electrolytes" in labels


@pytest.mark.parametrize(
    "words",
    [
        "History of nocturnal leg cramps",
        "V.a. nächtliche Wadenkrämpfe",
        "Lower extremity cramps, controlled",
        "Calambres musculares",
        "Kuitkrampen",
    ],
)
def test_a_complaint_in_words_with_what_stands_around_it(caller: Caller, words: str) -> None:
    chart = request(conditions=[dx(f"text:{words}")], medicationRequests=[rx("rx:310798")])
    [card] = caller.cards(chart)["cards"]
    assert card["summary"].startswith("If leg cramps are the concern")


@pytest.mark.parametrize(
    "draft", [draft_test("cpt:95810"), draft_drug("text:carisoprodol 350 mg")], ids=["test", "drug"]
)
@pytest.mark.parametrize(
    ("reason", "cards"),
    [("Nocturnal leg cramps", 1), ("Leg cramps, severe", 1), ("sleep apnea", 0), ("pain", 0)],
)
def test_the_reason_of_an_order_in_words(
    caller: Caller, draft: dict[str, Any], reason: str, cards: int
) -> None:
    """Words that are a name of leg cramps are no certain reason, and no other one either."""
    order = draft | {"reasonCode": [{"text": reason}]}
    answer = caller.cards(request(drafts=[order], conditions=[dx("icd:G47.62")]))["cards"]
    assert [card["indicator"] for card in answer] == ["info"] * cards
    assert not any(card.get("suggestions") for card in answer)


POLYSOMNOGRAPHY = draft_test("cpt:95810", reasonCode=[concept("icd:G47.62")])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("Obstructive sleep apnea (OSA)", False),
        ("Sleep apnea, on CPAP", False),
        ("OSA with CPAP", False),
        ("r/o OSA", False),
        ("Mild OSA (AHI 7)", False),
        ("Narcolepsy, ICSD type 1", False),
        ("Verdacht auf obstruktive Schlafapnoe", False),
        ("Snoring partner, sleep apnea", True),
        ("Sleep apnea, ruled out", True),
    ],
)
def test_what_is_added_behind_a_problems_name(caller: Caller, words: str, offered: bool) -> None:
    chart = request(conditions=[dx("icd:G47.62"), dx(f"text:{words}")], drafts=[POLYSOMNOGRAPHY])
    (card,) = caller.cards(chart)["cards"]
    assert bool(card.get("suggestions")) is offered


@pytest.mark.parametrize("words", ["Muscle cramps (hands)", "Muscle cramp, abdominal"])
def test_what_is_added_may_be_another_place(caller: Caller, words: str) -> None:
    chart = request(conditions=[dx(f"text:{words}")], medicationRequests=[rx("rx:310798")])
    assert caller.cards(chart)["cards"] == []


@pytest.mark.parametrize(
    "words", ["Falciparum malaria", "Severe malaria (P. falciparum)", "Malaria tropica"]
)
def test_a_malaria_in_words_recommends_no_removal_of_quinine(caller: Caller, words: str) -> None:
    conditions = [dx("icd:G47.62"), dx(f"text:{words}", recorded=3)]
    quinine = draft_drug("text:quinine sulfate 324 mg")
    (card,) = caller.cards(request(conditions=conditions, drafts=[quinine]))["cards"]
    assert not any(offer.get("isRecommended") for offer in card["suggestions"])
