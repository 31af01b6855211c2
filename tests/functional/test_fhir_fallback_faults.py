"""A FHIR server that is slow, broken or unwilling: 412 with the reason, or cards that say so."""

from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from cds_service import logs
from cds_service.facts.chart import RESULT_KEYS
from cds_service.gather.admission import Admission
from cds_service.gather.fallback import FhirFallback
from cds_service.gather.limits import LIMITS
from tests.support import fault_proxy as faults
from tests.support import fixtures
from tests.support.calls import Caller
from tests.support.fault_proxy import PATIENCE, Fault, FaultProxy
from tests.support.fhir_calls import QUICK, chart_of, supplies
from tests.support.fhir_server import TOKEN, FhirServer, as_patient, from_server, resources_of
from tests.support.rows import row

FERRITIN_MISSING = "rls.ferritin-missing"
DEEP = b'{"resourceType":"Bundle","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
THEMES = len(RESULT_KEYS)
TABLE: dict[str, tuple[Fault, str]] = {
    "delay": (faults.hangs, "timeout"),
    "delay inside the body": (faults.hangs_in_the_body, "timeout"),
    "a byte now and then": (faults.drips, "timeout"),
    "301": (faults.status(301, Location="http://127.0.0.1:1/"), "redirect"),
    "307": (faults.status(307, Location="/fhir/Patient"), "redirect"),
    "401": (faults.status(401, WWW_Authenticate="Bearer"), "unauthorized"),
    "403": (faults.status(403), "forbidden"),
    "404": (faults.status(404), "not-offered"),
    "410": (faults.status(410), "gone"),
    "418": (faults.status(418), "unexpected-status"),
    "204": (faults.status(206), "unexpected-status"),
    "429": (faults.status(429), "throttled"),
    "429 for hours": (faults.status(429, Retry_After="7200"), "throttled"),
    "429 until a date": (
        faults.status(429, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"),
        "throttled",
    ),
    "500": (faults.status(500), "server-error"),
    "503": (faults.status(503), "throttled"),
    "HTML": (faults.html, "not-fhir"),
    "XML": (faults.says(b'<Bundle xmlns="http://hl7.org/fhir"/>'), "not-fhir"),
    "no resource": (faults.says({"error": "no"}), "not-fhir"),
    "a list": (faults.says([]), "not-fhir"),
    "nothing": (faults.says(b""), "not-fhir"),
    "nested too deeply": (faults.says(DEEP), "not-fhir"),
    "a key twice": (faults.says(b'{"resourceType":"Bundle","total":1,"total":0}'), "not-fhir"),
    "half of the JSON": (faults.half_of_the_json, "not-fhir"),
    "an encoding that nobody asked for": (faults.says(b"x", Content_Encoding="br"), "not-fhir"),
    "no gzip": (faults.says(b"x", Content_Encoding="gzip"), "not-fhir"),
    "truncated": (faults.truncated, "truncated"),
    "chunks that break off": (faults.chunks_that_break_off, "truncated"),
    "closed socket": (faults.closes, "unreachable"),
    "a body that unpacks to 11 MB": (faults.bomb, "too-large"),
}


@pytest.fixture(scope="module")
def call(fhir: FhirServer) -> Any:
    """A call whose data, but for the patient, are to be read. It has restless legs, no ferritin."""
    sample = fixtures.request("patient-view/cramps-and-restless-legs")
    del sample["context"]["encounterId"]
    prefetched = as_patient(sample, "faults")
    fhir.put(resources_of(prefetched))
    return prefetched


@pytest.mark.parametrize("fault", TABLE)
def test_faults(
    caller: Caller, call: Any, ehr: FaultProxy, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it, reason = TABLE[fault]
    if reason == "timeout":  # the others never wait
        quick = partial(FhirFallback, limits=QUICK)
        monkeypatch.setattr("cds_service.web.fhir.FhirFallback", quick)
    ehr.rule("Condition", break_it)
    refused = caller.send(from_server(call, ehr.base, "conditions", "procedures"))
    assert refused.status_code == 412
    (issue,) = refused.json["issue"]
    assert issue["expression"] == ["prefetch.conditions"]
    assert f"({reason})" in issue["diagnostics"]
    ehr.reset()
    ehr.rule("Observation", break_it)
    answer = caller.send(from_server(call, ehr.base, "observations", "procedures"))
    assert answer.status_code == 200
    rules = [
        rule["id"]
        for card in answer.json["cards"]
        for rule in card["extension"]["com.legcramps.cds"]["rules"]
    ]
    assert rules
    assert FERRITIN_MISSING not in rules
    assert "could not be read" in answer.text  # of results a 404 is never "not offered"
    assert TOKEN not in refused.text + answer.text


def test_a_server_that_does_not_exist(caller: Caller, call: Any) -> None:
    answer = caller.send(from_server(call, "http://127.0.0.1:1/fhir", "conditions"))
    assert answer.status_code == 412
    assert "(unreachable)" in answer.json["issue"][0]["diagnostics"]


def test_gzip_is_read(caller: Caller, call: Any, ehr: FaultProxy) -> None:
    ehr.rule("", faults.zipped)
    answer = caller.send(from_server(call, ehr.base, "conditions", "observations"))
    assert answer.status_code == 200
    assert "could not be read" not in answer.text
    assert {one.headers["accept-encoding"] for one in ehr.seen} == {"gzip"}


@pytest.mark.parametrize(
    "fault", [faults.hangs, faults.hangs_in_the_body, faults.drips], ids=["head", "body", "drip"]
)
@row("F13")
def test_with_the_answer_the_connections_are_closed(
    caller: Caller, call: Any, ehr: FaultProxy, fault: Fault
) -> None:
    """Everything hangs. The answer comes while the server still does, and then its connections
    end: nothing is read with a token that the EHR may have revoked."""
    ehr.rule("", fault)
    limits = replace(QUICK, request=PATIENCE)
    with pytest.raises(Exception, match="data-failed"):
        chart_of(caller.client, from_server(call, ehr.base), limits=limits)
    asked = len(ehr.seen)
    assert ehr.hung_up.wait(PATIENCE)
    assert len(ehr.seen) == asked == limits.parallel


@row("F7")
def test_no_reading_beyond_the_life_of_the_token(
    caller: Caller, call: Any, ehr: FaultProxy
) -> None:
    """The server would hang for longer than the token lives, and the limits would allow it."""
    ehr.rule("Condition", faults.hangs)
    asked = from_server(call, ehr.base, "conditions")
    asked["fhirAuthorization"]["expires_in"] = 1
    limits = replace(QUICK, deadline=2 * PATIENCE, request=2 * PATIENCE)
    with pytest.raises(Exception, match="timeout"):
        chart_of(caller.client, asked, limits=limits)
    assert not ehr.closing.is_set()


class TestTokens:
    """What a 401 does to the rest of a call."""

    def test_after_the_second_refusal_nothing_more_is_asked(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        ehr.rule("", faults.status(401))
        with pytest.raises(Exception, match="unauthorized"):
            chart_of(caller.client, from_server(call, ehr.base))
        targets = ehr.targets()
        assert len(targets) == len(set(targets)) < 7

    def test_one_refusal_is_that_key_alone(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        ehr.rule("Procedure", faults.status(401))
        chart = chart_of(caller.client, from_server(call, ehr.base))
        failed = {key for key, supply in supplies(chart).items() if supply == "failed"}
        assert failed == {"procedures"}

    @row("F12")
    def test_the_token_is_in_no_log(
        self, caller: Caller, call: Any, ehr: FaultProxy, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logs.configure("DEBUG")
        try:
            ehr.rule("Observation", faults.closes)
            ehr.rule("Condition", faults.says(b"x", Content_Encoding="gzip"))
            caller.send(from_server(call, ehr.base))
            caller.send(from_server(call, "https://ehr.example.org/fhir"))
        finally:
            logs.configure("CRITICAL")
        written = capsys.readouterr().err
        assert "server-not-local" in written
        assert TOKEN not in written
        assert TOKEN not in caller.client.get("/metrics").text


class TestThrottled:
    """429, which athenahealth and others send for parallel requests."""

    @pytest.mark.parametrize("value", ["0", "Sat, 01 Jan 2000 00:00:00 GMT", "", "soon"])
    def test_what_fits_the_deadline_is_waited_for(
        self, caller: Caller, call: Any, ehr: FaultProxy, value: str
    ) -> None:
        ehr.rule("Observation", faults.status(429, Retry_After=value), times=1)
        chart = chart_of(caller.client, from_server(call, ehr.base))
        assert supplies(chart)["observations"] == "supplied"
        assert len(ehr.targets("Observation")) == THEMES + 1

    def test_a_server_that_takes_one_request_at_a_time(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        def one_only(exchange: Any) -> Any:
            alone = exchange.proxy.at_once == 1
            return exchange.forward() if alone else faults.status(429)(exchange)

        ehr.rule("", one_only)
        chart = chart_of(caller.client, from_server(call, ehr.base))
        assert set(supplies(chart).values()) == {"supplied", "known-empty", "missing"}
        assert supplies(chart)["encounter"] == "missing"  # the call names none

    def test_it_is_tried_once_more_and_no_more(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        ehr.rule("Observation", faults.status(429, Retry_After="0"))
        chart_of(caller.client, from_server(call, ehr.base, "observations"))
        assert len(ehr.targets("Observation")) == THEMES * 2


def test_four_requests_at_a_time(caller: Caller, call: Any, ehr: FaultProxy) -> None:
    together = Barrier(4)

    def wait_for_the_others(exchange: Any) -> Any:
        together.wait(PATIENCE)
        return exchange.forward()

    ehr.rule("", wait_for_the_others, times=4)
    chart_of(caller.client, from_server(call, ehr.base))
    assert ehr.most_at_once == 4


class TestTooMuch:
    """Bounds on pages, entries, bytes. What was read until then counts, as incomplete."""

    def chart(self, caller: Caller, call: Any, ehr: FaultProxy, key: str, **limits: int) -> Any:
        asked = from_server(call, ehr.base, key)
        return chart_of(caller.client, asked, limits=replace(LIMITS, **limits))

    def test_pages(self, caller: Caller, call: Any, ehr: FaultProxy) -> None:
        ehr.rule("Observation", faults.endless_pages)
        chart = self.chart(caller, call, ehr, "observations")
        assert supplies(chart)["observations"] == "incomplete"
        assert "(too-many-pages)" in chart.slot("observations").problem
        assert len(ehr.targets("Observation")) == THEMES * LIMITS.pages

    def test_entries(self, caller: Caller, call: Any, ehr: FaultProxy) -> None:
        slot = self.chart(caller, call, ehr, "conditions", entries=1).slot("conditions")
        assert (slot.supply.value, len(slot.resources)) == ("incomplete", 1)
        assert "(too-many-entries)" in slot.problem

    def test_bytes(self, caller: Caller, call: Any, ehr: FaultProxy) -> None:
        ehr.rule("Observation", faults.says(b"{" + b" " * 300_000))
        chart = self.chart(caller, call, ehr, "observations", body_bytes=200_000)
        assert "(too-large)" in chart.slot("observations").problem


@pytest.mark.parametrize("admission", [Admission(at_once=0), Admission(per_server=0)])
def test_when_too_many_calls_are_reading(
    caller: Caller, call: Any, ehr: FaultProxy, monkeypatch: Any, admission: Admission
) -> None:
    monkeypatch.setattr("cds_service.gather.fallback._admission", admission)
    answer = caller.send(from_server(call, ehr.base))
    assert answer.status_code == 412
    assert "(busy)" in answer.json["issue"][0]["diagnostics"]
    assert not ehr.seen


def test_a_place_is_given_back(
    caller: Caller, call: Any, ehr: FaultProxy, monkeypatch: Any
) -> None:
    monkeypatch.setattr("cds_service.gather.fallback._admission", Admission(1, 1))
    for _ in range(2):
        assert caller.send(from_server(call, ehr.base)).status_code == 200


def test_reads_are_counted(caller: Caller, call: Any, ehr: FaultProxy) -> None:
    ehr.rule("Procedure", faults.status(403))
    count = partial(
        _count, caller, 'cds_fhir_reads_total{outcome="forbidden",resource="Procedure"}'
    )
    before = count()
    caller.cards(from_server(call, ehr.base))
    assert count() == before + 1


def _count(caller: Caller, name: str) -> float:
    lines = caller.client.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)
