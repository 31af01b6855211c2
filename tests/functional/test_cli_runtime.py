"""The use case behind web and command line: faults are counted and said, never swallowed."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.clock import Clock
from cds_service.errors import ServiceError
from cds_service.gather.chart import gather
from cds_service.packs.load import load_pack
from cds_service.protocol.model import Card
from cds_service.protocol.request import parse_request
from cds_service.rules import engine
from cds_service.service.runtime import Runtime
from cds_service.store.record import DecisionRecord

REQUEST = Path("fixtures/requests/patient-view/cramps-and-restless-legs.json")
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


class MemoryStore:
    """Keeps records; stands in for the database."""

    dropped_records = 0
    waiting_records = 0

    def __init__(self) -> None:
        self.records: list[DecisionRecord] = []

    def record(self, record: DecisionRecord) -> None:
        self.records.append(record)

    def problem(self, now: int) -> str:
        return ""

    def activity(self, _today: Any) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def pack() -> Any:
    return load_pack(Path("hooks"), thorough=False)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def runtime(pack: Any, store: Any) -> Runtime:
    return Runtime(pack, store, Clock(NOW), public_url="https://cds.example.org")


def answer(runtime: Runtime) -> list[Card]:
    service = runtime.service("leg-cramps-patient-view")
    assert service is not None
    request = parse_request(service.hook, REQUEST.read_bytes())
    return list(runtime.answer(service, request, gather(request, service)))


def break_rules(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    sound = engine.judge

    def judge(compiled: Any, *rest: Any) -> Any:
        if compiled.rule.id.startswith(prefix):
            raise ZeroDivisionError
        return sound(compiled, *rest)

    monkeypatch.setattr(engine, "judge", judge)


def test_the_decision_record_ties_cards_to_rules_and_pack(
    runtime: Runtime, store: MemoryStore
) -> None:
    cards = answer(runtime)
    [record] = store.records
    assert [card.uuid for card in record.cards] == [card.uuid for card in cards]
    assert record.outcomes["rls.low-ferritin"] == "fires"
    assert (record.day, record.pack_revision) == ("2026-11-21", runtime.pack.revision)


def test_the_decision_record_holds_nothing_of_the_patient(
    runtime: Runtime, store: MemoryStore
) -> None:
    answer(runtime)
    told = repr(store.records)
    for secret in ("marta", "Lind", "ng/mL", "2026-08-21", "hydrochlorothiazide", "Condition/"):
        assert secret not in told


def test_a_rule_that_fails_is_an_error_and_the_others_answer(
    runtime: Runtime, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rules(monkeypatch, "rls.")
    cards = answer(runtime)
    assert cards
    assert all(not rule.startswith("rls.") for card in cards for rule, _ in card.rules)
    assert store.records[0].outcomes["rls.low-ferritin"] == "error"


def test_when_every_rule_fails_it_is_500_and_not_an_empty_answer(
    runtime: Runtime, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rules(monkeypatch, "")
    with pytest.raises(ServiceError) as caught:
        answer(runtime)
    assert caught.value.status == 500
    assert "error" in store.records[0].outcomes.values()


def test_cards_point_to_the_public_address(runtime: Runtime) -> None:
    for card in answer(runtime):
        assert card.source.url == f"https://cds.example.org/sources/{card.rules[0][0]}"


def test_every_cited_entry_is_in_the_chart_and_on_one_card(runtime: Runtime) -> None:
    sent = REQUEST.read_text()
    cited = [
        reference
        for card in answer(runtime)
        for reference in card.extension["com.legcramps.cds"].get("evidence", [])
    ]
    assert cited
    assert len(set(cited)) == len(cited)
    assert all(f'"{reference.partition("/")[2]}"' in sent for reference in cited)


def test_health_names_the_pack(runtime: Runtime) -> None:
    health = runtime.health()
    assert health["ready"] is True
    assert health["pack"]["revision"] == runtime.pack.revision


def test_without_a_database_feedback_is_refused(pack: Any) -> None:
    runtime = Runtime(pack, None, Clock(NOW))
    service = runtime.services[0]
    with pytest.raises(ServiceError) as caught:
        runtime.record_feedback(service, [])
    assert caught.value.status == 503
    assert runtime.health()["ready"] is False


def test_a_pack_that_does_not_compile_leaves_the_old_one(runtime: Runtime, pack: Any) -> None:
    rule = replace(pack.rules[0], when={"is": "no-such-definition"}, status="active")
    with pytest.raises(ValueError, match="no-such-definition"):
        runtime.replace_pack(replace(pack, rules=(rule,)))
    assert runtime.pack is pack
    assert answer(runtime)
