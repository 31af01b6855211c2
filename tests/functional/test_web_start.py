"""Starting from the environment, as `wsgi:app` does."""

from pathlib import Path

import pytest

from cds_service import logs
from cds_service.web.app import from_environment
from tests.support.calls import Caller, patient_view


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("CDS_AUTH", "CDS_HOOKS_DIR", "CDS_SITE_DIR", "CDS_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/cds.sqlite3")
    monkeypatch.setenv("CDS_LOG_LEVEL", "CRITICAL")
    return monkeypatch


def test_without_a_decision_it_stops_and_says_how_to_go_on(
    environment: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SystemExit) as caught:
        from_environment()
    assert "CDS_AUTH=off" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_bad_pack_stops_it(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("CDS_AUTH", "off")
    environment.setenv("CDS_HOOKS_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        from_environment()
    assert "problem" in str(caught.value)


def test_a_trial_answers(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CDS_AUTH", "off")
    caller = Caller(from_environment().test_client())
    assert caller.cards(patient_view()) == {"cards": []}


def test_open_calls_from_other_machines_are_warned_of(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("CDS_AUTH", "off")
    environment.setenv("CDS_HOST", "0.0.0.0")
    environment.setenv("CDS_LOG_LEVEL", "WARNING")
    from_environment()
    assert "anyone there may call it" in capsys.readouterr().err
    logs.configure("CRITICAL")
