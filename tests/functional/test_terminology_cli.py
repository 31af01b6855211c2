"""`cds terminology`: a made-up RxNorm release, a terminology server on the loopback, searches."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.authoring.terminology.import_rxnorm import read_release
from cds_service.cli import main
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.terminology.codings import ICD10CM, NDC, RXNORM, SNOMED, check_digit_fits
from tests.support.rxnorm import concept, relation, write_packages, write_release
from tests.support.sites import Site

BASE = 5_000_000


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path / "site")
    monkeypatch.setenv("CDS_SITE_DIR", str(site.root))
    return site


def cds(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


class TestImport:
    @pytest.fixture
    def release(self, tmp_path: Path) -> Path:
        write_release(tmp_path / "release", 400)
        return tmp_path / "release"

    def test_products_are_found_by_their_ingredients(self, site: Site, release: Path) -> None:
        result = cds("terminology", "import-rxnorm", release)
        assert result.exit_code == 0, result.output
        drugs = load_pack(CHECKOUT, site.root).terminology.drugs
        product, brand, branded = (
            drugs.product(RXNORM, str(BASE + 1000 + place)) for place in (1, 2, 3)
        )
        assert product is not None and brand is not None and branded is not None
        assert product.ingredients == brand.ingredients == branded.ingredients
        assert product.ingredients == ("hydrochlorothiazide",)
        assert (product.form, product.route, branded.route) == ("Oral Tablet", "oral", "oral")

    def test_a_gel_is_not_for_the_whole_body(self, site: Site, release: Path) -> None:
        cds("terminology", "import-rxnorm", release)
        drugs = load_pack(CHECKOUT, site.root).terminology.drugs
        gel = drugs.product(RXNORM, str(BASE + 1000 + 3 * 4 + 1))
        assert gel is not None
        assert (gel.form, gel.route_class) == ("Topical Gel", "local")

    def test_brands_are_found_in_text(self, site: Site, release: Path) -> None:
        cds("terminology", "import-rxnorm", release)
        drugs = load_pack(CHECKOUT, site.root).terminology.drugs
        assert drugs.ingredients_in_text("Brandex000001x 20 mg tab") == ("quinine",)

    def test_packages_are_known_by_ndc(self, site: Site, release: Path) -> None:
        """Ten digits in their layouts, with and without hyphens, and eleven."""
        hctz = BASE + 1001
        write_packages(release, {hctz: ["00093-9999-01", "5555-4444-22", "12345067890"]})
        result = cds("terminology", "import-rxnorm", release)
        assert "National Drug Codes: 3" in result.output
        known = load_pack(CHECKOUT, site.root).terminology
        for code in ("00093999901", "0093-9999-01", "0093999901", "05555-4444-22", "12345-678-90"):
            assert "drug-thiazide-diuretics" in known.sets_of(NDC, code), code
        assert known.sets_of(NDC, "99999-9999-99") == ()

    def test_a_package_that_two_products_claim_is_nobodys(self, site: Site, release: Path) -> None:
        write_packages(release, {BASE + 1001: ["00093999901"], BASE + 1005: ["00093999901"]})
        cds("terminology", "import-rxnorm", release)
        assert load_pack(CHECKOUT, site.root).terminology.sets_of(NDC, "00093999901") == ()

    def test_what_only_the_shipped_dictionary_knows_stays(self, site: Site, release: Path) -> None:
        shipped = load_pack(CHECKOUT).terminology.drugs
        cds("terminology", "import-rxnorm", release)
        drugs = load_pack(CHECKOUT, site.root).terminology.drugs
        for product in shipped.products():
            assert drugs.product(RXNORM, product.code) == product
        assert len(drugs) > len(shipped)

    def test_the_report_counts_by_value_set(self, site: Site, release: Path) -> None:
        output = cds("terminology", "import-rxnorm", release, "--dry-run").output
        [line] = [line for line in output.splitlines() if "drug-quinine:" in line]
        before, after = (int(part.replace(",", "")) for part in line.split(":")[1].split("->"))
        assert after > before
        assert not (site.root / "drugs.json").exists()

    def test_the_same_release_gives_the_same_file(self, site: Site, release: Path) -> None:
        cds("terminology", "import-rxnorm", release)
        first = (site.root / "drugs.json").read_bytes()
        cds("terminology", "import-rxnorm", release)
        assert (site.root / "drugs.json").read_bytes() == first

    def test_a_folder_that_is_no_release(self, site: Site, tmp_path: Path) -> None:
        result = cds("terminology", "import-rxnorm", tmp_path)
        assert result.exit_code == 1
        assert "There is no RXNCONSO.RRF" in result.output

    def test_a_file_that_was_cut_off_is_named_with_its_line(
        self, site: Site, release: Path
    ) -> None:
        names = release / "RXNCONSO.RRF"
        names.write_text(names.read_text()[:-60])
        result = cds("terminology", "import-rxnorm", release)
        assert result.exit_code == 1
        assert f"{names}:" in result.output
        assert not (site.root / "drugs.json").exists()

    def test_foreign_sources_and_suppressed_names_do_not_count(self, tmp_path: Path) -> None:
        rows = [
            concept(1, "IN", "hydrochlorothiazide"),
            concept(2, "IN", "from elsewhere", source="MTHSPL"),
            concept(3, "SCD", "suppressed", suppress="Y"),
            concept(4, "SCD", "retired 5 MG Oral Tablet", suppress="O"),
        ]
        (tmp_path / "RXNCONSO.RRF").write_text("\n".join(rows) + "\n")
        (tmp_path / "RXNREL.RRF").write_text(relation(4, "has_ingredient", 1) + "\n")
        release = read_release(tmp_path, lambda _: None)
        assert set(release.names) == {1, 4}
        assert dict(release.parts) == {4: [1]}


class Terminology(BaseHTTPRequestHandler):
    """A terminology server with 2,500 codes, in pages; refuses sets without compose."""

    codes = [f"{number:05d}" for number in range(2_500)]
    asked: list[Any] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = {one["name"]: one for one in body["parameter"]}
        self.asked.append((self.path, given["valueSet"]["resource"]["id"]))
        if "compose" not in given["valueSet"]["resource"]:
            self._answer(422, {"resourceType": "OperationOutcome", "issue": [REFUSAL]})
            return
        offset, count = given["offset"]["valueInteger"], given["count"]["valueInteger"]
        page = [{"system": "urn:x", "code": c} for c in self.codes[offset : offset + count]]
        expansion = {"total": len(self.codes), "offset": offset, "contains": page}
        self._answer(200, {"resourceType": "ValueSet", "expansion": expansion})

    def _answer(self, status: int, content: Any) -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


REFUSAL = {"severity": "error", "code": "invalid", "diagnostics": "nothing to expand"}


class TestExpand:
    @pytest.fixture
    def server(self) -> Iterator[str]:
        Terminology.asked = []
        with ThreadingHTTPServer(("127.0.0.1", 0), Terminology) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
            server.shutdown()
            thread.join()

    def value_set(self, site: Site, name: str, **content: Any) -> Path:
        head = {"resourceType": "ValueSet", "id": name, "status": "active"}
        return site.write(f"valuesets/{name}.json", {**head, **content})

    def test_all_pages_are_written_into_the_file(self, site: Site, server: str) -> None:
        compose = {"include": [{"system": "urn:x"}]}
        file = self.value_set(site, "whole", compose=compose)
        result = cds("terminology", "expand", "--server", server)
        assert result.exit_code == 0, result.output
        assert "whole.json: 2500 codes (2500 new, 0 gone)" in result.output
        written = json.loads(file.read_text())
        assert [one["code"] for one in written["expansion"]["contains"]] == Terminology.codes
        assert written["compose"] == compose
        assert {path for path, _ in Terminology.asked} == {"/fhir/ValueSet/$expand"}
        assert "urn:x" in {k[0] for k in load_set(site, "whole")}

    def test_one_refusal_leaves_its_file_and_does_not_stop_the_others(
        self, site: Site, server: str
    ) -> None:
        bad = self.value_set(site, "bad")
        before = bad.read_bytes()
        self.value_set(site, "good", compose={"include": [{"system": "urn:x"}]})
        result = cds("terminology", "expand", "--server", server)
        assert result.exit_code == 1
        assert "nothing to expand" in result.output
        assert "good.json: 2500 codes" in result.output
        assert bad.read_bytes() == before

    def test_no_server_is_said_in_words(self, site: Site) -> None:
        self.value_set(site, "whole", compose={"include": [{"system": "urn:x"}]})
        result = cds("terminology", "expand", "--server", "http://127.0.0.1:9/fhir")
        assert result.exit_code == 1
        assert "does not answer" in result.output


def narrower(code: str) -> str:
    """A code made of another's last digits, with a right check digit."""
    made = (f"9{code[-11:]}{n}" for n in range(10))
    return next(one for one in made if check_digit_fits(SNOMED, one))


class Narrower(Terminology):
    """Gives each code that is asked for with is-a, and one below it."""

    questions: list[Any] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = next(p for p in body["parameter"] if p["name"] == "valueSet")["resource"]
        self.questions.append(asked)
        codes = [part["filter"][0]["value"] for part in asked["compose"]["include"]]
        found = [code for one in codes for code in (one, narrower(one))]
        contains = [{"system": SNOMED, "code": code, "display": "narrower"} for code in found]
        expansion = {"identifier": "urn:uuid:1", "total": len(found), "contains": contains}
        self._answer(200, {"resourceType": "ValueSet", "expansion": expansion})


class TestSafeguards:
    @pytest.fixture
    def server(self) -> Iterator[str]:
        Narrower.questions = []
        with ThreadingHTTPServer(("127.0.0.1", 0), Narrower) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
            server.shutdown()
            thread.join()

    def test_a_safeguard_gets_the_narrower_codes_and_keeps_the_other_systems(
        self, site: Site, server: str
    ) -> None:
        result = cds(
            "terminology", "expand", "--server", server, "--safeguards", "--set", "cond-anemia"
        )
        assert result.exit_code == 0, result.output
        known = load_pack(CHECKOUT, site.root).terminology
        assert "cond-anemia" in known.sets_of(SNOMED, narrower("271737000"))
        assert "cond-anemia" in known.sets_of(SNOMED, "271737000")
        assert "cond-anemia" in known.sets_of(ICD10CM, "D50.9")
        assert "cond-anemia" not in known.sets_of(ICD10CM, "D57.00")
        assert known.display("cond-anemia", SNOMED, "271737000") == "Anemia"
        excluded = Narrower.questions[0]["compose"]["exclude"]
        assert {"property": "concept", "op": "is-a", "value": "267530009"} in [
            part["filter"][0] for part in excluded
        ]

    def test_one_command_fills_them_all_and_the_check_says_so(
        self, site: Site, server: str
    ) -> None:
        assert "safeguards know SNOMED CT by listed codes" in cds("rules", "check").output
        assert cds("terminology", "expand", "--server", server, "--safeguards").exit_code == 0
        checked = cds("rules", "check")
        assert "Every safeguard knows SNOMED CT with its narrower codes." in checked.output
        assert checked.exit_code == 0, checked.output


def load_set(site: Site, name: str) -> list[tuple[str, str]]:
    return list(load_pack(CHECKOUT, site.root).terminology.value_set(name).concepts)


class TestFind:
    def hits(self, asked: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            cds("terminology", "find", asked, "--format", "json").output
        )
        return found

    def test_a_product_leads_to_the_rules_that_it_touches(self) -> None:
        [hit] = self.hits("5487")
        assert hit["ingredients"] == ["hydrochlorothiazide"]
        assert "drug-diuretics" in hit["sets"]
        assert "drug.diuretic" in hit["facts"]
        assert "drug-review.diuretic" in hit["rules"]

    def test_a_code_below_a_listed_prefix(self) -> None:
        [hit] = self.hits("G47.62")
        assert "cond-leg-cramp" in hit["sets"]
        assert "cramp.first-line-care" in hit["rules"]

    def test_words_in_a_name(self) -> None:
        assert {hit["kind"] for hit in self.hits("quinine")} >= {"ingredient", "code"}

    def test_it_says_which_rules_run_on_which_hook(self) -> None:
        [hit] = self.hits("5487")
        assert "drug-review.diuretic" in hit["hooks"]["patient-view"]
        assert "order.cramp-provoking-drug" in hit["hooks"]["order-sign"]
        assert "drug-review.diuretic" not in hit["hooks"]["order-select"]

    def test_words_are_asked_as_a_call_asks_them(self) -> None:
        order = next(hit for hit in self.hits("Sleep study") if hit["kind"] == "order name")
        assert order["sets"] == ["order-polysomnography"]
        assert order["hooks"]["order-select"]
        brand = next(hit for hit in self.hits("Zestoretic") if hit["kind"] == "ingredient")
        assert brand["code"] in ("hydrochlorothiazide", "lisinopril")

    def test_what_nobody_knows_is_an_error(self) -> None:
        result = cds("terminology", "find", "no such thing")
        assert result.exit_code == 1
        assert "no rule would see it" in result.output
