"""`cds prefetch`: the templates of discovery, as one types them into an EHR."""

import re

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds_service.cli.main import main
from cds_service.cli.prefetch import EHRS


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["prefetch", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("ehr", EHRS)
def test_the_templates_are_those_of_discovery(client: FlaskClient, ehr: str) -> None:
    text = printed("--for", ehr)
    told = dict(re.findall(r"^(\w+)  \(\d+ bytes.*\)\n  (\S+)$", text, re.M))
    services = client.get("/cds-services").json["services"]
    expected = {key: t for key, t in services[0]["prefetch"].items()}
    assert told == {k: t for k, t in expected.items() if k not in EHRS[ehr].leaves_out}
    assert all(service["id"] in text for service in services)
    assert max(int(n) for n in re.findall(r"\((\d+) bytes", text)) <= 1_000


def test_one_service_and_one_that_is_not_there() -> None:
    text = printed("--service", "leg-cramps-patient-view")
    assert "conditions  (" in text and "required by leg-cramps-patient-view" in text
    assert "order-select" not in text
    assert CliRunner().invoke(main, ["prefetch", "--service", "x"]).exit_code == 2
