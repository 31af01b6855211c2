"""The boundary matrix of ferritin and ABI, sent as whole calls over HTTP (clinical section 3.41).

Each row says which rule heads a card for a value. `None`: none of the theme's rules.
"""

from typing import Any

import pytest

from tests.support.calls import Caller, condition, observation, patient_view

RLS = [condition("http://hl7.org/fhir/sid/icd-10-cm", "G25.81")]
CRAMP = [condition("http://hl7.org/fhir/sid/icd-10-cm", "G47.62")]
CLAUDICATION = [condition("http://hl7.org/fhir/sid/icd-10-cm", "I73.9")]
LOW, MISSING, BAND, INDICATOR = (
    "rls.low-ferritin",
    "rls.ferritin-missing",
    "rls.guideline-band",
    "rls.ferritin-indicator",
)
IV_BAND = "rls.guideline-iv-band"
ABI_LOW, ABI_NORMAL, ABI_HIGH, ABI_MISSING = (
    "claudication.low-abi",
    "claudication.normal-abi",
    "claudication.high-abi",
    "claudication.abi-missing",
)


def ferritin(value: Any, unit: str | None = "ng/mL", days: int = 30, **more: Any) -> dict[str, Any]:
    return observation("2276-4", value, unit, days=days, **more)


def abi(value: Any, unit: str | None = "1", days: int = 30, **more: Any) -> dict[str, Any]:
    return observation("77194-9", value, unit, days=days, **more)


FERRITIN = [
    # observation, default with RLS, default with cramps only, aasm-2025 with RLS
    ("0", ferritin(0), MISSING, None, MISSING),
    ("<5", ferritin("<5"), LOW, INDICATOR, LOW),
    ("49.9", ferritin(49.9), LOW, INDICATOR, LOW),
    ("49.96", ferritin(49.96), LOW, INDICATOR, LOW),
    ("49 ug/L", ferritin(49, "ug/L"), LOW, INDICATOR, LOW),
    ("50", ferritin(50), BAND, None, BAND),
    ("50.0", ferritin(50.0), BAND, None, BAND),
    ("50.1", ferritin(50.1), BAND, None, BAND),
    ("75", ferritin(75), BAND, None, BAND),
    ("75.1", ferritin(75.1), None, None, IV_BAND),
    ("<50", ferritin("<50"), LOW, INDICATOR, LOW),
    ("<=50", ferritin("<=50"), BAND, None, BAND),
    ("<75", ferritin("<75"), BAND, None, BAND),
    (">30", ferritin(">30"), None, None, None),
    (">1500", ferritin(">1500"), None, None, None),
    (">=50", ferritin(">=50"), None, None, None),
    ("preliminary", ferritin(40, status="preliminary"), MISSING, None, MISSING),
    ("no unit", ferritin(40, None), MISSING, None, MISSING),
    ("undated", ferritin(40, days=None), MISSING, None, MISSING),
    ("day 365", ferritin(40, days=365), LOW, INDICATOR, LOW),
    ("day 366", ferritin(40, days=366), MISSING, None, MISSING),
    ("in error", ferritin(40, status="entered-in-error"), MISSING, None, MISSING),
]

ABI = [
    # observations, default, acc-aha-2024 (both with coded claudication)
    ("0.00, a limb in danger", [abi(0)], None, None),
    ("0.41", [abi(0.41)], ABI_LOW, ABI_LOW),
    ("0.90", [abi(0.90)], ABI_LOW, ABI_LOW),
    ("0.904", [abi(0.904)], ABI_LOW, ABI_LOW),
    ("0.905", [abi(0.905)], ABI_NORMAL, ABI_NORMAL),
    ("0.91", [abi(0.91)], ABI_NORMAL, ABI_NORMAL),
    ("1.00", [abi(1.0)], ABI_NORMAL, ABI_NORMAL),
    ("1.30", [abi(1.3)], ABI_NORMAL, ABI_NORMAL),
    ("1.304", [abi(1.304)], ABI_NORMAL, ABI_NORMAL),
    ("1.305", [abi(1.305)], ABI_HIGH, ABI_NORMAL),
    ("1.40", [abi(1.4)], ABI_HIGH, ABI_NORMAL),
    ("1.41", [abi(1.41)], ABI_HIGH, ABI_HIGH),
    ("3.00", [abi(3)], ABI_HIGH, ABI_HIGH),
    ("85 without unit", [abi(85, None)], ABI_MISSING, ABI_MISSING),
    ("72 %", [abi(72, "%")], ABI_LOW, ABI_LOW),
    ("R 0.80, L 1.45", [abi(0.80, side="right"), abi(1.45, side="left")], ABI_LOW, ABI_LOW),
    ("R 1.05 only", [abi(1.05, side="right")], ABI_NORMAL, ABI_NORMAL),
    ("none", [], ABI_MISSING, ABI_MISSING),
    ("day 730", [abi(1.05, days=730)], ABI_NORMAL, ABI_NORMAL),
    ("day 731", [abi(1.05, days=731)], ABI_MISSING, ABI_MISSING),
]


def heads(answer: dict[str, Any], theme: str) -> str | None:
    """The rule that heads the theme's card, or None. More than one card of a theme is a defect."""
    found = [
        card["extension"]["com.legcramps.cds"]["rules"][0]["id"]
        for card in answer["cards"]
        if card["extension"]["com.legcramps.cds"]["rules"][0]["id"].startswith(theme + ".")
    ]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("name", "result", "rls", "cramp", "aasm"),
    FERRITIN,
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_ferritin(
    caller: Caller,
    aasm_caller: Caller,
    name: str,
    result: dict[str, Any],
    rls: str | None,
    cramp: str | None,
    aasm: str | None,
) -> None:
    with_rls = patient_view(conditions=RLS, observations=[result])
    with_cramp = patient_view(conditions=CRAMP, observations=[result])
    assert rls == heads(caller.cards(with_rls), "rls")
    assert cramp == heads(caller.cards(with_cramp), "rls")
    assert aasm == heads(aasm_caller.cards(with_rls), "rls")


@pytest.mark.parametrize(
    ("name", "results", "default", "acc_aha"), ABI, ids=lambda v: v if isinstance(v, str) else ""
)
def test_abi(
    caller: Caller,
    acc_aha_caller: Caller,
    name: str,
    results: list[dict[str, Any]],
    default: str | None,
    acc_aha: str | None,
) -> None:
    call = patient_view(conditions=CLAUDICATION, observations=results)
    assert default == heads(caller.cards(call), "claudication")
    assert acc_aha == heads(acc_aha_caller.cards(call), "claudication")


def test_the_missing_leg_is_named(caller: Caller) -> None:
    """ABI of one leg only: the card says that the other leg was not reported."""
    call = patient_view(conditions=CLAUDICATION, observations=[abi(1.05, side="right")])
    (card,) = caller.cards(call)["cards"]
    assert "left" in card["detail"].lower()


def test_a_stale_value_is_shown_as_stale(caller: Caller) -> None:
    """The card about a missing ferritin names the value that was too old to use."""
    call = patient_view(conditions=RLS, observations=[ferritin(38, days=400)])
    (card,) = [c for c in caller.cards(call)["cards"] if "ferritin" in c["summary"].lower()]
    assert "38" in card["detail"]


def test_a_preliminary_value_is_named_and_not_used(caller: Caller) -> None:
    call = patient_view(conditions=RLS, observations=[ferritin(30, status="preliminary")])
    (card,) = [c for c in caller.cards(call)["cards"] if "ferritin" in c["summary"].lower()]
    assert "preliminary" in card["detail"].lower()
