"""Metamorphic relations over charts at random: what changes nothing of what a call means changes
nothing of its answer.

A short run by default; `make relations` runs 50,000 calls (CDS_RELATIONS_CALLS, each answered as it
is and changed; CDS_RELATIONS_SEED). A call follows from the seed and its number alone, so a run may
be split, or taken up again, at any number (CDS_RELATIONS_FIRST).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cds_service.clock import Clock
from cds_service.errors import ServiceError
from cds_service.gather.chart import gather
from cds_service.packs.load import load_pack
from cds_service.protocol.request import parse_request
from cds_service.protocol.response import card_object
from cds_service.service.runtime import Runtime
from tests.support import progress, spelling
from tests.support.calls import NOW, SERVICE_OF, Json
from tests.support.case_calls import HOOKS, any_call
from tests.support.dates import moved

CALLS = int(os.environ.get("CDS_RELATIONS_CALLS", "300"))
FIRST = int(os.environ.get("CDS_RELATIONS_FIRST", "0"))
SEED = int(os.environ.get("CDS_RELATIONS_SEED", "20261127"))
FOUR_YEARS = 1461  # no age changes by them, and no day of a month
TWINS = json.loads((Path(__file__).parents[1] / "rules/twins.json").read_text())["twins"]
ICD, SNOMED = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    ICD: ("urn:oid:2.16.840.1.113883.6.90", f"{ICD}/", " http://HL7.org/fhir/sid/icd-10-cm"),
    SNOMED: ("urn:oid:2.16.840.1.113883.6.96", f"{SNOMED}/731000124108", "https://snomed.info/sct"),
    "http://loinc.org": ("urn:oid:2.16.840.1.113883.6.1", "http://loinc.org/"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": ("urn:oid:2.16.840.1.113883.6.88",),
    "http://www.whocc.no/atc": ("urn:oid:2.16.840.1.113883.6.73", "http://www.whocc.no/atc/"),
}
IRRELEVANT = {
    "immunizations": {"resourceType": "Immunization", "status": "completed"},
    "allergies": {"resourceType": "AllergyIntolerance", "code": {"text": "Pollen"}},
    "observations": {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "valueQuantity": {"value": 171, "unit": "cm"},
        "effectiveDateTime": "2026-11-20",
    },
    "procedures": {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"coding": [{"system": SNOMED, "code": "80146002"}], "text": "Appendectomy"},
    },
}
SUBJECT = {"reference": "Patient/patient-1"}
Told = Any


@pytest.fixture(scope="module")
def runtimes() -> Callable[[int], Runtime]:
    """The service with its clock so many days later."""
    pack = load_pack(HOOKS, thorough=False)
    made = {
        days: Runtime(pack, None, Clock(NOW + timedelta(days)))
        for days in (0, FOUR_YEARS, -FOUR_YEARS, 4 * FOUR_YEARS)
    }
    return made.__getitem__


def told(runtime: Runtime, call: Json, body: bytes = b"") -> Told:
    """The cards, without what is new in each answer; or the refusal."""
    service = runtime.service(SERVICE_OF[call["hook"]])
    assert service is not None
    try:
        request = parse_request(service.hook, body or json.dumps(call).encode())
        chart = gather(request, service, most=20_000)
        cards = [card_object(card) for card in runtime.answer(service, request, chart)]
    except ServiceError as error:
        return {"refused": error.code}
    cards = json.loads(json.dumps(cards))
    for card in cards:
        for part in (card, *card.get("suggestions", ())):
            part.pop("uuid")
    return settled(cards)


def settled(cards: Told) -> Told:
    """With kinds in place of references: of entries that say the same the first sent is cited."""
    for card in cards if isinstance(cards, list) else ():
        for name in ("basis", "evidence"):
            cited = card["extension"]["com.legcramps.cds"].get(name, [])
            cited[:] = sorted(reference.split("/")[0] for reference in cited)
    return cards


def entries(call: Json) -> Iterator[list[Json]]:
    for value in call["prefetch"].values():
        if isinstance(value, dict) and "entry" in value:
            yield value["entry"]


def add_something_else(call: Json, random: Random) -> None:
    # Where no results at all were sent, a card says so.
    few = {
        key
        for key in ("observations", "procedures")
        if not call["prefetch"].get(key, {}).get("entry")
    }
    key = random.choice(sorted(IRRELEVANT.keys() - few))
    extra = {"resource": {**IRRELEVANT[key], "id": "else", "subject": SUBJECT, "patient": SUBJECT}}
    found = call["prefetch"].setdefault(key, {"resourceType": "Bundle", "entry": []})
    at = random.randrange(len(found.setdefault("entry", [])) + 1)
    found["entry"].insert(at, extra)
    found["total"] = found.get("total", 0) + 1


def turn_members(value: Any, random: Random) -> Any:
    """The same with the members of each object in another order."""
    if isinstance(value, list):
        return [turn_members(child, random) for child in value]
    if not isinstance(value, dict):
        return value
    names = random.sample(sorted(value), len(value))
    return {name: turn_members(value[name], random) for name in names}


def turn(call: Json, random: Random) -> None:
    for name in list(call):
        call[name] = turn_members(call.pop(name), random)


def shuffle(call: Json, random: Random) -> None:
    for found in entries(call):
        random.shuffle(found)


def send_arrays(call: Json, random: Random) -> None:
    for key, value in call["prefetch"].items():
        whole = isinstance(value, dict) and value.get("total") == len(value.get("entry", ()))
        if whole and value.get("entry"):
            call["prefetch"][key] = [entry["resource"] for entry in value["entry"]]


def name_by_address(call: Json, random: Random) -> None:
    base = random.choice(("https://e/fhir", "https://ehr.example:8443/api/R4"))
    for found in entries(call):
        for entry in found:
            resource = entry["resource"]
            if "id" in resource:
                entry["fullUrl"] = f"{base}/{resource['resourceType']}/{resource.pop('id')}"


def write_otherwise(call: Json, random: Random) -> bytes:
    return spelling.spell(call, random, 0).encode()


def address_otherwise(call: Json, random: Random) -> None:
    for coding in codings(call):
        coding["system"] = random.choice((coding["system"], *ADDRESSES.get(coding["system"], ())))


def codings(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        if isinstance(node.get("system"), str) and "code" in node and "value" not in node:
            yield node
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from codings(child)


Change = Callable[[Json, Random], bytes | None]
CHANGES: list[Change] = [
    add_something_else, turn, shuffle, send_arrays, name_by_address, write_otherwise,
    address_otherwise,
]  # fmt: skip


def changed(change: Change, runtime: Runtime, call: Json, random: Random) -> tuple[Told, Told]:
    before = told(runtime, call)
    body = change(call, random)
    return before, told(runtime, call, body or b"")


def renamed(runtime: Runtime, call: Json, random: Random) -> tuple[Told, Told]:
    """Each resource has another id, and what refers to it says so."""
    names = sorted({(one["resourceType"], one["id"]) for one in resources(call)})
    new = {f"{kind}/{name}": f"{kind}/{random.getrandbits(64):x}" for kind, name in names}
    before = told(runtime, call)
    for resource in resources(call):
        resource["id"] = new[f"{resource['resourceType']}/{resource['id']}"].split("/")[1]
    if whose := new.get("Patient/patient-1"):
        call["context"]["patientId"] = whose.split("/")[1]
    return with_names(before, new), told(runtime, with_names(call, new))


def resources(call: Json) -> list[Json]:
    drafts = call["context"].get("draftOrders", {}).get("entry", [])
    listed = [entry["resource"] for found in (*entries(call), drafts) for entry in found]
    return [*listed, *(call["prefetch"][key] for key in ("patient", "encounter")
            if call["prefetch"].get(key))]  # fmt: skip


def with_names(value: Any, new: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: with_names(child, new) for key, child in value.items()}
    if isinstance(value, list):
        return [with_names(child, new) for child in value]
    return new.get(value, value) if isinstance(value, str) else value


def at_another_time(
    runtimes: Callable[[int], Runtime], call: Json, random: Random
) -> tuple[Told, Told]:
    """All dates and the clock so many days later."""
    days = random.choice((FOUR_YEARS, -FOUR_YEARS, 4 * FOUR_YEARS))
    before = told(runtimes(0), call)
    return moved(before, call, days), told(runtimes(days), moved(call, call, days))


def in_another_system(runtime: Runtime, call: Json, random: Random) -> tuple[Told, Told]:
    """Problems and reasons by their twins; the words of an entry are its own, the advice is not."""
    before = advice(told(runtime, call))
    for coding in codings(call):
        if coding["system"] == ICD and coding["code"] in TWINS:
            coding["system"], coding["code"] = SNOMED, TWINS[coding["code"]]
    return before, advice(told(runtime, call))


def advice(cards: Told) -> Told:
    if "refused" in cards:
        return cards
    return [
        [
            card["indicator"],
            [rule["id"] for rule in card["extension"]["com.legcramps.cds"]["rules"]],
            [offer["label"] for offer in card.get("suggestions", ())],
        ]
        for card in cards
    ]


def pair(
    runtimes: Callable[[int], Runtime], number: int, call: Json, random: Random
) -> tuple[Told, Told]:
    """What a call and its changed form are told, by the relation whose turn it is."""
    turn = number % (len(CHANGES) + 3)
    if turn < len(CHANGES):
        return changed(CHANGES[turn], runtimes(0), call, random)
    if turn == len(CHANGES):
        return renamed(runtimes(0), call, random)
    if turn == len(CHANGES) + 1:
        return at_another_time(runtimes, call, random)
    return in_another_system(runtimes(0), call, random)


def test_any_chart(runtimes: Callable[[int], Runtime]) -> None:
    spoke, differ = 0, []
    for number in progress.told(FIRST, CALLS):
        random = Random(f"{SEED}-{number}")
        before, after = pair(runtimes, number, any_call(random), random)
        if after != before:
            differ.append((f"{SEED}-{number}", before, after))
        spoke += bool(before)
    assert not differ, ([name for name, *_ in differ], differ[0])
    assert spoke > CALLS / 3
