"""What real FHIR servers do differently, one line each: the chart is the same, or says its gap."""

import re
from typing import Any

import pytest

from tests.support import calls
from tests.support import fault_proxy as faults
from tests.support.calls import Caller, condition, medication_request, observation
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, Reply
from tests.support.fhir_calls import chart_of, supplies
from tests.support.fhir_server import FhirServer, as_patient, from_server, resources_of

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
REFERRED = 3
WARNING = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "informational", "details": {"coding": [
            {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}]}}],
    },
    "search": {"mode": "outcome"},
}  # fmt: skip


def order_of(number: int) -> Any:
    order = medication_request("", "", id=f"r-{number}")
    del order["medicationCodeableConcept"]
    return order | {"medicationReference": {"reference": f"Medication/m-{number}"}}


@pytest.fixture(scope="module")
def call(fhir: FhirServer) -> Any:
    """45 medications by name and three by reference; the server pages by 20."""
    named = [
        medication_request("", f"amlodipine {n} mg oral tablet", id=f"m-{n}") for n in range(45)
    ]
    sample = calls.patient_view(
        conditions=[condition(ICD10, "G47.62")],
        medicationRequests=[*named, *map(order_of, range(REFERRED))],
        observations=[observation("2276-4", "49.90", "ng/mL", id="o-1")],
    )
    for number in range(REFERRED):
        sample["prefetch"][f"medication{number}"] = {
            "resourceType": "Medication",
            "id": f"m-{number}",
            "code": {"text": "furosemide 40 mg oral tablet"},
        }
    prefetched = as_patient(sample, "manners")
    fhir.put(resources_of(prefetched))
    return prefetched


def asked(call: Any, ehr: FaultProxy) -> Any:
    return from_server(call, ehr.base)


def refuse_unless(*needed: str) -> Fault:
    """HTTP 400 for a search without one of these in its query, as Epic answers."""

    def fault(exchange: Exchange) -> Reply | None:
        query = exchange.target.partition("?")[2]
        allowed = any(re.search(rf"(^|&){part}", query) for part in needed)
        return exchange.forward() if allowed else faults.status(400)(exchange)

    return fault


def with_warning(bundle: Any) -> Any:
    return bundle | {"entry": [*bundle.get("entry", []), WARNING]}


def only_the_outcome(bundle: Any) -> Any:
    return {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [WARNING]}


def bare(bundle: Any) -> Any:
    """Without what R4 allows to be left out."""
    entries = [{"resource": entry["resource"]} for entry in bundle.get("entry", [])]
    links = [link for link in bundle["link"] if link["relation"] == "next"]
    return {"resourceType": "Bundle", "entry": entries, **({"link": links} if links else {})}


def absolute(exchange: Exchange) -> Reply:
    """All references absolute, as Epic and Firely write them."""
    reply = exchange.forward()
    base = exchange.proxy.base.encode()
    reply.body = re.sub(
        rb'"reference":"(Patient|Medication)/', rb'"reference":"' + base + rb"/\1/", reply.body
    )
    return reply


Rules = tuple[tuple[str, Fault], ...]
SAME: dict[str, Rules] = {
    "a plain server": (),
    "Epic: a warning beside the matches": (("[A-Z]\\w+\\?", faults.changed(with_warning)),),
    "Epic: only a warning when nothing is found": (
        ("Procedure", faults.changed(only_the_outcome)),
    ),
    "Epic: absolute references": (("", absolute),),
    "Epic: Observation needs category or code": (
        ("Observation", refuse_unless("code=", "category=")),
    ),
    "Oracle: no MedicationStatement": (("MedicationStatement", faults.status(404)),),
    "US Core: MedicationRequest needs intent": (("MedicationRequest", refuse_unless("intent=")),),
    "a server that takes patient alone": (
        ("MedicationRequest", refuse_unless("patient=[^&]+$", "_offset=")),
    ),
    "a strict server that knows no _count": (
        ("(Condition|Procedure|ServiceRequest)", lambda exchange: (
            faults.status(400)(exchange) if "_count" in exchange.target else exchange.forward())),
    ),
    "no search mode, no total, no self link": (("[A-Z]\\w+\\?", faults.changed(bare)),),
    "gzip": (("", faults.zipped),),
}  # fmt: skip


def drugs(chart: Any) -> int:
    return len(chart.slot("medicationRequests").resources)


@pytest.mark.parametrize("name", SAME)
def test_manners_that_change_nothing(caller: Caller, call: Any, ehr: FaultProxy, name: str) -> None:
    for pattern, fault in SAME[name]:
        ehr.rule(pattern, fault)
    chart = chart_of(caller.client, asked(call, ehr))
    assert supplies(chart) == {
        "patient": "supplied",
        "encounter": "missing",
        "conditions": "supplied",
        "medicationRequests": "supplied",
        "medicationStatements": "missing" if name.startswith("Oracle") else "known-empty",
        "observations": "supplied",
        "procedures": "known-empty",
        "serviceRequests": "known-empty",
        "questionnaireResponses": "missing",
    }
    assert drugs(chart) == 48
    assert len([r for r in chart.others if r.kind == "Medication"]) == REFERRED
    assert not chart.dropped


@pytest.mark.parametrize("name", SAME)
def test_manners_that_change_no_card(caller: Caller, call: Any, ehr: FaultProxy, name: str) -> None:
    expected = [card["summary"] for card in caller.cards(call)["cards"]]
    for pattern, fault in SAME[name]:
        ehr.rule(pattern, fault)
    cards = caller.cards(asked(call, ehr))["cards"]
    assert [card["summary"] for card in cards] == expected
    assert expected


def test_what_a_narrower_query_leaves_out_is_unknown(
    caller: Caller, call: Any, ehr: FaultProxy
) -> None:
    """A server that refuses the list of codes is asked for laboratory results."""
    ehr.rule("Observation", refuse_unless("category="))
    slot = chart_of(caller.client, asked(call, ehr)).slot("observations")
    assert slot.supply.value == "incomplete"
    assert "other than laboratory results" in slot.problem


def test_a_query_refused_in_every_form(caller: Caller, call: Any, ehr: FaultProxy) -> None:
    ehr.rule("MedicationRequest", faults.status(400))
    slot = chart_of(caller.client, asked(call, ehr)).slot("medicationRequests")
    assert slot.supply.value == "failed"
    assert "(query-refused)" in slot.problem
    assert len(ehr.targets("MedicationRequest")) == 3


def paged_by(spell: Any) -> Fault:
    """The real pages, with the link to the next one spelled another way."""

    def fault(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        bundle = reply.json
        for link in bundle.get("link", ()):
            if link["relation"] == "next":
                link["url"] = spell(exchange, link["url"])
        return faults.says(bundle)(exchange)  # type: ignore[return-value]

    return fault


def opaque(prefix: str) -> Any:
    """Links like HAPI's: the query stands behind a key, and the type is missing."""

    def spell(exchange: Exchange, url: str) -> str:
        offset = re.search(r"_offset=(\d+)", url)
        assert offset
        return prefix.format(base=exchange.proxy.base) + f"?_getpages={offset[1]}"

    return spell


GOOD_LINKS: dict[str, Any] = {
    "absolute": lambda exchange, url: url,
    "relative": lambda exchange, url: url.removeprefix(f"{exchange.proxy.base}/"),
    "relative to the host": lambda exchange, url: "/fhir/" + url.partition("/fhir/")[2],
    "host in capitals": lambda exchange, url: url.replace("http://", "HTTP://"),
    "[base]?_getpages=": opaque("{base}"),
    "[base]/?_getpages=": opaque("{base}/"),
    "?_getpages=": opaque(""),
}


@pytest.mark.parametrize("name", GOOD_LINKS)
def test_next_links_that_are_followed(
    caller: Caller, call: Any, ehr: FaultProxy, name: str
) -> None:
    patient = call["context"]["patientId"]
    fault = paged_by(GOOD_LINKS[name])

    def by_key(exchange: Exchange) -> Reply | None:
        offset = exchange.target.partition("=")[2]
        exchange.target = f"MedicationRequest?patient={patient}&status=active&_offset={offset}"
        return fault(exchange)

    ehr.rule("MedicationRequest", fault)
    ehr.rule(r"\?_getpages", by_key)
    chart = chart_of(caller.client, asked(call, ehr))
    assert supplies(chart)["medicationRequests"] == "supplied"
    assert drugs(chart) == 48


def test_a_last_page_that_links_past_the_end(caller: Caller, call: Any, ehr: FaultProxy) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset"}
    ehr.rule("Condition", faults.next_is(f"{ehr.base}/Condition?page=2"))
    ehr.rule(r"Condition\?page=2", faults.says(empty))
    chart = chart_of(caller.client, asked(call, ehr))
    assert supplies(chart)["conditions"] == "supplied"


BAD_LINKS = {
    "another host": "http://ehr.example.org/fhir/Condition?page=2",
    "another port": "http://127.0.0.1:1/fhir/Condition?page=2",
    "another scheme": "https://127.0.0.1/fhir/Condition?page=2",
    "file": "file:///etc/passwd",
    "no host given": "//127.0.0.1/fhir/Condition?page=2",
    "beside the base": "/other/Condition?page=2",
    "base as a prefix": "/fhirs/Condition?page=2",
    "out of the base": "../admin?page=2",
    "out of the base, encoded": "%2e%2e/admin?page=2",
    "backslash": "\\\\127.0.0.1\\fhir",
    "fragment": "Condition?page=2#x",
    "line break": "Condition?page=2\r\nX: y",
    "not text": 7,
    "very long": "Condition?page=" + "2" * 20_000,
}


@pytest.mark.parametrize("name", BAD_LINKS)
def test_next_links_that_are_not_followed(
    caller: Caller, call: Any, ehr: FaultProxy, name: str
) -> None:
    ehr.rule("Condition", faults.next_is(BAD_LINKS[name]))  # type: ignore[arg-type]
    slot = chart_of(caller.client, asked(call, ehr)).slot("conditions")
    assert (slot.supply.value, len(slot.resources)) == ("incomplete", 1)
    assert len(ehr.targets("Condition")) == 1
    assert not [one for one in ehr.targets() if "admin" in one or "page" in one]


@pytest.mark.parametrize("link", ["Condition?page=2", "self"])
def test_a_next_link_that_leads_back(caller: Caller, call: Any, ehr: FaultProxy, link: str) -> None:
    def back(exchange: Exchange) -> Reply | None:
        url = f"{ehr.base}/{exchange.target}" if link == "self" else link
        return faults.next_is(url)(Exchange(ehr, exchange.handler, first))

    first = f"Condition?patient={call['context']['patientId']}"
    ehr.rule("Condition", back)
    slot = chart_of(caller.client, asked(call, ehr)).slot("conditions")
    assert slot.supply.value == "incomplete"
    assert "(page-loop)" in slot.problem
    assert len(ehr.targets("Condition")) == (1 if link == "self" else 2)


LATER_PAGES: dict[str, tuple[Fault, str]] = {
    "404": (faults.status(404), "not-found"),
    "410": (faults.status(410), "gone"),
    "500": (faults.status(500), "server-error"),
    "400": (faults.status(400), "query-refused"),
    "HTML": (faults.html, "not-fhir"),
    "no Bundle": (faults.says({"resourceType": "OperationOutcome", "issue": []}), "not-fhir"),
    "truncated": (faults.truncated, "truncated"),
}


@pytest.mark.parametrize("name", LATER_PAGES)
def test_a_later_page_that_cannot_be_read(
    caller: Caller, call: Any, ehr: FaultProxy, name: str
) -> None:
    """The first page counts, and nothing is concluded from what is not on it."""
    fault, reason = LATER_PAGES[name]
    ehr.rule("MedicationRequest.*_offset=20", fault)
    chart = chart_of(caller.client, asked(call, ehr))
    slot = chart.slot("medicationRequests")
    assert (slot.supply.value, len(slot.resources)) == ("incomplete", 20)
    assert f"({reason})" in slot.problem


class TestMedications:
    """Orders that only refer to their Medication."""

    def chart(self, caller: Caller, call: Any, ehr: FaultProxy, *orders: Any, **fields: Any) -> Any:
        """The chart of a call whose medication requests were prefetched."""
        entries = [order | {"subject": calls.SUBJECT} | fields for order in orders]
        prefetch = calls.prefetch(medicationRequests=entries, conditions=[])
        sent = call | {"prefetch": prefetch, "context": calls.patient_view()["context"]}
        sent = from_server(sent, ehr.base, "none of them")
        return chart_of(caller.client, sent)

    @pytest.mark.parametrize(
        ("reference", "followed"),
        [
            ("Medication/manners-m-1", True),
            ("{base}/Medication/manners-m-1", True),
            ("Medication/manners-m-1/_history/1", True),
            ("http://ehr.example.org/fhir/Medication/manners-m-1", False),
            ("Patient/manners-pat-1", False),
            ("Medication/../Patient", False),
            ("Medication/..", False),
            ("Medication/a?b=c", False),
            ("#m", False),
            ("urn:uuid:1", False),
            ("Medication/", False),
            (7, False),
        ],
    )
    def test_references(
        self, caller: Caller, call: Any, ehr: FaultProxy, reference: Any, followed: bool
    ) -> None:
        text = reference.format(base=ehr.base) if isinstance(reference, str) else reference
        order = order_of(1) | {"medicationReference": {"reference": text}}
        chart = self.chart(caller, call, ehr, order)
        assert ehr.targets() == (["Medication/manners-m-1"] if followed else [])
        assert len(chart.others) == followed

    def test_a_prefetched_reference_with_a_name_is_enough(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        order = order_of(1)
        order["medicationReference"]["display"] = "furosemide 40 mg"
        self.chart(caller, call, ehr, order)
        assert not ehr.seen

    def test_only_so_many(self, caller: Caller, call: Any, ehr: FaultProxy) -> None:
        orders = [order_of(number) for number in range(30)]
        self.chart(caller, call, ehr, *orders)
        assert len(ehr.targets("Medication/")) == 20

    def test_one_medication_of_many_orders_is_read_once(
        self, caller: Caller, call: Any, ehr: FaultProxy
    ) -> None:
        orders = [order_of(1) | {"id": f"again-{number}"} for number in range(5)]
        self.chart(caller, call, ehr, *orders)
        assert len(ehr.seen) == 1
