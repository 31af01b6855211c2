"""What Try offers under a few letters: what a person means comes first."""

import re

import pytest
from flask.testing import FlaskClient

from cds_service.packs.load import load_pack
from cds_service.packs.locate import hooks_dir
from cds_service.terminology.codings import RXNORM
from cds_service.workbench.ready import patients


def offered(client: FlaskClient, asked: str) -> list[str]:
    """The text of each button, in order."""
    page = client.get("/workbench/try/pick", query_string={"q": asked}).text
    buttons = re.findall(r"<button.*?</button>", page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in buttons]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("ferritin 52", "LOINC 2276-4; read by"),
        ("potassium 3.1", "LOINC 2823-3; read by"),
        ("ck 900", "Creatine kinase in Blood 900 U/L"),
        ("abi 0.8", "Ankle-brachial index 0.8"),
        ("restless", "Restless legs syndrome problem ICD-10-CM G25.81; read by"),
        ("quinine", "Quinine drug in use RxNorm 9071; read by"),
    ],
)
def test_what_is_meant_comes_first(workbench: FlaskClient, asked: str, words: str) -> None:
    assert words in offered(workbench, asked)[0]


def test_a_number_is_offered_only_under_codes_of_its_unit(workbench: FlaskClient) -> None:
    """ "52" in ng/mL under a code of substance would be another result than was typed."""
    assert not [one for one in offered(workbench, "ferritin 52") if "[Moles/" in one]
    assert [one for one in offered(workbench, "potassium 3") if "[Moles/volume]" in one]


def test_a_test_that_another_is_worked_out_of_is_not_offered(workbench: FlaskClient) -> None:
    assert not [one for one in offered(workbench, "ferritin") if "C reactive protein" in one]


def test_the_drugs_of_ready_patients_are_what_their_text_says() -> None:
    drugs = load_pack(hooks_dir({})).terminology.drugs
    asked = 0
    for one in patients():
        for entry in (*one.chart.get("requests", ()), *one.chart.get("drafts", ())):
            code = str(entry.get("drug", "")).removeprefix("rxnorm:")
            product = drugs.product(RXNORM, code)
            if product:
                assert product.name.casefold() == entry["text"].casefold(), (one.id, code)
                asked += 1
    assert asked > 4
