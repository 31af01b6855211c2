"""docs/integrators-guide.md says what the service does: errors, prefetch, routes, variables."""

import re
from pathlib import Path

from flask.testing import FlaskClient

from cds_service import config
from cds_service.protocol.codes import CODES
from cds_service.web.openapi import document as openapi_document

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "integrators-guide.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its two head lines."""
    section = GUIDE.partition(f"\n## {heading}\n")[2]
    lines = section[section.index("|") :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_errors() -> None:
    told = {cells[1].strip("`"): (int(cells[0]), cells[2]) for cells in table("Errors")}
    assert told == CODES


def test_prefetch(client: FlaskClient) -> None:
    told = {cells[0].strip("`"): cells[1].strip("`") for cells in table("Prefetch")}
    for service in client.get("/cds-services").json["services"]:
        for key, template in service["prefetch"].items():
            shown = re.sub(r"code=[^&]+", "code=...", template)
            assert told[key] == shown, (service["id"], key)


def test_services(client: FlaskClient) -> None:
    told = {(cells[0].strip("`"), cells[1].strip("`")) for cells in table("Services")}
    services = client.get("/cds-services").json["services"]
    assert told == {(service["id"], service["hook"]) for service in services}


def test_routes() -> None:
    told = {cells[0].strip("`") for cells in table("Routes")}
    assert told == {
        f"{method.upper()} {path.replace('{service_id}', '{id}')}"
        for path, item in openapi_document()["paths"].items()
        for method in item
        if method != "parameters"
    }


def test_variables() -> None:
    told = {cells[0].strip("`") for cells in table("Environment")}
    source = Path(config.__file__).read_text("utf-8")
    assert told == set(re.findall(r'"(CDS_[A-Z_]+)"', source))
