"""Whatever arrives is read, or refused with a reason: no input reaches an unforeseen exception."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest, PreconditionFailed
from cds_service.gather.chart import gather
from cds_service.protocol.feedback import parse_feedback
from cds_service.protocol.request import parse_request
from tests.support.fake_runtime import service

WORDS = [
    "Bundle", "Condition", "Patient", "Observation", "OperationOutcome", "Medication", "p", "",
    "Patient/p", "urn:uuid:1", "#x", "next", "error", "MedicationRequest",
]  # fmt: skip
NAMES = [
    "resourceType", "id", "entry", "resource", "subject", "reference", "link", "relation", "issue",
    "severity", "total", "fullUrl", "response", "status", "medicationReference", "contained", "x",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.sampled_from(WORDS)
)


def trees(names: list[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=5)
        ),
        max_leaves=12,
    )


BUNDLES = st.fixed_dictionaries(
    {
        "resourceType": st.just("Bundle"),
        "entry": st.lists(
            st.fixed_dictionaries({"resource": trees(NAMES)}, optional={"fullUrl": trees(NAMES)})
        ),
    }
)
VALUES = BUNDLES | trees(NAMES)
KEYS = st.sampled_from(["patient", "conditions", "observations", "medicationRequests", "other"])


@given(st.dictionaries(KEYS, VALUES), VALUES, trees([*NAMES, "selections"]), trees(NAMES))
def test_service_calls(prefetch: Any, orders: Any, selections: Any, token: Any) -> None:
    call = {
        "hook": "order-select",
        "hookInstance": "1",
        "fhirServer": "https://e",
        "fhirAuthorization": token,
        "context": {
            "patientId": "p",
            "userId": "u",
            "selections": selections,
            "draftOrders": orders,
        },
        "prefetch": prefetch,
    }
    review = service(hook="order-select", required=frozenset({"patient", "conditions"}))
    try:
        gather(parse_request("order-select", orjson.dumps(call)), review)
    except (BadRequest, PreconditionFailed) as error:
        assert error.message


@given(trees(["feedback", "card", "outcome", "outcomeTimestamp", "overrideReason", "reason"]))
def test_feedback(entries: Any) -> None:
    for body in (entries, {"feedback": entries}, {"feedback": [entries]}):
        try:
            parse_feedback(orjson.dumps(body))
        except BadRequest as error:
            assert error.message


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    try:
        parse_request("patient-view", body)
    except BadRequest as error:
        assert error.message
