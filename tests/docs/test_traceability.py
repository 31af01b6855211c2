"""Every claim of the source documents is held by something, and nothing cites what isn't there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cds_service.facts.definitions import Code
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack, Rule

ROOT = Path(__file__).parent.parent.parent
Json = Any


def read(name: str) -> Json:
    return json.loads((ROOT / "hooks" / f"{name}.json").read_text("utf-8"))


FILES = read("claims")
CLAIMS: dict[str, Json] = FILES["claims"]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT / "hooks", thorough=False)


def texts(node: Json) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from texts(part)


def rule_of(pack: Pack, rule_id: str) -> Rule:
    return next(rule for rule in pack.rules if rule.id == rule_id)


@pytest.mark.parametrize("name", ["claims", "evidence", "guidelines", "history"])
def test_the_files_keep_their_schema(name: str) -> None:
    path = ROOT / "cds_service" / "schemas" / f"{name}.schema.json"
    errors = Draft202012Validator(json.loads(path.read_text("utf-8"))).iter_errors(read(name))
    assert [error.message for error in errors] == []


def test_no_claim_is_missing() -> None:
    assert list(CLAIMS) == [f"C{number}" for number in range(1, 312)]


def test_each_claim_has_its_place_in_a_document() -> None:
    for name, claim in CLAIMS.items():
        assert claim["document"] in FILES["documents"], name
        assert 1 <= len(claim["quote"].split()) <= 20, name


def test_rules_cite_only_claims_that_exist(pack: Pack) -> None:
    cited = {(rule.id, claim) for rule in pack.rules for claim in rule.claims}
    assert [pair for pair in cited if pair[1] not in CLAIMS] == []


def test_what_holds_a_claim_agrees_with_the_rules(pack: Pack) -> None:
    """claims.json and the rules' own `claims` are the same relation, read from both ends."""
    told = {(rule, name) for name, one in CLAIMS.items() for rule in one["held"].get("rules", ())}
    cited = {(rule.id, claim) for rule in pack.rules for claim in rule.claims}
    assert sorted(cited - told) == [], "add these rules to the claim's `held` in hooks/claims.json"
    assert sorted(told - cited) == [], "these rules do not name the claim any more"


def test_every_claim_is_held() -> None:
    for name, claim in CLAIMS.items():
        held = claim["held"]
        assert held and all(held.values()), name
        assert "documentation" not in held or len(held) == 1, name


def test_questions_that_hold_claims_exist_and_all_hold_some() -> None:
    items = {item["linkId"] for item in read("questionnaires/leg-symptoms")["item"]}
    holding = {item for claim in CLAIMS.values() for item in claim["held"].get("questionnaire", ())}
    assert holding == items


def test_card_texts_that_hold_claims_are_on_the_card(pack: Pack) -> None:
    held = [(name, c["held"]["text"]) for name, c in CLAIMS.items() if "text" in c["held"]]
    assert held
    for name, text in held:
        rule = rule_of(pack, text["rule"])
        assert any(text["words"] in part for part in texts(rule.raw["card"])), name


def test_documentation_only_claims_are_in_the_reference() -> None:
    reference = (ROOT / "docs" / "clinical-reference.md").read_text("utf-8")
    for name, claim in CLAIMS.items():
        if "documentation" in claim["held"]:
            row = next(row for row in reference.splitlines() if row.startswith(f"| {name} |"))
            assert claim["held"]["documentation"] in row


def test_evidence_names_every_rule_and_no_other(pack: Pack) -> None:
    evidence = read("evidence")
    assert set(evidence["rules"]) == {rule.id for rule in pack.rules}
    for name, one in evidence["rules"].items():
        assert one["strength"] in evidence["strengths"], name
    attributes = evidence["attributes"]
    for key in ("sex", "birthDate", "healthStatus"):
        assert set(attributes[key]) <= set(pack.catalogue.facts)


def test_facts_about_sex_age_and_status_are_all_told(pack: Pack) -> None:
    """A new fact that reads the patient's sex or birth date must be told on the source pages."""
    told = read("evidence")["attributes"]
    for fact in pack.catalogue.facts.values():
        if isinstance(fact, Code) and fact.path == "Patient.gender":
            assert fact.name in told["sex"]
        if fact.kind == "number":
            assert fact.name in told["birthDate"]
        if fact.kind in ("problem", "coded") and re.search("pregnan|smok|alcohol", fact.title):
            assert fact.name in told["healthStatus"], fact.name


def test_guideline_differences_name_rules_and_links_that_exist(pack: Pack) -> None:
    found = read("guidelines")
    assert list(found["guidelines"]) == [f"G{number}" for number in range(1, 32)]
    for name, one in found["guidelines"].items():
        assert one["verdict"] in found["verdicts"], name
        assert set(one["rules"]) <= {rule.id for rule in pack.rules}, name
        assert set(one.get("links", ())) <= set(pack.links), name
        assert one.get("links") or one.get("urls"), name
        assert one["rules"] or one["verdict"] == "outside", name


def test_the_version_of_every_rule_is_in_its_history(pack: Pack) -> None:
    history = read("history")
    assert set(history["rules"]) <= {rule.id for rule in pack.rules}
    for rule in pack.rules:
        newest = [*history["rules"].get(rule.id, ()), history["first"]][0]
        assert newest["version"] == rule.version, (
            f"say in hooks/history.json what {rule.id} changed"
        )
