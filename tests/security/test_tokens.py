"""Good tokens are let in, on every address and from every kind of EHR (rows O and P)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import ConfigurationError
from tests.support import tokens
from tests.support.rows import row
from tests.support.tokens import (
    DISCOVERY,
    EXAMPLE,
    ISSUER,
    JKU,
    REVIEW,
    TIME,
    Secured,
    client_entry,
    public,
    token,
    write_clients,
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_clients(tmp_path)
    return tmp_path


@pytest.fixture
def service(site: Path) -> Secured:
    return Secured(site)


@row("O5", "O6", "P20")
@pytest.mark.parametrize("kid", ["ec-384", "rsa+2048/epic=="])
def test_both_recommended_algorithms(service: Secured, kid: str) -> None:
    assert service.call(token(kid)).status_code == 200


@row("O7", "P8", "P14", "N16")
@pytest.mark.parametrize(
    ("path", "aud"),
    [
        ("/cds-services", DISCOVERY),
        ("/cds-services", f"{DISCOVERY}/"),
        ("/cds-services/review", REVIEW),
        ("/cds-services/review", f"{REVIEW}/"),
        ("/cds-services/review/", REVIEW),
        ("/base/cds-services/review", REVIEW),
        ("/cds-services/review", "HTTPS://CDS.example.org:443/base/cds-services/review"),
        ("/cds-services/review", [REVIEW]),
        ("/cds-services/review", ["urn:someone-else", REVIEW]),
        ("/cds-services/review/feedback", f"{REVIEW}/feedback"),
        ("/cds-services/review/feedback", REVIEW),
        ("/cds-services/none", f"{DISCOVERY}/none"),
    ],
)
def test_the_audience_is_the_public_address(service: Secured, path: str, aud: Any) -> None:
    status = service.call(token(aud=aud), path).status_code
    assert status == (404 if path.endswith("none") else 200)


@row("P14")
def test_the_host_header_has_no_say(service: Secured) -> None:
    evil = "https://evil.example"
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    refused = service.call(token(aud=f"{evil}/cds-services/review"), headers=headers)
    assert refused.status_code == 401
    assert service.call(token(), headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_addresses_without_patient_data_are_open(service: Secured, path: str) -> None:
    assert service.web.get(path).status_code == 200
    assert service.web.get("/schemas/clients.schema.json").status_code == 200


@row("Q1")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/review"])
def test_a_preflight_needs_no_token(service: Secured, path: str) -> None:
    headers = {"Origin": "https://ehr.example.org", "Access-Control-Request-Method": "POST"}
    response = service.web.options(path, headers=headers)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (204, "*")


@row("P7", "P16", "P17")
def test_jku_may_be_named_or_left_out(service: Secured) -> None:
    assert service.call(token(head={"jku": JKU})).status_code == 200
    assert service.call(token()).status_code == 200


def test_clocks_may_differ_a_little(service: Secured) -> None:
    assert service.call(token(exp=TIME - 59, iat=TIME - 300)).status_code == 200
    assert service.call(token(iat=TIME + 60)).status_code == 200
    assert service.call(token(nbf=TIME + 60)).status_code == 200
    assert service.call(token(iat=TIME - 3660, exp=TIME + 1)).status_code == 200


def test_times_may_have_fractions(service: Secured) -> None:
    assert service.call(token(iat=TIME - 0.5, exp=TIME + 299.5)).status_code == 200


@row("P12")
def test_tenant_and_subject_may_be_anything_unless_listed(site: Path) -> None:
    assert Secured(site).call(token(tenant="t", sub="s")).status_code == 200
    write_clients(site, client_entry(tenants=["north", "south"], subject="cds-client"))
    service = Secured(site)
    assert service.call(token(tenant="south", sub="cds-client")).status_code == 200
    for wrong in ({"tenant": "west"}, {"tenant": None}, {"sub": "x"}, {"sub": None}):
        changed = {"tenant": "south", "sub": "cds-client"} | wrong
        assert service.call(token(**changed)).status_code == 401


@row("P4")
def test_a_client_may_be_allowed_to_leave_typ_out(site: Path) -> None:
    write_clients(site, client_entry(typ="optional"))
    service = Secured(site)
    assert service.call(token(head={"typ": None})).status_code == 200
    assert service.call(token(head={"typ": "at+jwt"})).status_code == 401


@row("P21")
def test_other_algorithms_by_listing_only(site: Path) -> None:
    keys = {"set": public("ec-256", "ec-384")}
    write_clients(site, client_entry(keys=keys, algorithms=["ES256", "ES384"]))
    service = Secured(site)
    assert service.call(token("ec-256")).status_code == 200
    write_clients(site, client_entry(keys=keys, algorithms=["ES384"]))
    with pytest.raises(ConfigurationError, match="K008"):
        Secured(site)


def test_other_audiences_by_listing_only(site: Path) -> None:
    assert Secured(site).call(token(aud="urn:cds")).status_code == 401
    write_clients(site, client_entry(audiences=["urn:cds"]))
    assert Secured(site).call(token(aud="urn:cds")).status_code == 200


@row("O8")
def test_the_worked_example_of_the_specification(tmp_path: Path) -> None:
    example = client_entry(
        issuer="https://fhir-ehr.example.com/",
        keys={"jku": ["https://fhir-ehr.example.com/jwk_uri"], "set": EXAMPLE["set"]},
        tenants=["2ddd6c3a-8e9a-44c6-a305-52111ad302a2"],
    )
    write_clients(tmp_path, example)
    then = datetime(2011, 7, 21, 21, 0, tzinfo=UTC)
    at_home = Secured(tmp_path, now=then, public_url="https://cds.example.org")
    path = "/cds-services/some-service"
    assert at_home.call(EXAMPLE["token"], path).status_code == 200
    assert at_home.call(EXAMPLE["token"], path).status_code == 401  # a second time
    elsewhere = Secured(tmp_path, now=then, public_url="https://cds.example.com")
    assert elsewhere.call(EXAMPLE["token"], path).status_code == 401
    today = Secured(tmp_path, public_url="https://cds.example.org")
    assert today.call(EXAMPLE["token"], path).status_code == 401


def test_a_token_as_epic_makes_it(site: Path) -> None:
    jku = "https://epic.example.org/api/epic/2019/Security/Open/PublicKeys/530027/CDS"
    epic = client_entry(
        issuer="cds-client-id",
        subject="cds-client-id",
        keys={"jku": [jku], "set": public("rsa+2048/epic==")},
        algorithms=["RS384"],
        dialect={"preset": "epic"},
    )
    write_clients(site, epic)
    sent = token(
        "rsa+2048/epic==", {"jku": jku}, iss="cds-client-id", sub="cds-client-id", nbf=TIME - 300
    )
    assert Secured(site).call(sent).status_code == 200


def test_a_token_as_the_sandbox_makes_it(site: Path) -> None:
    sent = token(
        head={"jku": JKU}, exp=TIME + 300, jti="5d4b8a3e-1c29-4c61-9df4-5a1c0ab7ec41", iss=ISSUER
    )
    feedback = token(aud=f"{REVIEW}/feedback", jti="0e6a4dc0-6f63-4d44-a5a8-3c40cc8ad3ac")
    service = Secured(site)
    assert service.call(sent).status_code == 200
    assert service.call(feedback, "/cds-services/review/feedback").status_code == 200


def test_a_jti_as_inferno_makes_it(service: Secured) -> None:
    assert service.call(token(jti="0f" * 32)).status_code == 200


@row("P11")
def test_a_token_is_good_once_in_all_workers_and_after_a_restart(site: Path) -> None:
    one, other = Secured(site), Secured(site)
    sent = token()
    assert one.call(sent).status_code == 200
    assert one.call(sent).status_code == 401
    assert other.call(sent).status_code == 401
    one.runtime.store.close()
    other.runtime.store.close()
    assert Secured(site).call(sent).status_code == 401


def test_two_issuers_may_use_the_same_jti(site: Path) -> None:
    second = client_entry(name="second", issuer="https://second.example.org")
    write_clients(site, client_entry(), second)
    service = Secured(site)
    assert service.call(token(jti="1")).status_code == 200
    assert service.call(token(jti="1", iss="https://second.example.org")).status_code == 200


def test_a_refused_token_is_not_spent(service: Secured) -> None:
    good = token(jti="kept")
    head, body, signature = good.split(".")
    assert service.call(f"{head}.{body}.{signature[::-1]}").status_code == 401
    assert service.call(good).status_code == 200


def test_used_tokens_are_forgotten_when_they_no_longer_matter(site: Path) -> None:
    service = Secured(site)
    store = service.runtime.store
    assert store.spend_token("a", until=1000, now=900)
    assert not store.spend_token("a", until=1000, now=930)
    assert store.spend_token("b", until=2000, now=1001)  # a purge is due
    assert store.spend_token("a", until=2000, now=1002)


def test_without_the_database_nobody_is_let_in(site: Path) -> None:
    service = Secured(site)
    with service.runtime.store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE spent_tokens")
    response = service.call(token())
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert service.runtime.calls == []
    assert service.call("x.y.z").status_code == 401


def test_the_body_is_not_read_before_the_token(service: Secured) -> None:
    service.app.config["MAX_BODY"] = 10
    assert service.call("").status_code == 401
    assert service.call(token()).status_code == 413


def test_with_authentication_off_no_token_is_looked_at(tmp_path: Path) -> None:
    service = Secured(tmp_path, auth="off", site_dir=None)
    assert service.call("nonsense").status_code == 200
    assert service.call("").status_code == 200


@row("P13")
def test_without_clients_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Secured(tmp_path)
    assert "CDS_AUTH=off" in caught.value.hint
    (tmp_path / "clients.json").write_text('{"clients": []}')
    with pytest.raises(ConfigurationError, match="clients.json has 1 problem"):
        Secured(tmp_path)
    with pytest.raises(ConfigurationError):
        write_clients(tmp_path)
        Secured(tmp_path, public_url="")


def test_readyz_tells_of_keys(service: Secured) -> None:
    assert service.web.get("/readyz").json["keys"] == {"held": 0, "failing": 0}


def test_the_key_of_another_client_does_not_sign_for_this_one(site: Path) -> None:
    second = client_entry(
        name="second", issuer="https://second.example.org", keys={"set": public("ec-384-next")}
    )
    write_clients(site, client_entry(), second)
    service = Secured(site)
    assert service.call(token("ec-384-next", iss="https://second.example.org")).status_code == 200
    assert service.call(token("ec-384-next")).status_code == 401
    assert (
        service.call(
            tokens.signed(tokens.header("ec-384"), tokens.claims(), "ec-384-next")
        ).status_code
        == 401
    )
