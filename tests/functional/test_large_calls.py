"""Large calls: their results are read in part first, and nobody can tell by the answer.

A call with an unknown prefetch key is read as a whole, so the same call with and without one must
get the same answer, whatever its results look like.
"""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from cds_service.protocol import results
from tests.support.calls import (
    Caller,
    bundle,
    condition,
    day,
    medication_request,
    observation,
    order_select,
    patient_view,
)

Json = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
PADDING = "Generated narrative of the record system. " * 500  # 20 kB
REVIEW = "/cds-services/leg-cramps-patient-view"
COMPLAINTS = [condition(ICD, "G25.81"), condition(ICD, "G47.62"), condition(ICD, "I73.9")]
FERRITIN = "2276-4"


def low(**more: Any) -> Json:
    return observation(FERRITIN, 32, "ng/mL", **more)


def without(resource: Json, *names: str) -> Json:
    return {name: value for name, value in resource.items() if name not in names}


def coded(*codings: Json, **more: Any) -> Json:
    return {**low(), "code": {"coding": list(codings)}, **more}


def component(code: str, value: float, side: str) -> Json:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}], "text": f"{side} leg"},
        "valueQuantity": {"value": value, "unit": "1"},
    }


OTHER = [observation("2345-7", 95, "mg/dL", days=n) for n in range(1, 30)]
RESULTS: dict[str, list[Json]] = {
    "plain": [low()],
    "the newest decides": [low(days=200), observation(FERRITIN, 90, "ng/mL", days=3)],
    "two on one day": [low(days=9), observation(FERRITIN, 90, "ng/mL", days=9)],
    "two codings": [
        coded({"system": "urn:local", "code": "FER"}, {"system": LOINC, "code": FERRITIN})
    ],
    "two codings of one set": [
        coded({"system": LOINC, "code": FERRITIN}, {"system": LOINC, "code": "20567-4"})
    ],
    "no system": [coded({"code": FERRITIN})],
    "no code": [coded({"system": LOINC, "display": "Ferritin"})],
    "a coding that is null": [coded({"system": LOINC, "code": None})],
    "a code with blanks": [coded({"system": f"{LOINC}/", "code": f" {FERRITIN} "})],
    "a code as a number": [coded({"system": LOINC, "code": 2276})],
    "codings as an object": [{**low(), "code": {"coding": {"system": LOINC, "code": FERRITIN}}}],
    "code as a list": [{**low(), "code": [{"coding": [{"system": LOINC, "code": FERRITIN}]}]}],
    "a bare coding": [{**low(), "code": {"system": LOINC, "code": FERRITIN}}],
    "a coding inside a coding": [coded({"coding": [{"system": LOINC, "code": FERRITIN}]})],
    "a concept": [
        {**low(), "code": {"concept": {"coding": [{"system": LOINC, "code": FERRITIN}]}}}
    ],
    "a concept beside a coding": [
        {
            **low(),
            "code": {
                "coding": [{"code": "x"}],
                "concept": {"coding": [{"system": LOINC, "code": FERRITIN}]},
            },
        }
    ],
    "text alone": [{**low(), "code": {"text": "Ferritin"}}],
    "without a code": [without(low(), "code")],
    "preliminary": [low(status="preliminary")],
    "status in capitals": [low(status=" FINAL ")],
    "entered in error": [low(status="entered-in-error"), low(days=100)],
    "without a status": [without(low(), "status")],
    "status null": [{**low(), "status": None}],
    "without a date": [low(days=None)],
    "of the future": [low(days=-9), low(days=100)],
    "date and time": [{**low(), "effectiveDateTime": f"{day(5)}T08:00:00+02:00"}],
    "a broken time": [{**low(), "effectiveDateTime": f"{day(5)}T24:61"}],
    "month only": [{**low(), "effectiveDateTime": day(40)[:7]}],
    "a period": [
        {**without(low(), "effectiveDateTime"), "effectivePeriod": {"start": day(9), "end": day(8)}}
    ],
    "issued only": [{**without(low(), "effectiveDateTime"), "issued": f"{day(5)}T08:00:00Z"}],
    "no number": [{**low(), "valueQuantity": {"value": "see text", "unit": "ng/mL"}}],
    "text value": [{**without(low(), "valueQuantity"), "valueString": "low"}],
    "another unit": [observation(FERRITIN, 50, "pmol/L")],
    "a bound": [observation(FERRITIN, "<5", "ng/mL")],
    "absent": [
        {**without(low(), "valueQuantity"), "dataAbsentReason": {"coding": [{"code": "error"}]}}
    ],
    "flag and range": [
        observation(
            "2823-3",
            3.1,
            "mmol/L",
            interpretation=[{"coding": [{"code": "L"}]}],
            referenceRange=[{"low": {"value": 3.5, "unit": "mmol/L"}}],
        )
    ],
    "components": [
        {
            **without(observation("77194-9", 1, "1"), "valueQuantity"),
            "component": [component("77195-6", 0.7, "left"), component("77196-4", 1.0, "right")],
        }
    ],
    "component null": [{**low(), "component": None}],
    "coded values": [
        {
            **without(observation("82810-3", 1, "1"), "valueQuantity"),
            "valueCodeableConcept": {
                "coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]
            },
        }
    ],
    "absolute reference": [
        {**low(), "subject": {"reference": "https://ehr.example/Patient/pat-1"}}
    ],
    "versioned reference": [{**low(), "subject": {"reference": "Patient/pat-1/_history/3"}}],
    "another patient's": [{**low(), "subject": {"reference": "Patient/other"}}],
    "another patient's, and this one's": [
        {**low(), "subject": {"reference": "Patient/other"}},
        observation(FERRITIN, 90, "ng/mL", days=50),
    ],
    "a urn": [{**low(), "subject": {"reference": "urn:uuid:8c39d1f2"}}],
    "without a subject": [without(low(), "subject")],
    "another patient's by `patient`": [
        {**low(), "subject": {}, "patient": {"reference": "Patient/other"}}
    ],
    "subject by display": [{**low(), "subject": {"display": "Pat One"}}],
    "without an id": [without(low(), "id")],
    "the same twice": [low(id="o-1"), low(id="o-1")],
    "a contained performer": [
        {**low(), "contained": [{"resourceType": "Practitioner", "id": "p"}]}
    ],
    "large numbers": [{**low(), "identifier": [{"value": 2**70}], "note": [{"n": 1e300}]}],
    "letters outside ASCII": [{**low(), "note": [{"text": "Müdigkeit \u2013 Ödem \U0001f9b5"}]}],
    "no type": [without(low(), "resourceType")],
    "no resource": [],
}


AS_A_WHOLE = {  # shapes that the structures do not hold
    "a coding that is null",
    "a code as a number",
    "codings as an object",
    "code as a list",
    "without a code",
    "status null",
    "without a subject",
    "another patient's by `patient`",
    "subject by display",
    "no type",
}


def call(observations: list[Json]) -> Json:
    request = patient_view(
        conditions=COMPLAINTS,
        observations=observations,
        medicationRequests=[medication_request("310798", "hydrochlorothiazide 25 MG Oral Tablet")],
    )
    request["prefetch"]["patient"]["text"] = {"div": PADDING}
    return request


def answer(client: FlaskClient, body: bytes) -> Any:
    """Status and cards without what is new in each answer."""
    response = client.post(REVIEW, data=body, content_type="application/json")
    said = response.get_json()
    for card in said.get("cards", ()):
        del card["uuid"]
        for suggestion in card.get("suggestions", ()):
            del suggestion["uuid"]
    return response.status_code, said


def both_ways(client: FlaskClient, request: Json) -> tuple[Any, Any]:
    whole = {**request, "prefetch": {**request["prefetch"], "zzzz": None}}
    return answer(client, json.dumps(request).encode()), answer(client, json.dumps(whole).encode())


@pytest.mark.parametrize("others", [[], OTHER], ids=["alone", "among others"])
@pytest.mark.parametrize("name", RESULTS)
def test_the_answer_is_that_of_a_call_read_as_a_whole(
    client: FlaskClient, name: str, others: list[Json]
) -> None:
    request = call(others + RESULTS[name])
    in_part, whole = both_ways(client, request)
    assert in_part == whole
    assert whole[0] == 200
    in_parts = results.read_call(json.dumps(request).encode()) is not None
    assert in_parts is (name not in AS_A_WHOLE and "entry" in request["prefetch"]["observations"])


def set_link(relation: str) -> Callable[[Json], None]:
    def change(found: Json) -> None:
        found["link"] = [{"relation": relation, "url": "https://ehr.example/Observation?page=2"}]

    return change


def set_entry(entry: Any) -> Callable[[Json], None]:
    return lambda found: found["entry"].append(entry)


BUNDLES: dict[str, Callable[[Json], Any]] = {
    "a link to itself": set_link("self"),
    "a next page": set_link("next"),
    "a total that is larger": lambda found: found.update(total=99),
    "a total that is null": lambda found: found.update(total=None),
    "a total beyond all numbers": lambda found: found.update(total=10**23),
    "no total": lambda found: found.pop("total"),
    "a warning": set_entry(
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}}
    ),
    "an error": set_entry(
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}
    ),
    "an included Patient": set_entry({"resource": {"resourceType": "Patient", "id": "pat-1"}}),
    "a Condition": set_entry({"resource": condition(ICD, "R25.2")}),
    "a Bundle": set_entry({"resource": bundle([low(days=1)])}),
    "an empty entry": set_entry({}),
    "an entry that is null": set_entry(None),
    "an entry by a urn": set_entry({"fullUrl": "urn:uuid:1", "resource": low()}),
    "entries as an object": lambda found: found.update(entry=found["entry"][0]),
    "no entries": lambda found: found.pop("entry"),
    "no type": lambda found: found.pop("resourceType"),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_any_bundle_is_read_as_it_was_before(client: FlaskClient, name: str) -> None:
    request = call([*OTHER, low()])
    BUNDLES[name](request["prefetch"]["observations"])
    in_part, whole = both_ways(client, request)
    assert in_part == whole


DEPTHS = (100, 500, *range(800, 1000, 3), 1100)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("place", ["note", "component"])
def test_nested_as_deep_as_it_is_still_read(client: FlaskClient, depth: int, place: str) -> None:
    """Near the interpreter's own limit one reader may give up where the other does not."""
    deep = b'"%s":%s%s,"status"' % (place.encode(), b"[" * depth, b"]" * depth)
    for others in ([], COMPLAINTS):
        request = call([low()])
        request["prefetch"]["conditions"] = bundle([*others, condition(ICD, "G25.81")])
        whole = {**request, "prefetch": {**request["prefetch"], "zzzz": None}}
        bodies = [orjson.dumps(one).replace(b'"status"', deep, 1) for one in (request, whole)]
        in_part, in_whole = (answer(client, body) for body in bodies)
        assert in_part == in_whole
        assert in_part[0] in (200, 400)


@pytest.mark.parametrize("same_id", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_results_under_other_keys_in_any_order(
    client: FlaskClient, same_id: bool, turned: bool
) -> None:
    request = call([*OTHER])
    found = request["prefetch"]
    for key, value in (("procedures", 20), ("conditions", 90)):
        extra = observation(FERRITIN, value, "ng/mL", id="a" if same_id else f"a-{key}")
        found[key].setdefault("entry", []).append({"resource": extra})
    if turned:
        request["prefetch"] = dict(reversed(found.items()))
    in_part, whole = both_ways(client, request)
    assert in_part == whole


@pytest.mark.parametrize("value", [None, [], "x", 3, {"resourceType": "OperationOutcome"}])
def test_what_is_no_bundle(client: FlaskClient, value: Any) -> None:
    request = call([])
    request["prefetch"]["observations"] = value
    in_part, whole = both_ways(client, request)
    assert in_part == whole


def test_the_newest_ferritin_of_a_large_call_makes_a_card(client: FlaskClient) -> None:
    _, said = answer(client, orjson.dumps(call([*OTHER, low(days=300), low(days=12)])))
    [card] = [card for card in said["cards"] if "32 ng/mL" in card["summary"]]
    assert day(12) in card["detail"] and day(300) not in card["detail"]


def test_the_drafts_of_a_large_call_are_read(caller: Caller) -> None:
    draft = {**medication_request("997010", status="draft"), "id": "d1"}
    request = order_select([draft], ["MedicationRequest/d1"], observations=[*OTHER, low()])
    request["prefetch"]["patient"]["text"] = {"div": PADDING}
    [card] = caller.cards(request)["cards"]
    assert "quinine" in card["summary"].lower()


BROKEN = {
    "an open object": lambda body: body[:-1],
    "bytes that are no text": lambda body: body.replace(b"narrative", b"narr\xfftive", 1),
    "a control character in a result": lambda body: body.replace(b'"ng/mL"', b'"ng\x01/mL"', 1),
    "a result without its end": lambda body: body.replace(b'"ng/mL"}', b'"ng/mL"', 1),
    "nested without end": lambda body: body.replace(b'"ng/mL"', b"[" * 9000 + b"]" * 9000, 1),
    "a bad number": lambda body: body.replace(b'"value":32', b'"value":032', 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_json_is_refused(client: FlaskClient, name: str) -> None:
    body = BROKEN[name](orjson.dumps(call([*OTHER, low(days=1)])))
    status, said = answer(client, body)
    assert status == 400
    assert said["issue"][0]["details"]["coding"][0]["code"] in ("json-malformed", "json-too-deep")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b" \n"])
def test_what_may_stand_before_the_json(client: FlaskClient, mark: bytes) -> None:
    request = orjson.dumps(call([*OTHER, low()]))
    assert answer(client, mark + request) == answer(client, request)


def test_pretty_printed_and_escaped(client: FlaskClient) -> None:
    request = call([*OTHER, {**low(), "note": [{"text": "Ödem"}]}])
    assert answer(client, json.dumps(request, indent=2).encode()) == answer(
        client, orjson.dumps(request)
    )


def test_most_charts_are_read_in_part() -> None:
    """Or all of the above would compare a thing with itself."""
    found = results.read_call(orjson.dumps(call([*OTHER, low()])))
    assert found is not None
    held = found["prefetch"]["observations"]
    assert isinstance(held, results.Results)
    assert held.resource(len(OTHER))["valueQuantity"]["value"] == 32
    assert found["prefetch"]["conditions"]["entry"][0]["resource"]["id"] == "c-g25-81"
