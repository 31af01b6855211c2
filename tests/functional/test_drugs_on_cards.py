"""What a card says of the medications on file: names, never codes, and what nobody recognised."""

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import dx, request, rx

CRAMP = dx("sct:449917004", recorded=300)
ATC = "http://www.whocc.no/atc"


def card(caller: Caller, *medications: Json) -> Json:
    cards = caller.cards(request(conditions=[CRAMP], medicationRequests=list(medications)))["cards"]
    found: Json = next(c for c in cards if "Drugs" in c["source"]["topic"]["display"])
    return found


def by_code(system: str, code: str) -> Json:
    return rx(medicationCodeableConcept={"coding": [{"system": system, "code": code}]})


@pytest.mark.parametrize(
    ("code", "name"), [("C10AA05", "atorvastatin"), ("C10AA", "lipid-lowering drug")]
)
def test_a_code_alone_is_no_name(caller: Caller, code: str, name: str) -> None:
    said = card(caller, by_code(ATC, code))
    assert name in said["summary"].lower()
    assert code not in said["summary"] + said["detail"]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([by_code("http://hl7.org/fhir/sid/ndc", "00093-9999-01")], "1 medication was not"),
        ([rx("text:Zyxolan 5 mg"), by_code("urn:lab", "Q17")], "2 medications were not"),
        ([rx("text:Zyxolan 5 mg"), rx("text:Zyxolan 5 mg")], "1 medication was not"),
        ([rx("text:Zyxolan 5 mg", status="stopped")], ""),
        ([rx("text:metformin 500 mg"), rx("text:levothyroxine 50 mcg tablet")], ""),
    ],
)
def test_what_nothing_recognises_is_counted(caller: Caller, others: list[Json], told: str) -> None:
    said = card(caller, rx("rx:197361"), *others)
    last = said["detail"].split("\n\n")[-1]
    assert (f"{told} recognised." in last) if told else ("recognised" not in last)
    count = said["extension"]["com.legcramps.cds"].get("unrecognisedMedications", 0)
    assert count == int(told.split(maxsplit=1)[0] if told else 0)
