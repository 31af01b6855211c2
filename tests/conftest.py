"""Fixtures that more than one purpose needs: the real application, at a fixed moment."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings

from cds_service import logs
from cds_service.config import Settings
from cds_service.web.app import create_app
from tests.support.calls import NOW, Caller

# How long an example takes depends on who else uses the machine.
hypothesis_settings.register_profile("no-clock", deadline=None)
hypothesis_settings.load_profile("no-clock")

AppOfProfile = Callable[..., Flask]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "row(id, ...): the rows of tests/conformance/rows.csv tested"
    )


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Logs of the application stay out of the test report; tests of logs configure their own."""
    logs.configure("CRITICAL")


@pytest.fixture(scope="session")
def app_with_profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppOfProfile]:
    """Builds the application with the shipped pack, and a site that only names profiles."""
    from cds_service.service.runtime import Runtime, build_runtime

    built: dict[tuple[str, ...], tuple[Flask, Runtime]] = {}

    def build(*profiles: str) -> Flask:
        if profiles not in built:
            settings = _settings(tmp_path_factory.mktemp("site"), profiles)
            runtime = build_runtime(settings)
            built[profiles] = (create_app(settings, runtime), runtime)
        return built[profiles][0]

    yield build
    for _, runtime in built.values():
        runtime.close()


def _settings(folder: Path, profiles: tuple[str, ...]) -> Settings:
    if profiles:
        (folder / "site.json").write_text(json.dumps({"profile": list(profiles)}))
    return Settings(
        auth="off",
        cors_origins=("*",),
        public_url="https://cds.example.org",
        database_url=f"sqlite:///{folder}/test.sqlite3",
        site_dir=folder if profiles else None,
        now=NOW,
    )


@pytest.fixture
def client(app_with_profile: AppOfProfile) -> FlaskClient:
    """A client of the real application with the default profile."""
    return app_with_profile().test_client()


@pytest.fixture
def app_with_site() -> Iterator[Callable[[Path], Flask]]:
    """Builds the application with the shipped pack and a site's folder."""
    from cds_service.service.runtime import Runtime, build_runtime

    built: list[Runtime] = []

    def build(folder: Path) -> Flask:
        settings = replace(_settings(folder.parent, ()), site_dir=folder)
        built.append(build_runtime(settings))
        return create_app(settings, built[-1])

    yield build
    for runtime in built:
        runtime.close()


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    """Sends whole calls with the default profile."""
    return Caller(client)


@pytest.fixture
def aasm_caller(app_with_profile: AppOfProfile) -> Caller:
    """Sends whole calls with the profile aasm-2025."""
    return Caller(app_with_profile("aasm-2025").test_client())


@pytest.fixture
def acc_aha_caller(app_with_profile: AppOfProfile) -> Caller:
    """Sends whole calls with the profile acc-aha-2024."""
    return Caller(app_with_profile("acc-aha-2024").test_client())


@pytest.fixture(scope="session")
def workbench_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The real application with its workbench on, as a trial on this machine has it."""
    from cds_service.service.runtime import build_runtime

    settings = _settings(tmp_path_factory.mktemp("workbench"), ())
    runtime = build_runtime(settings)
    yield create_app(replace(settings, public_url="", workbench="local"), runtime)
    runtime.close()


@pytest.fixture
def workbench(workbench_app: Flask) -> FlaskClient:
    """A client of the workbench."""
    return workbench_app.test_client()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL, started when the first test wants it."""
    from tests.support import postgres as support

    with support.running() as server:
        yield server
