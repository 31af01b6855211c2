"""Edit writes only where it was told that it may, and only what `rules check` lets pass."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.config import Settings
from cds_service.packs.locate import hooks_dir
from cds_service.service.runtime import build_runtime
from cds_service.web.app import create_app
from cds_service.workbench.bench import EXTENSION
from tests.support.calls import NOW
from tests.support.pages import chart, post

FILE = "hooks/patient-view/rls/low-ferritin.json"
SITE = "site/site.json"
Opened = Callable[..., FlaskClient]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """A workbench on a site's folder, which may be written to or not."""
    runtimes = []

    def open_(*, edit: bool) -> FlaskClient:
        site = tmp_path / "site"
        (site / "rules").mkdir(parents=True)
        (site / "site.json").write_text('{"settings": {}}')
        database = f"sqlite:///{tmp_path}/test.sqlite3"
        settings = Settings(
            auth="off", database_url=database, now=NOW, site_dir=site, workbench="local"
        )
        runtime = build_runtime(settings)
        runtimes.append(runtime)
        app = create_app(settings, runtime)
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], edit=edit)
        return app.test_client()

    yield open_
    for runtime in runtimes:
        runtime.close()


def site_json(tmp_path: Path) -> str:
    return (tmp_path / "site" / "site.json").read_text()


def test_without_leave_nothing_is_written(opened: Opened, tmp_path: Path) -> None:
    text = json.dumps({"settings": {"ferritin.low": 75}})
    answer = post(opened(edit=False), "/workbench/edit/save", {"file": SITE, "text": text})
    assert answer.status_code == 403
    assert site_json(tmp_path) == '{"settings": {}}'


def test_with_leave_a_good_change_is_written(opened: Opened, tmp_path: Path) -> None:
    text = json.dumps({"settings": {"ferritin.low": 75}})
    answer = post(opened(edit=True), "/workbench/edit/save", {"file": SITE, "text": text})
    assert answer.status_code == 200
    assert site_json(tmp_path) == text


@pytest.mark.parametrize("text", ["{", '{"setings": {}}', '{"settings": {"ferritin.low": 1e9}}'])
def test_what_the_check_refuses_is_not_written(opened: Opened, tmp_path: Path, text: str) -> None:
    answer = post(opened(edit=True), "/workbench/edit/save", {"file": SITE, "text": text})
    assert answer.status_code == 400
    assert site_json(tmp_path) == '{"settings": {}}'


@pytest.mark.parametrize(
    "name",
    [FILE, "site/../../x.json", "site//etc/x.json", "hooks/../x.json", "", "site/a.py", "x/y.json"],
)
def test_nothing_else_is_written(opened: Opened, tmp_path: Path, name: str) -> None:
    before = (hooks_dir({}) / "patient-view/rls/low-ferritin.json").read_text()
    answer = post(opened(edit=True), "/workbench/edit/save", {"file": name, "text": "{}"})
    assert answer.status_code in (403, 404)
    assert (hooks_dir({}) / "patient-view/rls/low-ferritin.json").read_text() == before
    assert sorted(p.name for p in tmp_path.rglob("*.json")) == ["site.json"]


def test_a_change_comes_as_a_patch(workbench: FlaskClient) -> None:
    text = (hooks_dir({}) / "patient-view/rls/low-ferritin.json").read_text()
    changed = text.replace('"rank": 10', '"rank": 11')
    patch = post(workbench, "/workbench/edit/patch", {"file": FILE, "text": changed}).text
    assert '-  "rank": 10,' in patch
    assert '+  "rank": 11,' in patch


def test_cards_are_compared_on_charts_that_are_not_kept(workbench: FlaskClient) -> None:
    import io

    text = (hooks_dir({}) / "patient-view/rls/low-ferritin.json").read_text()
    chart = Path("fixtures/requests/patient-view/cramps-and-restless-legs.json").read_bytes()
    fields = {
        "file": FILE,
        "text": text.replace('"status": "active"', '"status": "retired"'),
        "charts": (io.BytesIO(chart), "mine.json"),
    }
    shown = post(workbench, "/workbench/edit/cards", fields).text
    assert "mine.json" in shown
    assert "loses" in shown


def test_a_pack_that_cannot_be_loaded_is_said(workbench: FlaskClient) -> None:
    for page in ("tests", "diff", "cards", "mutate"):
        fields = {"file": FILE, "text": '{"id": 1}'}
        answer = post(workbench, f"/workbench/edit/{page}", fields, **{"HX-Request": "true"})
        assert answer.status_code == 400, page
        assert "S10" in answer.text or "R" in answer.text


def test_a_change_of_what_if_is_written_with_leave(opened: Opened, tmp_path: Path) -> None:
    client = opened(edit=True)
    fields = {"chart": chart(client, "quiet"), "set.ferritin.low": "75"}
    assert post(client, "/workbench/try/save-site", fields).status_code == 200
    assert json.loads(site_json(tmp_path))["settings"] == {"ferritin.low": 75}
