"""A hostile page in the same browser, or a name pointed at this machine, reaches nothing."""

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.pages import chart, post, token

BROWSER = {"Accept": "text/html"}
PAGES = ("/", "/workbench", "/workbench/try", "/workbench/try/pick?q=ferr")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.9", "[::2]"])
def test_a_name_that_is_not_ours_gets_nothing(workbench: FlaskClient, page: str, host: str) -> None:
    """DNS rebinding: the hostile name points at 127.0.0.1, and the browser sends it as Host."""
    answer = workbench.get(page, headers={**BROWSER, "Host": host})
    assert answer.status_code == 403
    assert "csrf" not in answer.text.replace("csrf-refused", "")


@pytest.mark.parametrize("page", PAGES)
def test_no_other_origin_may_read_or_frame_a_page(workbench: FlaskClient, page: str) -> None:
    answer = workbench.get(page, headers={**BROWSER, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert re.fullmatch(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[^']+'; "
        "connect-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
        policy,
    )
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_preflight_of_another_origin_is_not_allowed(workbench: FlaskClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = workbench.options("/workbench/try", headers=headers)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_another_origin_may_not_post_even_with_the_token(
    workbench: FlaskClient, origin: str
) -> None:
    fields = {"chart": chart(workbench, "quiet")}
    assert post(workbench, "/workbench/try", fields, Origin=origin).status_code == 403


@pytest.mark.parametrize("sent", ["", "x", "é"])
def test_without_the_token_nothing_is_posted(workbench: FlaskClient, sent: str) -> None:
    fields = {"chart": chart(workbench, "quiet"), "csrf": sent}
    assert workbench.post("/workbench/try", data=fields).status_code == 403


def test_the_own_page_may_post(workbench: FlaskClient) -> None:
    fields = {"chart": chart(workbench, "quiet")}
    assert post(workbench, "/workbench/try", fields, Origin="http://localhost").status_code == 200


def test_every_address_is_guarded(workbench_app: Flask) -> None:
    client = workbench_app.test_client()
    guarded = [rule for rule in workbench_app.url_map.iter_rules() if "workbench" in rule.rule]
    assert len(guarded) > 5
    for rule in guarded:
        address = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = client.open(address, method=method, headers={"Host": "evil.example"})
            assert answer.status_code == 403, (method, address)
            if method == "POST":
                assert client.post(address).status_code == 403, address


def test_nothing_of_a_chart_is_logged_or_kept(
    workbench: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    from cds_service import logs

    logs.configure("DEBUG")
    try:
        marker = "Zebedee-1847"
        text = json.dumps({"resourceType": "Patient", "id": marker})
        fields = {"chart": "{}", "text": text}
        fields["op"] = '{"do": "read"}'
        assert marker in post(workbench, "/workbench/try", fields).text
        bad = {"chart": "{" + marker}
        assert post(workbench, "/workbench/try", bad).status_code == 400
    finally:
        logs.configure("CRITICAL")
    out, err = capfd.readouterr()
    assert marker not in out + err
    assert marker not in workbench.get("/workbench/try").text
    assert token(workbench) not in out + err
