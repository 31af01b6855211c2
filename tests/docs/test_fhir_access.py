"""What the guides say about reading from FHIR servers is what the program does."""

import re
from pathlib import Path

from flask.testing import FlaskClient

from cds_service.facts.prefetch_keys import described
from cds_service.gather import limits
from cds_service.gather.access import REFUSALS
from cds_service.gather.trouble import Trouble
from tests.support.rows import row

DOCS = Path(__file__).parent.parent.parent / "docs"
INTEGRATORS = (DOCS / "integrators-guide.md").read_text("utf-8")
OPERATORS = (DOCS / "operators-guide.md").read_text("utf-8")


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a section's table, without its two head lines."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_reasons() -> None:
    table = rows(section(INTEGRATORS, "FHIR server"))
    told = {reason for cells in table for reason in re.findall(r"`([a-z-]+)`", cells[0])}
    assert told == {trouble.value for trouble in Trouble}


def test_limits() -> None:
    told = {
        cells[0].strip("`"): float(cells[1].removesuffix(" s"))
        for cells in rows(section(OPERATORS, "Reading from FHIR servers"))
    }
    of_process = ("CALLS_AT_ONCE", "CALLS_PER_SERVER", "THREADS")
    assert told == {
        **{name: getattr(limits.LIMITS, name) for name in limits.Limits.__slots__},
        **{name: getattr(limits, name) for name in of_process},
    }


def test_the_refusals_that_operators_are_told_of_exist() -> None:
    told = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", section(OPERATORS, "Reading from FHIR servers"))
    assert set(told) <= REFUSALS.keys() | {trouble.value for trouble in Trouble}
    assert "server-not-listed" in told


@row("F14")
def test_the_scopes_of_the_registration_are_those_of_the_templates(client: FlaskClient) -> None:
    step = re.search(r"\n2\. .*", section(INTEGRATORS, "FHIR server"))
    assert step
    templates = [
        template
        for service in client.get("/cds-services").json["services"]
        for key, template in service["prefetch"].items()
        if described(key).asked
    ]
    asked = {re.split(r"[/?]", template)[0] for template in templates}
    assert set(re.findall(r"`([A-Z]\w+)`", step[0])) == asked | {"Medication"}
