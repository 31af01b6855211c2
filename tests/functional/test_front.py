"""GET /: the workbench where it is on, a short page where it is not, an index for programs."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.config import load
from cds_service.errors import ConfigurationError

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_the_workbench_where_it_is_on(workbench: FlaskClient) -> None:
    answer = workbench.get("/", headers=BROWSER)
    assert answer.status_code == 200
    assert "http://127.0.0.1:5005/cds-services" in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_browser_gets_a_short_page_where_it_is_off(client: FlaskClient) -> None:
    answer = client.get("/", headers=BROWSER)
    assert answer.status_code == 200
    assert "/sources" in answer.text
    assert client.get("/workbench", headers=BROWSER).status_code == 404


def test_a_program_gets_an_index_whose_routes_answer(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "*/*"})
    routes = answer.get_json()["routes"]
    plain = [route for route in routes.values() if "{" not in route]
    assert "/cds-services" in plain
    assert {client.get(route).status_code for route in plain} == {200}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CDS_AUTH": "off"}, "local"),
        ({"CDS_AUTH": "off", "CDS_HOST": "0.0.0.0"}, "off"),
        ({"CDS_AUTH": "off", "CDS_HOST": "0.0.0.0", "CDS_WORKBENCH": "on"}, "on"),
        ({"CDS_AUTH": "off", "CDS_WORKBENCH": "off"}, "off"),
    ],
)
def test_it_is_there_for_a_trial_on_this_machine(environ: dict[str, str], expected: str) -> None:
    assert load(environ).workbench == expected


def test_a_service_that_requires_tokens_never_shows_it(tmp_path: Path) -> None:
    (tmp_path / "clients.json").write_text("{}")
    environ = {"CDS_SITE_DIR": str(tmp_path), "CDS_PUBLIC_URL": "https://cds.example.org"}
    assert load(environ).workbench == "off"
    with pytest.raises(ConfigurationError) as caught:
        load({**environ, "CDS_WORKBENCH": "on"})
    assert "cds workbench" in caught.value.message
