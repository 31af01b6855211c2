"""What somebody meets who tries the service for the first time, and what is said when it fails."""

import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.cli.sample import SAMPLES
from tests.support.server import COMMAND, launched
from tests.support.wire import until

ANY_YEAR = "fixtures/requests/patient-view/any-year.json"
YEARS = ("2026-11-27", "2029-02-03", "2041-07-01")


def cds(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("path", [path for _, path in SAMPLES], ids=lambda path: path.stem)
def test_a_sample_gives_the_same_cards_in_any_year(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_AUTH", "off")
    told = set()
    for day in YEARS:
        monkeypatch.setenv("CDS_NOW", f"{day}T09:00:00Z")
        told.add(cds("call", str(path)).stdout)
    [text] = told
    assert "card" in text and "no cards" not in text.partition("\n")[0]


def test_the_calls_of_the_readme_are_the_samples() -> None:
    readme = Path("README.md").read_text("utf-8")
    called = {line.split()[2] for line in readme.splitlines() if " call fixtures/" in line}
    assert called == {str(path.relative_to(Path.cwd())) for _, path in SAMPLES}


def test_the_start_says_what_to_open_and_how_to_stop(tmp_path: Path) -> None:
    with launched(tmp_path, "--sample", CDS_NOW="2029-02-03T09:00:00Z") as server:
        until(lambda: "Ctrl+C" in server.log.read_text("utf-8"))
        told = server.log.read_text("utf-8")
    assert f"Now open {server.address}/ in a browser" in told
    assert f"{server.address}/cds-services" in told
    assert "RLS without a usable ferritin" in told


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = {
            "PATH": "/usr/bin:/bin",
            "CDS_AUTH": "off",
            "CDS_HOST": "127.0.0.1",
            "CDS_PORT": str(taken.getsockname()[1]),
            "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/cds.sqlite3",
        }
        done = subprocess.run(
            COMMAND, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1 and not done.stdout
    sentence, hint = done.stderr.splitlines()
    assert sentence == f"Something else listens on 127.0.0.1:{environ['CDS_PORT']} already."
    assert "CDS_PORT" in hint


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:5005/cds-services", "http://127.0.0.1:5005"),
        ("https://h.example/base/cds-services/", "https://h.example/base"),
        ("https://h.example/cds-services/leg-symptoms-screen", "https://h.example"),
    ],
)
def test_the_address_of_discovery_is_told_from_the_base_address(url: str, base: str) -> None:
    for arguments in ([ANY_YEAR, "--url", url], [url]):
        done = cds("call", *arguments)
        assert done.exit_code == 2
        assert f"--url {base}" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"resourceType": "Bundle", "type": "collection"}', "it is a FHIR Bundle."),
        ('{"services": []}', "it is a discovery document."),
        ('{"cards": []}', "it is the answer to a request."),
        ('{"feedback": []}', "it is feedback."),
        ('{"hook": null}', "it has no hook."),
        ("[1]", "holds no JSON object."),
        ('{"hook": ', "is not JSON"),
        ("", "is not JSON"),
    ],
)
@pytest.mark.parametrize("command", [["call"], ["rules", "explain"]], ids=" ".join)
def test_a_file_that_is_no_request_is_told_as_what_it_is(
    tmp_path: Path, content: str, words: str, command: list[str]
) -> None:
    path = tmp_path / "chart.json"
    path.write_text(content)
    done = cds(*command, str(path))
    assert done.exit_code == 1
    assert words in done.stderr and str(path) in done.stderr


def test_an_unknown_hook_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "call.json"
    path.write_text('{"hook": "appointment-book"}')
    done = cds("call", str(path))
    assert (done.exit_code, done.stderr) == (1, "Nothing answers 'appointment-book'.\n")
