"""The web layer over a runtime without clinical content: addresses, limits, CORS, health."""

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.errors import ServiceError
from cds_service.protocol.model import FeedbackEntry
from cds_service.web.app import create_app
from tests.support import fixtures
from tests.support.fake_runtime import CARD, FakeRuntime, service

CALL = fixtures.request("patient-view/no-leg-complaint")
EHR = "https://ehr.example.org"


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime(
        service(),
        service("sign", "order-sign", required=frozenset()),
        service("off", enabled=False),
    )


def client_for(runtime: FakeRuntime, **settings: Any) -> FlaskClient:
    defaults: dict[str, Any] = {"auth": "off", "cors_origins": ("*",), "max_body_bytes": 100_000}
    return create_app(Settings(**defaults | settings), runtime).test_client()


@pytest.fixture
def web(runtime: FakeRuntime) -> FlaskClient:
    return client_for(runtime)


def test_a_call_gets_its_cards(web: FlaskClient, runtime: FakeRuntime) -> None:
    response = web.post("/cds-services/review", json=CALL)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert [card["uuid"] for card in response.json["cards"]] == [CARD.uuid]
    ((request, chart),) = runtime.calls
    assert request.patient_id == "marta-lind"
    assert chart.slot("patient").resources[0].id == "marta-lind"


def test_no_cards(web: FlaskClient, runtime: FakeRuntime) -> None:
    runtime.cards = ()
    response = web.post("/cds-services/review", json=CALL)
    assert (response.status_code, response.json) == (200, {"cards": []})


@pytest.mark.parametrize(
    "path",
    ["/cds-services", "/cds-services/", "//cds-services", "/cds-services///", "/cds//cds-services"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_every_spelling_of_an_address_works(runtime: FakeRuntime, path: str, method: str) -> None:
    web = client_for(runtime, public_url="https://example.org/cds")
    response = web.open("/", method=method, environ_overrides={"PATH_INFO": path})
    assert response.status_code == (204 if method == "OPTIONS" else 200)
    assert "Location" not in response.headers


@pytest.mark.parametrize("path", ["/cds-services//review", "/cds-services/review/"])
def test_every_spelling_of_a_service_address_works(web: FlaskClient, path: str) -> None:
    assert web.post(path, json=CALL).status_code == 200


def test_a_prefix_given_by_the_server_works(web: FlaskClient) -> None:
    response = web.get("/cds-services", environ_overrides={"SCRIPT_NAME": "/mounted"})
    assert response.status_code == 200


def test_a_prefix_is_only_a_whole_path_segment(runtime: FakeRuntime) -> None:
    web = client_for(runtime, public_url="https://example.org/cds")
    assert web.get("/cds-services").status_code == 200
    assert web.get("/cdsx/cds-services").status_code == 404


def test_forwarded_headers_change_nothing(web: FlaskClient) -> None:
    headers = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example"}
    response = web.get("/openapi.json", headers=headers)
    assert b"evil" not in response.data


def test_a_service_that_is_switched_off_is_not_there(web: FlaskClient) -> None:
    assert [s["id"] for s in web.get("/cds-services").json["services"]] == ["review", "sign"]
    assert web.post("/cds-services/off", json=CALL).status_code == 404


def test_no_services_at_all() -> None:
    assert client_for(FakeRuntime()).get("/cds-services").json == {"services": []}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/fhir+json", 200),
        (None, 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_content_types(web: FlaskClient, content_type: str | None, status: int) -> None:
    body = (fixtures.ROOT / "requests/patient-view/no-leg-complaint.json").read_bytes()
    response = web.post("/cds-services/review", data=body, content_type=content_type)
    assert response.status_code == status


def test_a_compressed_body_is_refused(web: FlaskClient) -> None:
    response = web.post(
        "/cds-services/review",
        data=b"\x1f\x8b",
        headers={"Content-Encoding": "gzip"},
        content_type="application/json",
    )
    assert response.status_code == 415


def test_a_body_that_is_too_large_is_refused(runtime: FakeRuntime) -> None:
    web = client_for(runtime, max_body_bytes=100)
    assert web.post("/cds-services/review", json=CALL).status_code == 413


@pytest.mark.parametrize(("size", "status"), [(1000, 400), (1001, 413), (5000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_limit_is_exact(runtime: FakeRuntime, size: int, status: int, chunked: bool) -> None:
    """A chunked body has no Content-Length; cut off at the limit it would read as bad JSON."""
    web = client_for(runtime, max_body_bytes=1000)
    more: dict[str, Any] = {"data": b"x" * size}
    if chunked:
        stream = BytesIO(more.pop("data"))
        environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        more = {"input_stream": stream, "environ_overrides": environ}
    assert web.post("/cds-services/review", **more).status_code == status


class TestCors:
    PATHS = ("/cds-services", "/cds-services/review", "/cds-services/review/feedback")

    def preflight(self, web: FlaskClient, path: str, origin: str) -> Any:
        return web.options(
            path,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )

    @pytest.mark.parametrize("path", PATHS)
    def test_everyone(self, web: FlaskClient, path: str) -> None:
        response = self.preflight(web, path, EHR)
        assert (response.status_code, response.data) == (204, b"")
        headers = {k: v for k, v in response.headers.items() if k.startswith("Access-Control")}
        assert headers == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Max-Age": "600",
        }

    @pytest.mark.parametrize("path", PATHS)
    def test_listed_origins(self, runtime: FakeRuntime, path: str) -> None:
        web = client_for(runtime, cors_origins=(EHR,))
        allowed = self.preflight(web, path, EHR)
        assert allowed.headers["Access-Control-Allow-Origin"] == EHR
        assert allowed.headers["Vary"] == "Origin"
        refused = self.preflight(web, path, "https://evil.example")
        assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]

    def test_nobody(self, runtime: FakeRuntime) -> None:
        web = client_for(runtime, cors_origins=())
        response = web.get("/cds-services", headers={"Origin": EHR})
        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response.headers


class TestFeedback:
    URL = "/cds-services/review/feedback"

    def test_it_is_handed_on_whole(self, web: FlaskClient, runtime: FakeRuntime) -> None:
        batch = fixtures.request("feedback/accepted")["feedback"]
        batch += fixtures.request("feedback/overridden")["feedback"]
        response = web.post(self.URL, json={"feedback": batch})
        assert (response.status_code, response.json) == (200, {"stored": 2})
        assert [entry.outcome for entry in runtime.stored] == ["accepted", "overridden"]

    def test_one_bad_entry_refuses_the_batch(self, web: FlaskClient, runtime: FakeRuntime) -> None:
        batch = fixtures.request("feedback/dismissed")["feedback"] + [{"card": "x"}]
        response = web.post(self.URL, json={"feedback": batch})
        assert response.status_code == 400
        assert response.json["issue"][0]["expression"] == ["feedback[1].outcome"]
        assert runtime.stored == []

    def test_epic_writes_it_in_its_own_way(self, web: FlaskClient, runtime: FakeRuntime) -> None:
        web.post(self.URL, json=fixtures.request("feedback/overridden-by-epic"))
        (entry,) = runtime.stored
        assert isinstance(entry, FeedbackEntry)
        assert entry.reason is not None
        assert (entry.reason.code, entry.reason.display) == ("", "Does not apply here")
        assert "Free text" in entry.comment and "Free text" not in repr(entry)

    def test_nothing_is_acknowledged_that_is_not_stored(
        self, web: FlaskClient, runtime: FakeRuntime
    ) -> None:
        runtime.error = ServiceError(503, "storage-unavailable", "No.", "transient", retry_after=30)
        response = web.post(self.URL, json=fixtures.request("feedback/dismissed"))
        assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


class TestOperation:
    def test_alive(self, web: FlaskClient) -> None:
        assert web.get("/healthz").json == {"status": "alive"}

    def test_ready_or_not(self, web: FlaskClient, runtime: FakeRuntime) -> None:
        assert web.get("/readyz").status_code == 200
        runtime.report = {"ready": False, "database": "cannot be written"}
        response = web.get("/readyz")
        assert (response.status_code, response.json["database"]) == (503, "cannot be written")

    def test_metrics_count_answers_cards_and_prefetch(self, web: FlaskClient) -> None:
        def value(line: str) -> float:
            text = web.get("/metrics").get_data(as_text=True)
            found = [row for row in text.splitlines() if row.startswith(line + " ")]
            return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

        lines = (
            'cds_answers_total{code="",route="/cds-services/<service_id>",service="review",status="200"}',
            'cds_cards_total{indicator="info",service="review"}',
            'cds_prefetch_total{key="patient",service="review",supply="supplied"}',
        )
        before = [value(line) for line in lines]
        web.post("/cds-services/review", json=CALL)
        assert [value(line) for line in lines] == [count + 1 for count in before]

    def test_schemas_are_served_by_their_file_name(self, web: FlaskClient) -> None:
        assert web.get("/schemas/rule.schema.json").json["title"] == "Rule"
        for name in ("openapi.json", "nothing.schema.json", "..%2Fpyproject.toml"):
            assert web.get(f"/schemas/{name}").status_code == 404
