"""Charts in short form and cards in short form, for whole calls about the clinical behaviour.

A chart is sent over HTTP as FHIR R4, an answer is told as one line a card:

    "warning rls.low-ferritin + rls.coexisting-cramp > Order iron studies"

that is the indicator, the rule that heads the card, the rules that share it, the suggestions.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.calls import Json, bundle, call, day, observation, prefetch

SYSTEMS = {
    "atc": "http://www.whocc.no/atc",
    "icd": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd-oid": "urn:oid:2.16.840.1.113883.6.90",
    "sct": "http://snomed.info/sct",
    "sct-oid": "urn:oid:2.16.840.1.113883.6.96",
    "sct-us": "http://snomed.info/sct/731000124108",
    "rx": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "rx-oid": "urn:oid:2.16.840.1.113883.6.88",
    "ndc": "http://hl7.org/fhir/sid/ndc",
    "loinc": "http://loinc.org",
    "loinc-oid": "urn:oid:2.16.840.1.113883.6.1",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "local": "https://hospital.example.org/codes",
}
_STATUS = "http://terminology.hl7.org/CodeSystem/condition-"
SUBJECT = {"reference": "Patient/pat-1"}


def concept(*codes: str) -> Json:
    """A CodeableConcept of "icd:G47.62", "text:..." and the like."""
    coded: Json = {}
    for code in codes:
        system, value = code.split(":", 1)
        if system == "text":
            coded["text"] = value
        else:
            coded.setdefault("coding", []).append({"system": SYSTEMS[system], "code": value})
    return coded


def when(date: float | str) -> str:
    """Days before NOW as a date; a text as it stands."""
    return date if isinstance(date, str) else day(date)


def dx(
    *codes: str,
    clinical: str | None = "active",
    verification: str | None = "confirmed",
    recorded: float | str | None = 400,
    category: str | None = "problem-list-item",
    **more: Any,
) -> Json:
    """A Condition, recorded some days before NOW."""
    condition: Json = {"resourceType": "Condition", "id": _id("c", codes), "code": concept(*codes)}
    condition |= {"subject": SUBJECT, **more}
    if clinical:
        condition["clinicalStatus"] = {
            "coding": [{"system": f"{_STATUS}clinical", "code": clinical}]
        }
    if verification:
        status = {"system": f"{_STATUS}ver-status", "code": verification}
        condition["verificationStatus"] = {"coding": [status]}
    if category:
        condition["category"] = [{"coding": [{"system": f"{_STATUS}category", "code": category}]}]
    if recorded is not None:
        condition["recordedDate"] = when(recorded)
    return condition


def rx(*codes: str, status: str = "active", days: float | str = 10, **more: Any) -> Json:
    """A MedicationRequest. `route`: a word of the dosage's route."""
    return _medicine("MedicationRequest", codes, status, more) | {
        "intent": "order",
        "authoredOn": when(days),
    }


def taking(*codes: str, status: str = "active", days: float | str = 10, **more: Any) -> Json:
    """A MedicationStatement."""
    return _medicine("MedicationStatement", codes, status, more) | {"effectiveDateTime": when(days)}


def _medicine(kind: str, codes: Sequence[str], status: str, more: Json) -> Json:
    more = dict(more)
    medication: Json = {"resourceType": kind, "id": _id("m", (kind, *codes)), "status": status}
    if codes:
        medication["medicationCodeableConcept"] = concept(*codes)
    if "route" in more:
        key = "dosage" if kind == "MedicationStatement" else "dosageInstruction"
        medication[key] = [{"route": {"text": more.pop("route")}}]
    return medication | {"subject": SUBJECT} | more


def lab(code: str, value: Any, unit: str | None, **more: Any) -> Json:
    """An Observation with a number, by LOINC code; see `calls.observation`."""
    return observation(code, value, unit, **more)


def said(*codes: str, answer: str, days: float | str = 20, **more: Any) -> Json:
    """An Observation with a coded answer."""
    return {
        "resourceType": "Observation",
        "id": _id("o", codes),
        "status": "final",
        "code": concept(*codes),
        "subject": SUBJECT,
        "effectiveDateTime": when(days),
        "valueCodeableConcept": concept(answer),
    } | more


def done(*codes: str, days: float = 10, status: str = "completed", **more: Any) -> Json:
    """A Procedure."""
    procedure = {"resourceType": "Procedure", "id": _id("p", codes), "status": status}
    return (
        procedure
        | {"code": concept(*codes), "subject": SUBJECT, "performedDateTime": day(days)}
        | more
    )


def ordered(*codes: str, days: float = 5, status: str = "active", **more: Any) -> Json:
    """A ServiceRequest on file."""
    order = {"resourceType": "ServiceRequest", "id": _id("s", codes), "status": status}
    order |= {"intent": "order", "code": concept(*codes), "subject": SUBJECT}
    return order | {"authoredOn": day(days)} | more


def draft_drug(*codes: str, **more: Any) -> Json:
    """A draft MedicationRequest."""
    return rx(*codes, status="draft", **more) | {"id": _id("draft", codes)}


def draft_test(*codes: str, **more: Any) -> Json:
    """A draft ServiceRequest."""
    return ordered(*codes, status="draft", **more) | {"id": _id("draft", codes)}


def encounter(*reasons: str, kind: str | None = "AMB", **more: Any) -> Json:
    """The Encounter at hand with its reasons."""
    visit: Json = {"resourceType": "Encounter", "id": "enc-1", "status": "in-progress"}
    if kind:
        system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
        visit["class"] = {"system": system, "code": kind}
    if reasons:
        visit["reasonCode"] = [concept(reason) for reason in reasons]
    return visit | {"subject": SUBJECT} | more


def answers(date: float | str = 5, **given: bool) -> Json:
    """The project's questionnaire, answered."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answers-1",
        "status": "completed",
        "questionnaire": "https://cds.legcramps.example/Questionnaire/leg-symptoms",
        "subject": SUBJECT,
        "authored": when(date),
        "item": [
            {"linkId": link, "answer": [{"valueBoolean": value}]} for link, value in given.items()
        ],
    }


def request(
    hook: str = "patient-view",
    *,
    patient: Mapping[str, Any] | None = None,
    drafts: Sequence[Json] = (),
    select: Sequence[str] | None = None,
    visit: Json | None = None,
    more: Mapping[str, Sequence[Json]] | None = None,
    **lists: Sequence[Json] | None,
) -> Json:
    """A whole call. Every prefetch key is supplied; `name=None` leaves one out.

    `patient` replaces properties of the Patient, None removes one. `drafts` make it an order
    hook: all are selected unless `select` names others. `more`: further prefetch keys.
    """
    sent = prefetch(**lists)
    for key, value in (patient or {}).items():
        sent["patient"][key] = value
    sent["patient"] = {k: v for k, v in sent["patient"].items() if v is not None}
    context: Json = {}
    if visit:
        sent["encounter"] = visit
        context["encounterId"] = visit["id"]
    sent |= {key: bundle(resources) for key, resources in (more or {}).items()}
    if drafts:
        hook = "order-select" if hook == "patient-view" else hook
        context["draftOrders"] = bundle(drafts) | {"type": "collection"}
        if hook == "order-select":
            names = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
            context["selections"] = names if select is None else list(select)
    return json.loads(json.dumps(call(hook, context, sent)))  # type: ignore[no-any-return]


def told(answer: Json) -> list[str]:
    """The cards of an answer, a line each."""
    return [_told(card) for card in answer["cards"]]


def _told(card: Json) -> str:
    rules = [rule["id"] for rule in card["extension"]["com.legcramps.cds"]["rules"]]
    offers = [
        suggestion["label"] + ("!" if suggestion.get("isRecommended") else "")
        for suggestion in card.get("suggestions", [])
    ]
    line = f"{card['indicator']} {' + '.join(rules)}"
    return f"{line} > {'; '.join(offers)}" if offers else line


def _id(prefix: str, codes: Sequence[str]) -> str:
    words = "-".join(codes).lower()
    return f"{prefix}-" + "".join(c if c.isalnum() else "-" for c in words)[:50]


REPEATED = {"Red flags", "Orders", "Quinine"}  # several cards of these may stand together
ORDERING = re.compile(
    r"\b([Mm]ust|immediately|discontinue|prescribe)\b"
    r"|(?:^|[.;:] )(Do not|Never|Always|Stop|Start)\b"
)
NOT_SIGNED_OFF = "Not signed off by a clinician."
# What belongs behind the source link: figures of evidence, rules, versions, profiles, documents.
INTERNAL = re.compile(r"Evidence:|\bv\d+\.\d+\.\d+|\bprofile \w+-|\(00\d|\blines? \d")
UNFINISHED = re.compile(r"[{}]|\bNone\b|\bnull\b| ,|\(\)|\( |: ?\.|(?<!\w)\?")


def check_cards(answer: Json, profiles: Sequence[str] = ("seed-default",)) -> None:
    """What holds of the cards of every answer (clinical sections 2.2 and 2.6)."""
    cited: set[str] = set()
    heads = []
    for card in answer["cards"]:
        trace = card["extension"]["com.legcramps.cds"]
        head = trace["rules"][0]
        heads.append(card["source"]["topic"]["display"])
        assert len(card["summary"]) < 140
        assert card["source"]["url"].endswith(f"/sources/{head['id']}")
        ordering = ORDERING.search(card["summary"] + card["detail"])
        assert not ordering, ordering
        unfinished = UNFINISHED.search(card["summary"])
        assert not unfinished, unfinished
        assert card["detail"].endswith(NOT_SIGNED_OFF)
        behind = INTERNAL.search(card["detail"] + card["source"]["label"])
        assert not behind, behind
        assert trace["profile"] == list(profiles)
        assert trace["caveats"]
        _check_suggestions(card)
        drafts = {trace.get("draft"), *trace.get("drafts", ())}
        evidence = set(trace.get("evidence", ())) - drafts
        assert not evidence & cited, "one chart entry is the subject of two cards"
        cited |= evidence
    assert not {head for head in heads if heads.count(head) > 1} - REPEATED


def _check_suggestions(card: Json) -> None:
    """Only drafts are removed or created, and only the removal of quinine is advised."""
    for offer in card.get("suggestions", ()):
        for action in offer["actions"]:
            if action["type"] == "create":
                assert action["resource"]["resourceType"] == "ServiceRequest"
                assert action["resource"]["status"] == "draft"
            else:
                assert "/draft-" in action["resourceId"]
        assert not offer.get("isRecommended") or "quinine" in offer["label"]
    if "Remove" not in str(card.get("suggestions")):
        return
    assert card["indicator"] != "info" or "Routine" in card["summary"]
