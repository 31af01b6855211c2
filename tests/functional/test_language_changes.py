"""What administrators and reviewers see of languages: changes, missing texts, files to fill in."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.main import main
from cds_service.packs.load import check_pack
from cds_service.packs.locate import CHECKOUT
from tests.support.sites import Site
from tests.support.tokens import client_entry, write_clients

SUMMARY = "Leg cramps and a low vitamin B12 ({lab.b12.value} pg/mL)"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path / "site")
    monkeypatch.setenv("CDS_SITE_DIR", str(made.root))
    monkeypatch.setenv("CDS_AUTH", "off")
    return made


def german(site: Site, **texts: str) -> None:
    site.write("languages/de.json", {"language": "de", "texts": texts})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def warnings(site: Site) -> list[str]:
    found = check_pack(CHECKOUT, site.root)
    return [f"{one.path} {one.code} {one.message} {one.hint}" for one in found]


@pytest.mark.parametrize("command", [("rules", "diff", "shipped", "current"), ("rules", "review")])
def test_a_text_that_a_site_words_anew_is_seen(site: Site, command: tuple[str, ...]) -> None:
    german(site, **{"Because:": "Begründung:"})
    told = run(*command).output
    assert "language de 'Because:': 'Grundlage:' -" in told and "'Begründung:'" in told


def test_config_show_names_it_with_its_place(site: Site) -> None:
    german(site, **{"Because:": "Begründung:"})
    told = run("config", "show", "--changes").output
    [line] = [line for line in told.splitlines() if "Because:" in line]
    assert "Begründung:" in line and "Grundlage:" in line and "languages/de.json:" in line


def test_a_site_is_asked_for_its_own_texts_once_it_has_the_language(site: Site) -> None:
    site.add_b12()
    german(site, **{SUMMARY: "Beinkrämpfe, niedriges Vitamin B12 ({lab.b12.value} pg/mL)"})
    told = [line for line in warnings(site) if "W721" in line]
    assert any("$.title" in line and "no text in 'de'" in line for line in told)
    assert not any("$.card.summary" in line for line in told)


def test_or_once_a_client_speaks_it(site: Site) -> None:
    rule = {"card": {"summary": "RLS and a ferritin of {lab.ferritin.value}"}}
    site.write("site.json", {"rules": {"rls.low-ferritin": rule}})
    assert not any("W721" in line for line in warnings(site))
    write_clients(site.root, client_entry(dialect={"language": "de-AT"}))
    [told] = [line for line in warnings(site) if "W721" in line]
    assert "low-ferritin" in told and "card.summary" in told and "no text in 'de'" in told


def test_an_english_text_that_changes_names_its_old_translation(site: Site) -> None:
    site.add_b12()
    german(site, **{SUMMARY.replace("low", "lowish"): "Beinkrämpfe, {lab.b12.value} pg/mL"})
    told = warnings(site)
    [missing] = [one for one in told if "W721" in one and "$.card.summary" in one]
    assert "Did the English change?" in missing and "languages/de.json:" in missing
    assert any("W722" in one and "Did you mean" in one for one in told)


def test_a_file_to_fill_in_has_what_is_missing(site: Site) -> None:
    site.add_b12()
    content = json.loads(run("rules", "texts", "--language", "de", "--missing").output)
    assert content["language"] == "de"
    assert content["texts"][SUMMARY] == SUMMARY
    assert "Because:" not in content["texts"]
    french = json.loads(run("rules", "texts", "--language", "fr").output)
    assert french["texts"]["Because:"] == "Because:"


def test_a_clients_language_that_nobody_has_is_named(site: Site) -> None:
    write_clients(site.root, client_entry(dialect={"language": "deu"}))
    told = run("rules", "check").output
    assert "K009" in told and "No pack or site has the language 'deu'" in told
    assert "Did you mean 'de'?" in told


def test_cards_in_a_language_that_nobody_has(site: Site) -> None:
    told = run("rules", "cards", "--language", "dk")
    assert told.exit_code == 1 and "There is no language 'dk'." in told.output
