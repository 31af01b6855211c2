"""A site's folder: made by `cds init`, and what its changes do to the pack in force."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.callers.file import Strictness, read_clients
from cds_service.cli import main
from cds_service.packs.load import check_pack, load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.packs.prefetch_templates import encoded_length
from cds_service.packs.schema import NAMES
from cds_service.ruletests.acceptance import accept
from tests.support.sites import B12, RULE, Site, rule

SITE_CODE = "2284-8"

SCHEMAS = CHECKOUT.parent / "cds_service" / "schemas"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def cds(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def errors(site: Site) -> list[str]:
    found = check_pack(CHECKOUT, site.root)
    return [problem.code for problem in found if problem.severity == "error"]


class TestInit:
    def test_a_new_folder_changes_nothing(self, tmp_path: Path) -> None:
        assert cds("init", tmp_path / "new").exit_code == 0
        pack, shipped = load_pack(CHECKOUT, tmp_path / "new"), load_pack(CHECKOUT)
        assert {name: s.value for name, s in pack.settings.items()} == {
            name: s.value for name, s in shipped.settings.items()
        }
        assert pack.rules == shipped.rules

    def test_its_client_example_is_one_that_would_be_accepted(self, tmp_path: Path) -> None:
        cds("init", tmp_path / "new")
        assert not (tmp_path / "new" / "clients.json").exists()
        example = tmp_path / "new" / "clients.json.example"
        assert read_clients(example, example.read_bytes(), Strictness()).problems == []

    def test_a_site_that_exists_is_left_alone(self, site: Site) -> None:
        before = (site.root / "site.json").read_bytes()
        result = cds("init", site.root)
        assert result.exit_code == 1
        assert (site.root / "site.json").read_bytes() == before
        assert [path.name for path in site.root.iterdir()] == ["site.json"]

    def test_each_schema_that_a_file_names_is_there(self, tmp_path: Path) -> None:
        cds("init", tmp_path)
        for file in ("site.json", "facts.json", "clients.json.example"):
            named = json.loads((tmp_path / file).read_text())["$schema"]
            assert (tmp_path / named).is_file()

    def test_schemas_name_only_each_other(self, tmp_path: Path) -> None:
        cds("schemas", "export", tmp_path)
        for path in tmp_path.glob("*.json"):
            for reference in references(json.loads(path.read_text())):
                assert reference.startswith("#") or (tmp_path / reference).is_file(), path.name


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for part in value.values() for one in references(part)]
    if isinstance(value, list):
        return [one for part in value for one in references(part)]
    return []


class TestOverrides:
    def test_wording_and_indicator_of_a_shipped_rule(self, site: Site) -> None:
        card = {"indicator": "critical", "caveat": "Local."}
        site.write("site.json", {"rules": {"rls.low-ferritin": {"card": card}}})
        pack = load_pack(CHECKOUT, site.root)
        [rule] = [rule for rule in pack.rules if rule.id == "rls.low-ferritin"]
        assert (rule.card["indicator"], rule.card["caveat"]) == ("critical", "Local.")
        assert rule.card["summary"] == rule.raw["card"]["summary"]

    @pytest.mark.parametrize(
        ("card", "code"),
        [
            ({"indicator": "urgent"}, "S104"),
            ({"links": ["no-such-link"]}, "C406"),
            ({"overrideReasons": ["no-such-reason"]}, "C407"),
            ({"summary": "Ferritin {lab.feritin.value}"}, "C401"),
        ],
    )
    def test_wording_that_could_not_be_shown_is_refused(
        self, site: Site, card: dict[str, Any], code: str
    ) -> None:
        site.write("site.json", {"rules": {"rls.low-ferritin": {"card": card}}})
        assert errors(site) == [code]

    @pytest.mark.parametrize(
        ("fact", "found"),
        # A reason of the order has none; a result has one. T501: without tests.
        [("problem.leg-cramp", ["C403", "T501"]), ("lab.ferritin", ["T501"])],
    )
    def test_a_date_that_may_be_missing_is_not_shown_without_braces(
        self, site: Site, fact: str, found: list[str]
    ) -> None:
        made = rule()
        made["when"] = {"fact": fact, "op": "present", "within": "P90D"}
        made["about"] = []
        made["card"]["summary"] = f"Seen on {{{fact}.date}}"
        site.write("rules/seen.json", {**made, "id": "local.seen", "status": "draft"})
        assert sorted(errors(site)) == found

    def test_services_are_switched_off_and_capped(self, site: Site) -> None:
        change = {"leg-symptoms-screen": {"enabled": False}}
        change["leg-cramps-patient-view"] = {"maxCards": 1}
        site.write("site.json", {"services": change})
        services = {service.id: service for service in load_pack(CHECKOUT, site.root).services}
        assert services["leg-symptoms-screen"].enabled is False
        assert services["leg-cramps-patient-view"].max_cards == 1

    def test_the_codes_of_an_added_fact_are_asked_of_the_ehr(self, site: Site) -> None:
        shipped = load_pack(CHECKOUT).services[0].prefetch
        site.add_b12()
        of_the_site = site.root / "valuesets/obs-b12-here.json"  # no code that the pack asks for
        of_the_site.write_text(of_the_site.read_text("utf-8").replace(B12, SITE_CODE), "utf-8")
        templates = load_pack(CHECKOUT, site.root).services[0].prefetch
        [changed] = [key for key in templates if templates[key] != shipped.get(key)]
        asked, before = codes(templates[changed]), codes(shipped[changed])
        assert asked - before == {f"http://loinc.org|{SITE_CODE}"}
        assert templates[changed].replace(f",http://loinc.org|{SITE_CODE}", "") == shipped[changed]

    def test_what_has_no_room_gets_templates_of_its_own(self, site: Site) -> None:
        many = [f"{number}-{number % 10}" for number in range(10_000, 10_060)]
        site.add_b12()
        value_set = json.loads((site.root / "valuesets/obs-b12-here.json").read_text())
        value_set["compose"]["include"][0]["concept"] += [{"code": code} for code in many]
        site.write("valuesets/obs-b12-here.json", value_set)
        templates = load_pack(CHECKOUT, site.root).services[0].prefetch
        assert {"siteResults", "siteResults2"} <= templates.keys()
        assert {f"http://loinc.org|{code}" for code in many} <= {
            code
            for template in templates.values()
            if "code=" in template
            for code in codes(template)
        }
        assert max(encoded_length(template) for template in templates.values()) <= 1_000

    def test_an_exported_value_set_counts_by_its_expansion(self, site: Site) -> None:
        site.add_b12()
        contains = [{"system": "http://loinc.org", "code": "2132-9"}]
        contains.append({"system": "urn:lab", "code": "B12"})
        site.write(
            "valuesets/obs-b12-here.json",
            {
                "resourceType": "ValueSet",
                "id": "obs-b12-here",
                "status": "active",
                "compose": {"include": [{"system": "http://snomed.info/sct"}]},
                "expansion": {"total": 2, "contains": contains},
            },
        )
        terminology = load_pack(CHECKOUT, site.root).terminology
        assert terminology.sets_of("urn:lab", "B12") == ("obs-b12-here",)


def codes(template: str) -> set[str]:
    [parameter] = [part for part in template.split("&") if part.startswith("code=")]
    return set(parameter.removeprefix("code=").split(","))


class TestConfigShow:
    def shown(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        monkeypatch.setenv("CDS_SITE_DIR", str(site.root))
        found = json.loads(cds("config", "show", "--format", "json").output)
        return {f"{one['kind']} {one['name']}": one for one in found["values"]}

    def test_each_override_has_its_place_and_what_was_shipped(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.add_b12()
        site.write("facts.json", {"facts": {**B12_FACT, "drug.diuretic": DIURETIC}})
        site.write("site.json", SITE_JSON)
        shown = self.shown(site, monkeypatch)
        where = str(site.root / "site.json")
        low = shown["setting ferritin.low"]
        assert (low["value"], low["shipped"], low["origin"]) == (60, 50, f"{where}:3")
        assert low["shippedOrigin"].rpartition(":")[0].endswith("hooks/pack.json")
        status = shown["rule drug-review.ccb status"]
        assert (status["value"], status["shipped"]) == ("retired", "active")
        assert status["origin"] == f"{where}:5"
        assert shown["service leg-symptoms-screen enabled"]["overridden"] is True
        assert shown["fact drug.diuretic"]["overridden"] is True
        assert shown["fact lab.b12"]["overridden"] is False
        assert shown["value set obs-b12-here"]["origin"].startswith(str(site.root))
        assert shown[f"rule {RULE} status"]["origin"].startswith(str(site.root))

    def test_every_line_number_is_where_the_name_stands(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.add_b12()
        checked = 0
        for one in self.shown(site, monkeypatch).values():
            if one["kind"] not in ("setting", "fact", "definition", "order"):
                continue
            file, _, line = one["origin"].rpartition(":")
            assert f'"{one["name"]}"' in Path(file).read_text().splitlines()[int(line) - 1]
            checked += 1
        assert checked > 100


SITE_JSON = """{
  "settings": {
    "ferritin.low": 60
  }, "rules": {
    "drug-review.ccb": {"status": "retired"}
  },
  "services": {"leg-symptoms-screen": {"enabled": false}}
}"""
B12_FACT = {
    "lab.b12": {
        "kind": "quantity",
        "title": "vitamin B12",
        "valueSet": "obs-b12-here",
        "analyte": "obs-vitamin-b12",
        "unit": "pg/mL",
    }
}
DIURETIC = {"kind": "drug", "title": "diuretic", "valueSet": "drug-loop-diuretics"}


class TestAcceptance:
    def test_a_lower_threshold_does_not_make_the_shipped_tests_wrong(self, site: Site) -> None:
        site.write("site.json", {"settings": {"ferritin.low": 30}})
        assert accept(CHECKOUT, site.root, "x").problems == ()

    def test_an_added_rule_with_good_tests_is_accepted(self, site: Site) -> None:
        site.add_b12()
        verdict = accept(CHECKOUT, site.root, "x")
        assert verdict.problems == ()
        assert verdict.revision == load_pack(CHECKOUT, site.root).revision

    def test_a_rule_that_does_not_do_what_its_tests_say_is_not(self, site: Site) -> None:
        site.add_b12()
        text = (site.root / "rules/low-b12.json").read_text()
        site.write("rules/low-b12.json", text.replace('"op": "lt"', '"op": "le"'))
        [problem] = accept(CHECKOUT, site.root, "x").problems
        assert (problem.code, "at the threshold" in problem.message) == ("L001", True)

    def test_a_value_set_that_breaks_shipped_rules_is_not(self, site: Site) -> None:
        site.write(
            "valuesets/obs-ferritin.json",
            {
                "resourceType": "ValueSet",
                "id": "obs-ferritin",
                "status": "active",
                "compose": {
                    "include": [{"system": "http://loinc.org", "concept": [{"code": "2132-9"}]}]
                },
            },
        )
        problems = accept(CHECKOUT, site.root, "x").problems
        assert any("low-ferritin.test.json" in problem.file for problem in problems)
        assert {problem.code for problem in problems} == {"L001"}


class TestSchemas:
    """What an editor shows: every property of what an administrator writes is explained."""

    @pytest.mark.parametrize("name", [*NAMES, "clients"])
    def test_titles_and_descriptions(self, name: str) -> None:
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        assert schema["title"]
        assert schema["description"]
        assert unexplained(schema, schema, "$") == []


def unexplained(node: Any, whole: Any, where: str) -> list[str]:
    found = []
    if isinstance(node, dict):
        for name, part in node.get("properties", {}).items():
            target = part
            reference = part.get("$ref", "") if isinstance(part, dict) else ""
            if reference.startswith("#/$defs/"):
                target = {**whole["$defs"][reference.removeprefix("#/$defs/")], **part}
            named = reference and not reference.startswith("#")  # another schema explains itself
            explained = named or not isinstance(target, dict) or bool(EXPLAINS & target.keys())
            explained = explained or (BRANCHES.search(where) is not None and name in RESTRICTED)
            if not explained:
                found.append(f"{where}.{name}")
        for key, part in node.items():
            found += unexplained(part, whole, f"{where}.{key}")
    elif isinstance(node, list):
        for number, part in enumerate(node):
            found += unexplained(part, whole, f"{where}[{number}]")
    return found


EXPLAINS = {"description", "title", "const"}
# Said again in a branch only to restrict what is explained above.
BRANCHES = re.compile(r"\.(if|then|else)$")
RESTRICTED = ("card", "kind", "value")


def test_a_file_nested_without_end_is_refused_with_its_place(tmp_path: Path) -> None:
    """It must not stop the process that judges the folder: the reason would be lost."""
    (tmp_path / "site.json").write_text("[" * 5000, encoding="utf-8")
    verdict = accept(CHECKOUT, tmp_path, "digest")
    assert {"site.json"} == {Path(problem.file).name for problem in verdict.problems}
