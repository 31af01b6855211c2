"""Whatever stands in a chart, the facts answer: known, absent or unknown; nothing raises."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.facts.base import FactBase
from cds_service.facts.chart import PREFETCH_KEYS, Chart, Draft, Slot, Supply
from cds_service.facts.model import State
from cds_service.protocol.entries import Entry, entry_of
from cds_service.protocol.raw import encoded
from cds_service.terminology.codings import LOINC, RXNORM, SNOMED
from tests.unit.facts_support import (
    CATALOGUE,
    NOW,
    SETTINGS,
    TERMINOLOGY,
    abi,
    coded,
    condition,
    day,
    request,
    result,
    statement,
)

CRAMP = coded(SNOMED, "449917004")
CHART: dict[str, list[Any]] = {
    "patient": [{"resourceType": "Patient", "birthDate": "1960", "gender": "female"}],
    "encounter": [
        {
            "resourceType": "Encounter",
            "id": "e1",
            "class": {"code": "AMB"},
            "period": {"start": day(1)},
            "reasonCode": [CRAMP],
            "diagnosis": [{"condition": {"reference": "Condition/c1"}}],
        }
    ],
    "conditions": [
        condition(
            verificationStatus=coded("", "confirmed"),
            clinicalStatus=coded("", "active"),
            category=[coded("", "encounter-diagnosis")],
            bodySite=[coded(SNOMED, "calf")],
            recordedDate=day(3),
            onsetPeriod={"start": "2020-02"},
            encounter={"reference": "Encounter/e1"},
        ),
        condition("Z34.90", id="c2", recordedDate=day(9)),
        condition("O80", id="c3", abatementDateTime=day(2), recordedDate=day(200)),
        condition("G25.81", id="c4"),
    ],
    "medicationRequests": [
        request(
            dosageInstruction=[
                {
                    "timing": {"repeat": {"boundsPeriod": {"end": day(-9)}}},
                    "route": coded(SNOMED, "26643006"),
                    "text": "one a day",
                }
            ],
            dispenseRequest={"validityPeriod": {"end": day(-3)}},
        ),
        request(
            id="m2",
            medicationCodeableConcept=None,
            medicationReference={"reference": "#in", "display": "furosemide"},
            contained=[{"resourceType": "Medication", "id": "in", "code": coded(RXNORM, "310798")}],
        ),
        request("243670", id="m3"),
    ],
    "medicationStatements": [
        statement("diclofenac 1 % gel", effectivePeriod={"start": day(30), "end": day(-1)}),
        statement("Venofer", status="completed", effectiveDateTime=day(4)),
    ],
    "observations": [
        result(
            40,
            interpretation=[coded("", "L")],
            referenceRange=[{"low": {"value": 30, "unit": "ng/mL"}, "type": {"text": "normal"}}],
        ),
        result("<5", "pmol/L", effectiveDateTime=None, effectivePeriod={"start": day(2)}),
        abi(0.8, "8580-3", bodySite=coded(SNOMED, "24028007")),
        {
            "resourceType": "Observation",
            "status": "final",
            "code": coded(LOINC, "77194-9"),
            "effectiveTiming": {"event": [day(3)]},
            "component": [{"code": {"text": "left"}, "valueQuantity": {"value": 1.0, "code": "1"}}],
        },
        {
            "resourceType": "Observation",
            "status": "final",
            "code": coded(LOINC, "82810-3"),
            "valueCodeableConcept": coded(SNOMED, "77386006"),
            "effectiveInstant": "2026-11-01T00:00:00Z",
        },
        {
            "resourceType": "Observation",
            "status": "final",
            "code": coded(LOINC, "11778-8"),
            "valueDateTime": day(-30),
            "issued": day(3),
        },
        {"resourceType": "Observation", "status": "final", "code": CRAMP, "valueBoolean": True},
    ],
    "procedures": [
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": coded(SNOMED, "duplex"),
            "performedPeriod": {"end": day(3)},
        }
    ],
    "serviceRequests": [
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "code": coded(LOINC, "2276-4"),
            "authoredOn": day(3),
        }
    ],
    "others": [
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": "urn:q",
            "status": "completed",
            "authored": day(2),
            "item": [{"item": [{"linkId": "Q9", "answer": [{"valueBoolean": True}]}]}],
        },
        {
            "resourceType": "MedicationAdministration",
            "status": "in-progress",
            "medicationReference": {"reference": "Medication/x"},
            "effectiveDateTime": day(1),
        },
        {
            "resourceType": "Medication",
            "id": "x",
            "form": {"text": "tablet"},
            "identifier": [{"value": "furosemide"}],
            "ingredient": [{"itemCodeableConcept": coded(RXNORM, "310798")}],
        },
    ],
    "drafts": [
        request(
            status="draft",
            id="d1",
            reasonCode=[CRAMP],
            reasonReference=[{"reference": "Condition/c1"}],
            priorPrescription={"reference": "MedicationRequest/m1"},
        ),
        {
            "resourceType": "ServiceRequest",
            "code": coded(LOINC, "2276-4"),
            "item": [{"code": CRAMP}],
            "reason": [{"concept": CRAMP}],
        },
    ],
}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["Invalid date", "0002-03-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "2026", "#", "/"]
        + ["Condition/c1", "active", "<", "1e999", "-1e400", "NaN"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["code", "coding", "text", "reference", "concept", "value", "system"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
MUTATION = st.tuples(st.integers(0, 2**32), st.sampled_from(["replace", "wrap", "drop"]), JSON)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value, in reading order."""
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def mutate(chart: dict[str, list[Any]], mutations: list[tuple[int, str, Any]]) -> None:
    for number, kind, replacement in mutations:
        below = [place for part in chart.values() for place in places(part)]
        container, key = below[number % len(below)]
        if kind == "wrap":
            container[key] = [container[key]]
        elif kind == "drop" and isinstance(container, dict):
            del container[key]
        else:
            container[key] = replacement


def build(parts: dict[str, list[Any]], supplies: list[Supply]) -> Chart:
    def entries(key: str) -> list[Entry]:
        found = [entry_of(encoded(resource)) for resource in parts.get(key, ())]
        return [entry for entry in found if entry is not None]

    slots = {
        key: Slot(supply, entries(key)) for key, supply in zip(PREFETCH_KEYS, supplies, strict=True)
    }
    drafts = [Draft(resource, f"X/{n}", True) for n, resource in enumerate(parts["drafts"])]
    return Chart(slots, drafts, entries("others"), "order-select")


def test_the_unchanged_chart_is_rich_enough_to_reach_every_reader():
    base = FactBase(
        CATALOGUE, TERMINOLOGY, build(CHART, [Supply.SUPPLIED] * len(PREFETCH_KEYS)), NOW, SETTINGS
    )
    known = {CATALOGUE[n].kind for n in CATALOGUE if base.get(n, draft=0).state is State.KNOWN}
    known |= {CATALOGUE[n].kind for n in CATALOGUE if base.get(n, draft=1).state is State.KNOWN}
    assert known == {CATALOGUE[name].kind for name in CATALOGUE}


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(MUTATION, min_size=1, max_size=6),
    st.lists(st.sampled_from(Supply), min_size=len(PREFETCH_KEYS), max_size=len(PREFETCH_KEYS)),
)
def test_facts_never_raise(mutations, supplies):
    parts = copy.deepcopy(CHART)
    mutate(parts, mutations)
    base = FactBase(CATALOGUE, TERMINOLOGY, build(parts, supplies), NOW, SETTINGS)
    for draft in (None, *range(len(parts["drafts"]))):
        possible = base.possible(draft)
        for name in CATALOGUE:
            fact = base.get(name, draft=draft)
            assert bool(fact.items) == (fact.state is State.KNOWN)
            assert fact.state is not State.UNKNOWN or fact.reasons
            assert name in possible or fact.state is State.ABSENT
