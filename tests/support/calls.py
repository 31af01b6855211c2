"""Whole CDS Hooks calls, built by hand from FHIR R4 and sent to the real application."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PATIENT = "pat-1"
SUBJECT = {"reference": f"Patient/{PATIENT}"}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
Json = dict[str, Any]


def day(days: float) -> str:
    """The date `days` before NOW."""
    return (NOW - timedelta(days=days)).date().isoformat()


def condition(system: str, code: str, *, clinical: str | None = "active", **more: Any) -> Json:
    resource: Json = {
        "resourceType": "Condition",
        "id": f"c-{code.replace('.', '-').lower()}",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": SUBJECT,
        **more,
    }
    if clinical:
        resource["clinicalStatus"] = {"coding": [{"code": clinical}]}
    return resource


def observation(
    code: str,
    value: Any,
    unit: str | None,
    *,
    days: float | None = 30,
    status: str = "final",
    side: str = "",
    **more: Any,
) -> Json:
    """A LOINC Observation; `value` may be a string with a comparator ("<5")."""
    comparator, number = re.fullmatch(r"(<=|>=|<|>)?(.+)", str(value)).groups()  # type: ignore[union-attr]
    quantity: Json = {"value": float(number) if "." in number else int(number)}
    if comparator:
        quantity["comparator"] = comparator
    if unit is not None:
        quantity |= {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    resource: Json = {
        "resourceType": "Observation",
        "id": f"o-{code}-{uuid.uuid4().hex[:6]}",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": SUBJECT,
        "valueQuantity": quantity,
        **more,
    }
    if days is not None:
        resource["effectiveDateTime"] = day(days)
    if side:
        resource["bodySite"] = {"text": f"{side} leg"}
    return resource


def medication_request(
    code: str = "", text: str = "", *, status: str = "active", **more: Any
) -> Json:
    concept: Json = {"text": text} if text else {}
    if code:
        concept["coding"] = [{"system": RXNORM, "code": code}]
    return {
        "resourceType": "MedicationRequest",
        "id": f"m-{code or uuid.uuid4().hex[:6]}",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": concept,
        "authoredOn": day(10),
        "subject": SUBJECT,
        **more,
    }


def bundle(resources: Sequence[Json]) -> Json:
    entries = [{"resource": r, "search": {"mode": "match"}} for r in resources]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        **({"entry": entries} if entries else {}),
    }


def prefetch(**lists: Sequence[Json] | None) -> Json:
    """Every key supplied and empty, but for those given; `name=None` leaves the key out."""
    keys = ("conditions", "medicationRequests", "medicationStatements", "observations")
    keys += ("procedures", "serviceRequests")
    found: Json = {
        "patient": {
            "resourceType": "Patient",
            "id": PATIENT,
            "gender": "female",
            "birthDate": "1976-05-04",
        }
    }
    for key in keys:
        resources = lists.get(key, [])
        if resources is not None:
            found[key] = bundle(resources)
    return found


def call(hook: str, context: Json, prefetch_: Json) -> Json:
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/pr-1", "patientId": PATIENT, **context},
        "prefetch": prefetch_,
    }


def patient_view(**lists: Sequence[Json] | None) -> Json:
    return call("patient-view", {}, prefetch(**lists))


def order_select(drafts: Sequence[Json], selected: Sequence[str], **lists: Any) -> Json:
    orders = {"resourceType": "Bundle", "type": "collection"}
    orders["entry"] = [{"resource": d} for d in drafts]  # type: ignore[assignment]
    return call(
        "order-select", {"selections": list(selected), "draftOrders": orders}, prefetch(**lists)
    )


SERVICE_OF = {
    "patient-view": "leg-cramps-patient-view",
    "order-select": "leg-cramps-order-select",
    "order-sign": "leg-cramps-order-sign",
}


@dataclass
class Caller:
    """Sends calls to one running application."""

    client: FlaskClient

    def send(self, request: Json, service: str = "") -> Any:
        service = service or SERVICE_OF[request["hook"]]
        return self.client.post(f"/cds-services/{service}", json=request)

    def cards(self, request: Json, service: str = "") -> Json:
        """The answer of a call that must succeed."""
        response = self.send(request, service)
        assert response.status_code == 200, response.get_data(as_text=True)
        answer: Json = response.get_json()
        return answer
