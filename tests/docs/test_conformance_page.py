"""docs/conformance.md promises nothing that the program does not do: each table against the code.

A line that no test here expects is a failure, too.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.callers import model, tokens, trial_tokens
from cds_service.cards.finding_texts import LONGEST_SUMMARY
from cds_service.config import Settings
from cds_service.facts.prefetch_keys import described
from cds_service.gather.limits import LIMITS
from cds_service.packs.prefetch_templates import LONGEST
from cds_service.protocol.discovery import HOOK_VERSIONS, VERSION_3_0
from tests.support.calls import Caller
from tests.support.fixtures import request
from tests.support.rows import row

PAGE = (Path(__file__).parent.parent.parent / "docs" / "conformance.md").read_text("utf-8")
SECTIONS = {
    section.partition("\n")[0]: section.partition("\n")[2] for section in PAGE.split("\n## ")[1:]
}
SETTINGS = Settings()


def table(heading: str) -> list[list[str]]:
    """The cells of a section's table, without its two head lines."""
    lines = [line for line in SECTIONS[heading].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def pairs(heading: str) -> dict[str, str]:
    return {cells[0]: cells[1] for cells in table(heading)}


@pytest.fixture
def services(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/cds-services").json["services"]
    return found


@row("T1")
def test_hooks(services: list[dict[str, Any]]) -> None:
    told = [tuple(cell.strip("`") for cell in cells) for cells in table("Hooks")]
    assert set(told) == {(s["hook"], HOOK_VERSIONS[s["hook"]], s["id"]) for s in services}
    assert told[0][0] == "order-sign"  # what clients of coverage discovery are certified on
    assert len({hook for hook, _, _ in told}) == len(HOOK_VERSIONS)


def test_hooks_that_are_not_answered(client: FlaskClient) -> None:
    named = re.findall(r"`([a-z]+-[a-z]+)`", SECTIONS["Hooks"].partition("Other hooks")[2])
    for hook in [name for name in named if name not in HOOK_VERSIONS]:
        for service in client.get("/cds-services").json["services"]:
            answer = client.post(f"/cds-services/{service['id']}", json={"hook": hook})
            assert answer.status_code == 400


def test_a_client_of_coverage_discovery_without_a_login_gets_its_card(caller: Caller) -> None:
    call = request("order-sign/quinine")
    call |= {
        "fhirServer": "https://ehr.example.org/fhir",
        "fhirAuthorization": {
            "access_token": "", "token_type": "Bearer", "expires_in": 300, "scope": "",
            "subject": "",
        },
    }  # fmt: skip
    assert caller.cards(call)["cards"]


def test_the_paragraphs_name_what_there_is(client: FlaskClient) -> None:
    paragraphs = {cells[0]: cells[2] for cells in table("For clients that are certified")}
    assert set(paragraphs) == {"170.315(j)(20)", "170.315(g)(31)", "170.315(b)(11)"}
    assert "`leg-cramps-order-sign`" in paragraphs["170.315(g)(31)"]
    assert "`order-sign`" in paragraphs["170.315(j)(20)"]
    assert client.get("/sources/rls.low-ferritin").status_code == 200


def test_prefetch_and_scopes(services: list[dict[str, Any]]) -> None:
    told = {cells[0].strip("`"): cells[1:] for cells in table("Prefetch and scopes")}
    for service in services:
        assert set(service["prefetch"]) == set(told)
        for key, template in service["prefetch"].items():
            resource = re.split(r"[/?]", template)[0]
            scope = f"`patient/{resource}.{'rs' if '?' in template else 'r'}`"
            asked = described(key).asked
            wanted = [resource, scope if asked else "", "yes" if asked else "no"]
            assert told[key] == wanted
    assert f"at most {LONGEST:,} bytes" in SECTIONS["Prefetch and scopes"]


def test_cards(services: list[dict[str, Any]]) -> None:
    told = pairs("Cards")
    assert told.pop("cards a call") == "at most 3 (`leg-symptoms-screen`: 1)"
    assert told.pop("`summary`") == f"at most {LONGEST_SUMMARY} characters"
    assert told.pop("`systemActions`") == "never"
    # Held by tests/functional/test_language.py.
    assert told.pop("language of the texts").startswith("`Accept-Language`, or fixed for a client")
    assert told.pop("feedback").startswith("`/cds-services/{id}/feedback`")
    # Held for every card of every rule by tests/conformance/test_cards.py.
    assert set(told) == {
        "`indicator`", "`selectionBehavior`", "actions", "links", "`overrideReasons`",
    }  # fmt: skip


def test_token() -> None:
    told = pairs("Token")
    algorithms = ", ".join(f"`{name}`" for name in model.DEFAULT_ALGORITHMS)
    assert told.pop("algorithms by default") == algorithms
    assert f"{model.DEFAULT_MAX_TOKEN_AGE} s" in told.pop("`exp` after `iat`")
    assert told.pop("clocks may differ by") == f"{model.DEFAULT_LEEWAY} s"
    assert told.pop("longest Authorization header") == f"{tokens.LONGEST} characters"
    assert trial_tokens.SECONDS < model.DEFAULT_MAX_TOKEN_AGE
    # Held by tests/security/test_tokens_hostile.py and test_jwks.py.
    assert set(told) == {"`aud`", "`jti`", "keys"}


def test_limits_and_times() -> None:
    assert pairs("Limits and times") == {
        "body": f"{SETTINGS.max_body_bytes} bytes",
        "resources of a request": f"{SETTINGS.max_resources}",
        "calls under way in a worker": f"{SETTINGS.max_in_flight}",
        "a request must have come within": f"{SETTINGS.read_seconds} s",
        "reading from the FHIR server, a call": f"{LIMITS.deadline} s",
        "one request to the FHIR server": f"{LIMITS.request} s",
        "requests to it at a time": f"{LIMITS.parallel}",
    }


def test_3_0(services: list[dict[str, Any]]) -> None:
    told = pairs("CDS Hooks 3.0")
    assert told["`version` in discovery"] == f"`{VERSION_3_0}`, with the dialect"
    assert {told["`hookVersion` in discovery"]} == {
        f"`{version}`, with the dialect" for version in HOOK_VERSIONS.values()
    }
    templates = "".join(template for s in services for template in s["prefetch"].values())
    for unused in ("_maxresults", "today()", "{{%", "ofType"):
        assert unused not in templates
    assert not {"version", "hookVersion"} & {name for service in services for name in service}


@pytest.mark.parametrize("scope", ["patient/Condition.rs", "user/*.read", "", "any words"])
def test_scopes_of_either_form_are_taken(caller: Caller, scope: str) -> None:
    call = request("patient-view/no-leg-complaint")
    call |= {
        "fhirServer": "https://ehr.example.org/fhir",
        "fhirAuthorization": {
            "access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": scope,
            "subject": "s",
        },
    }  # fmt: skip
    assert caller.send(call).status_code == 200
