"""The environment: every problem at once, and safe defaults."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_service.config import Settings, load
from cds_service.errors import ConfigurationError


def test_without_a_decision_about_authentication_nothing_starts() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({})
    assert "CDS_AUTH=off" in caught.value.message
    assert caught.value.hint


def test_with_clients_and_a_public_address_it_starts(tmp_path: Path) -> None:
    (tmp_path / "clients.json").write_text("{}")
    environ = {"CDS_SITE_DIR": str(tmp_path), "CDS_PUBLIC_URL": "https://cds.example.org"}
    assert load(environ).auth == "required"
    for name in environ:
        with pytest.raises(ConfigurationError) as caught:
            load({key: value for key, value in environ.items() if key != name})
        assert "CDS_" in caught.value.message


def test_a_trial_is_open_on_this_machine_only() -> None:
    settings = load({"CDS_AUTH": "off"})
    assert (settings.host, settings.port, settings.cors_origins) == ("127.0.0.1", 5005, ("*",))
    assert settings.warnings == ()


def test_commands_that_answer_no_calls_need_no_authentication() -> None:
    settings = load({}, serving=False)
    assert (settings.auth, settings.cors_origins) == ("required", ())


@pytest.mark.parametrize(
    ("host", "warned"), [("0.0.0.0", True), ("cds", True), ("::1", False), ("localhost", False)]
)
def test_open_calls_from_other_machines_are_warned_of(host: str, warned: bool) -> None:
    assert bool(load({"CDS_AUTH": "off", "CDS_HOST": host}).warnings) == warned


def test_all_values(tmp_path: Path) -> None:
    settings = load(
        {
            "CDS_AUTH": "off",
            "CDS_PORT": "8080",
            "CDS_PUBLIC_URL": "https://example.org/cds/",
            "CDS_HOOKS_DIR": str(tmp_path),
            "CDS_SITE_DIR": str(tmp_path),
            "CDS_DATABASE_URL": "postgresql://db/cds",
            "CDS_CORS_ORIGINS": "https://a.example, https://b.example:8443",
            "CDS_LOG_LEVEL": "DEBUG",
            "CDS_NOW": "2026-11-21T09:00:00Z",
            "CDS_MAX_BODY_BYTES": "2000",
            "CDS_WORKBENCH": "on",
        }
    )
    assert settings == Settings(
        port=8080,
        public_url="https://example.org/cds",
        auth="off",
        hooks_dir=tmp_path,
        site_dir=tmp_path,
        database_url="postgresql://db/cds",
        cors_origins=("https://a.example", "https://b.example:8443"),
        log_level="DEBUG",
        now=datetime(2026, 11, 21, 9, tzinfo=UTC),
        max_body_bytes=2000,
        workbench="on",
    )
    assert settings.path_prefix == "/cds"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_AUTH", "none"),
        ("CDS_PORT", "http"),
        ("CDS_PORT", "0"),
        ("CDS_PORT", "70000"),
        ("CDS_PUBLIC_URL", "example.org"),
        ("CDS_PUBLIC_URL", "https://example.org/?x=1"),
        ("CDS_HOOKS_DIR", "/no/such/place"),
        ("CDS_SITE_DIR", "/no/such/place"),
        ("CDS_CORS_ORIGINS", "ehr.example.org"),
        ("CDS_CORS_ORIGINS", "https://ehr.example.org/path"),
        ("CDS_LOG_LEVEL", "LOUD"),
        ("CDS_NOW", "today"),
        ("CDS_NOW", "2026-11-21T09:00:00"),
        ("CDS_MAX_BODY_BYTES", "-1"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"CDS_AUTH": "off"} | {name: value})
    assert name in caught.value.message and repr(value) in caught.value.message


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"CDS_PORT": "x", "CDS_LOG_LEVEL": "x", "CDS_NOW": "2026-11-21T09:00:00Z"})
    lines = caught.value.message.splitlines()
    assert [line.split()[0] for line in lines] == [
        "CDS_PORT",
        "CDS_LOG_LEVEL",
        "CDS_NOW",
        "CDS_PUBLIC_URL",
        "CDS_AUTH",
    ]
