"""Loading a pack: folders, effective values, revision, and what no example file can hold."""

import json
import os
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.errors import ConfigurationError, PackError
from cds_service.live.active import ActivePack
from cds_service.packs.build import with_profiles
from cds_service.packs.load import check_pack, load_pack
from cds_service.packs.locate import CHECKOUT, hooks_dir
from cds_service.packs.problem_text import as_json, format_problem

TINY = Path(__file__).resolve().parents[2] / "fixtures" / "rules" / "good" / "tiny" / "hooks"
RULE = "patient-view/rls/low-ferritin.json"


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "hooks"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    write(folder / "site.json", {})
    return folder


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")


def codes(hooks: Path, site: Path | None = None) -> list[str]:
    return [problem.code for problem in check_pack(hooks, site)]


def test_settings_are_shipped_then_profiles_in_order_then_site(hooks: Path, site: Path) -> None:
    shipped = load_pack(hooks).settings["ferritin.low"]
    assert (shipped.value, shipped.default) == (Decimal(50), Decimal(50))
    assert shipped.origin.endswith("pack.json:7")
    strict = load_pack(hooks, profiles=["plain", "strict"]).settings["ferritin.low"]
    assert (strict.value, strict.default) == (Decimal(75), Decimal(50))
    assert "pack.json:" in strict.origin and strict.origin != shipped.origin
    write(site / "site.json", {"profile": ["strict"], "settings": {"ferritin.low": 30.5}})
    local = load_pack(hooks, site)
    assert local.profiles == ("strict",)
    assert local.settings["ferritin.low"].value == Decimal("30.5")
    assert local.settings["ferritin.low"].origin.endswith("site.json:1")


def test_profiles_and_site_change_status_and_wording_of_rules(hooks: Path, site: Path) -> None:
    write(site / "site.json", {"rules": {"order.quinine": {"card": {"summary": "Quinine"}}}})
    rules = {rule.id: rule for rule in load_pack(hooks, site, ["strict"]).rules}
    assert rules["rls.low-ferritin"].status == "shadow"
    assert rules["order.quinine"].card["summary"] == "Quinine"
    assert rules["order.quinine"].card["indicator"] == "critical"


def test_other_profiles_of_a_loaded_pack(hooks: Path) -> None:
    pack = load_pack(hooks)
    strict = with_profiles(pack, ["strict"])
    direct = load_pack(hooks, profiles=["strict"])
    assert strict.settings == direct.settings
    assert strict.rules == direct.rules
    assert strict.terminology is pack.terminology
    assert pack.settings["ferritin.low"].value == Decimal(50)
    assert with_profiles(strict, pack.profiles).rules == pack.rules


def test_services_take_the_sites_switches(hooks: Path, site: Path) -> None:
    write(
        site / "site.json", {"services": {"tiny-patient-view": {"enabled": False, "maxCards": 1}}}
    )
    services = {service.id: service for service in load_pack(hooks, site).services}
    assert not services["tiny-patient-view"].enabled
    assert services["tiny-patient-view"].max_cards == 1
    assert services["tiny-order-select"].enabled


def test_the_revision_follows_content_not_form(hooks: Path, site: Path) -> None:
    first = load_pack(hooks).revision
    rule = hooks / RULE
    rule.write_text(json.dumps(json.loads(rule.read_text()), sort_keys=True, indent=7))
    assert load_pack(hooks).revision == first
    assert load_pack(hooks, profiles=["strict"]).revision != first
    assert load_pack(hooks, site).revision != first
    rule.write_text(rule.read_text().replace("Low ferritin", "Lower ferritin"))
    assert load_pack(hooks).revision != first


def test_the_shipped_folder_is_never_written(hooks: Path, site: Path) -> None:
    def state() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(hooks.rglob("*")) if p.is_file()}

    before = state()
    load_pack(hooks, site)
    assert state() == before


def test_numbers_in_order_templates_suit_any_json_writer(hooks: Path) -> None:
    orders = json.loads((hooks / "orders.json").read_text())
    orders["orders"]["ferritin"]["quantityQuantity"] = {"value": 1.5}
    write(hooks / "orders.json", orders)
    assert load_pack(hooks).orders["ferritin"]["quantityQuantity"] == {"value": 1.5}
    json.dumps(load_pack(hooks).orders)


def test_a_missing_folder_is_a_message(tmp_path: Path) -> None:
    assert "P001" in codes(tmp_path / "nowhere")
    with pytest.raises(PackError, match="nowhere"):
        load_pack(tmp_path / "nowhere")


def test_links_out_of_the_folder_are_refused(hooks: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    shutil.move(hooks / RULE, outside)
    (hooks / RULE).symlink_to(outside)
    assert codes(hooks) == ["P001"]


def test_links_inside_the_folder_are_followed(hooks: Path) -> None:
    shutil.move(hooks / RULE, hooks / ".kept.json")
    (hooks / RULE).symlink_to("../../.kept.json")
    assert codes(hooks) == []


def test_links_to_folders_and_links_in_a_circle_are_refused(hooks: Path, tmp_path: Path) -> None:
    (hooks / "patient-view" / "more").symlink_to(tmp_path)
    circle = hooks / "order-select" / "circle.json"
    circle.symlink_to(circle)
    assert codes(hooks) == ["P001", "P001"]


def test_a_pipe_is_refused_and_not_waited_for(hooks: Path) -> None:
    os.mkfifo(hooks / "patient-view" / "pipe.json")
    assert codes(hooks) == ["P001"]


def test_hidden_files_and_backups_are_not_part_of_the_pack(hooks: Path) -> None:
    (hooks / "patient-view" / ".low.json.swp").write_text("{")
    (hooks / "patient-view" / "low.json~").write_text("{")
    assert codes(hooks) == []


def test_what_else_lies_in_a_sites_folder_is_not_part_of_the_pack(hooks: Path, site: Path) -> None:
    before = load_pack(hooks, site).revision
    (site / "cds.sqlite").write_bytes(b"\0" * 1000)
    write(site / "clients.json", {"issuer": "https://ehr.example"})
    (site / "logs").symlink_to("/")
    assert load_pack(hooks, site).revision == before


def test_a_file_too_large_is_refused(hooks: Path) -> None:
    with (hooks / RULE).open("ab") as file:
        file.write(b" " * (5 * 1024 * 1024))
    assert codes(hooks) == ["P008"]


def test_a_date_that_is_none_is_refused_before_the_pack_is_built(hooks: Path) -> None:
    rule = json.loads((hooks / RULE).read_text())
    write(hooks / RULE, {**rule, "reviewBy": "2026-02-30"})
    assert codes(hooks) == ["S105"]


def test_review_dates_are_judged_only_on_a_given_day(hooks: Path) -> None:
    assert check_pack(hooks) == []
    late = check_pack(hooks, today=date(2027, 11, 22))
    assert [(p.code, p.severity) for p in late] == [("W706", "warning")]
    assert load_pack(hooks, today=date(2027, 11, 22)).name == "tiny"


def test_a_quick_load_leaves_out_tests_only(hooks: Path) -> None:
    (hooks / "patient-view/rls/low-ferritin.test.json").write_text("{")
    assert load_pack(hooks, thorough=False).revision
    with pytest.raises(PackError):
        load_pack(hooks)
    (hooks / "patient-view/rls/low-ferritin.test.json").unlink()
    with pytest.raises(PackError, match="T501"):
        load_pack(hooks, thorough=False)


def test_a_quick_and_a_thorough_load_give_the_same_pack(hooks: Path) -> None:
    assert load_pack(hooks).revision == load_pack(hooks, thorough=False).revision


def test_messages_show_the_line_with_a_mark(hooks: Path) -> None:
    (hooks / RULE).write_text('{\n  "id": NaN\n}\n')
    (problem,) = check_pack(hooks)
    head, line, mark = format_problem(problem).split("\n")
    assert head.endswith("low-ferritin.json:2:9  $.id  P005  NaN is not a JSON number.")
    assert (line, mark) == ('      "id": NaN', "    " + " " * 8 + "^")
    assert as_json(problem) == {
        "file": problem.file, "line": 2, "column": 9, "path": "$.id", "code": "P005",
        "message": "NaN is not a JSON number.", "severity": "error",
    }  # fmt: skip


def test_the_active_pack_is_swapped_whole_and_remembers_what_was_refused(hooks: Path) -> None:
    first = load_pack(hooks)
    active = ActivePack(first)
    assert active.current().pack is first
    (hooks / RULE).write_text("{")
    active.reject("abc", check_pack(hooks))
    assert active.current().pack is first
    assert active.rejected is not None
    assert (active.rejected.revision, active.rejected.count) == ("abc", 1)
    second = with_profiles(first, ["strict"])
    assert active.swap(second) is first
    assert active.current().pack is second
    assert active.rejected is None


def test_where_the_pack_is_found(hooks: Path, tmp_path: Path) -> None:
    assert hooks_dir({"CDS_HOOKS_DIR": str(hooks)}) == hooks
    assert hooks_dir({}) == CHECKOUT
    with pytest.raises(ConfigurationError, match="CDS_HOOKS_DIR"):
        hooks_dir({"CDS_HOOKS_DIR": str(tmp_path)})
