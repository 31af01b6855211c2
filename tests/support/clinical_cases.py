"""What the clinical cases share: frequent entries and cards, results of several shapes."""

from typing import Any, NamedTuple

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import check_cards, concept, dx, lab, request, rx, told

CRAMP = dx("sct:449917004")  # cramp in lower limb, recorded long ago
RLS = dx("sct:32914008")
CLAUDICATION = dx("sct:63491006")
RECENT_LABS = [
    lab("2823-3", 4.2, "mmol/L"),
    lab("2951-2", 140, "mmol/L"),
    lab("2160-0", 0.9, "mg/dL"),
]
FERRITIN_80 = lab("2276-4", 80, "ng/mL")
ORDER_IRON = "Order iron studies with transferrin saturation"
FERRITIN_MISSING = (
    "info rls.ferritin-missing"
    " > Order ferritin; Order iron, iron-binding capacity and transferrin saturation"
)
ABI_MISSING = "info claudication.abi-missing > Order an ankle-brachial index"
ABI_NORMAL = (
    "info claudication.normal-abi > Order a toe-brachial index; Order segmental pressures;"
    " Order an arterial duplex ultrasound"
)
ABI_HIGH = "info claudication.high-abi > Order a toe-brachial index"
DIURETIC = "info drug-review.diuretic"
QUININE = "warning drug-review.quinine > Order a complete blood count"
LOW_PLATELETS = "critical redflag.quinine-low-platelets > Order a complete blood count"
WORKUP = "info labs.targeted-workup > Order electrolytes; Order renal function"


class Case(NamedTuple):
    name: str
    cards: list[str]
    chart: dict[str, Any]


def case(name: str, *cards: str, **chart: Any) -> Case:
    return Case(name, list(cards), chart)


def sided(left: float, right: float) -> Json:
    """One ABI study with a component for each leg."""
    whole = lab("77194-9", 1, "1")
    del whole["valueQuantity"]
    whole["component"] = [
        {"code": {"text": f"{side} leg"}, "valueQuantity": {"value": value, "unit": "{ratio}"}}
        for side, value in (("Left", left), ("Right", right))
    ]
    return whole


def panel(potassium: float, sodium: float, date: str = "2026-11-11") -> Json:
    """A metabolic panel with its results as components."""
    whole = lab("24321-2", 1, "1", effectiveDateTime=date, days=None)
    del whole["valueQuantity"]
    whole["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmol/L", "code": "mmol/L"},
        }
        for code, value in (("2823-3", potassium), ("2951-2", sodium), ("2160-0", 80))
    ]
    whole["component"][2]["valueQuantity"] |= {"unit": "umol/L", "code": "umol/L"}
    return whole


def due(date: str, days: float) -> Json:
    whole = lab("11778-8", 1, "1", days=days)
    del whole["valueQuantity"]
    return whole | {"valueDateTime": date}


def flagged(code: str, value: Any, unit: str, flag: str, days: float = 7) -> Json:
    return lab(code, value, unit, days=days, interpretation=[{"coding": [{"code": flag}]}])


def ranged(code: str, value: Any, unit: str, low: float, days: float = 7) -> Json:
    limit = {"low": {"value": low, "unit": unit, "code": unit}}
    return lab(code, value, unit, days=days, referenceRange=[limit])


def by_reference(name: str, *codes: str, contained: bool) -> dict[str, Any]:
    """A request whose drug is a Medication resource, contained or sent along."""
    medication = {"resourceType": "Medication", "id": "med-1", "code": concept(*codes)}
    target = {"reference": "#med-1" if contained else "Medication/med-1"}
    order = rx(medicationReference=target)
    if contained:
        order["contained"] = [medication]
        return {"medicationRequests": [order]}
    return {"medicationRequests": [order, medication]}


def cases(*themes: list[Case]) -> list[Any]:
    """The cases as parameters of a test."""
    return [pytest.param(one, id=one.name) for theme in themes for one in theme]


def check_review(caller: Caller, one: Case) -> None:
    """The review gives exactly these cards, and no others.

    `drugs` in a case's chart: hydrochlorothiazide is in use and its laboratory tests are recent.
    """
    chart = dict(one.chart)
    if chart.pop("drugs", False):
        chart = {"medicationRequests": [rx("rx:310798")], "observations": RECENT_LABS} | chart
    answer = caller.cards(request(**chart))
    assert told(answer) == one.cards
    check_cards(answer)
