"""Two versions of the pack with planted changes: `rules diff` tells each, `rules review` in words.

A reviewer sees these two texts and no file. All changes are planted in one copy of the pack.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service.authoring.json_changes import json_changes
from cds_service.authoring.pack_changes import pack_changes
from cds_service.cli.rules_review import as_markdown
from cds_service.packs.load import load_pack
from cds_service.packs.locate import CHECKOUT
from cds_service.rules.model import Pack

Json = Any
LOW = "patient-view/rls/low-ferritin.json"
SERVICE = "leg-cramps-patient-view"


def edit(pack: Path, name: str, change: Callable[[Json], object]) -> None:
    file = pack / name
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


def plant(pack: Path) -> None:
    for name, change in (
        (
            "units.json",
            lambda d: d["analytes"]["obs-ferritin"]["units"].update({"ug/L": {"times": "10"}}),
        ),
        (
            "order-names.json",
            lambda d: d["orderNames"]["order-polysomnography"]["not"].remove("home"),
        ),
        ("valuesets/obs-ferritin.json", lambda d: d["compose"]["include"][0]["concept"].pop(0)),
        (
            "valuesets/obs-edd.json",
            lambda d: d["compose"]["include"][0]["concept"][0].update(display="Due"),
        ),
        ("routes.json", lambda d: d["routes"]["local-routes"]["words"].remove("vaginal")),
        ("facts.json", lambda d: d["facts"]["lab.ferritin"].pop("lookback")),
        ("facts.json", lambda d: d["facts"]["drug.quinine"].update(routes="any")),
        (
            "pack.json",
            lambda d: d["profiles"]["aasm-2025"]["settings"].update({"ferritin.low": 80}),
        ),
        ("pack.json", lambda d: d["settings"]["ferritin.low"].update(max=5000)),
        ("pack.json", lambda d: d["settings"]["ferritin.lookback"].update(value=730)),
        ("drugs.json", lambda d: d["brands"].update({"furious": ["furosemide"]})),
        ("drugs.json", lambda d: d["combinations"].pop(0)),
        ("patient-view/leg-cramps.service.json", lambda d: d.update(maxCards=1)),
        (
            "patient-view/leg-cramps.service.json",
            lambda d: d["prefetch"].update(
                conditions=d["prefetch"]["conditions"].replace("_count=200", "_count=20")
            ),
        ),
        (LOW, lambda d: d.update(status="shadow", whenExclusionUnknown="keep", note="planted")),
        (LOW, lambda d: d["card"].update(line="Ferritin is `fine <.")),
        (LOW, lambda d: d["when"]["all"][1].update(op="le")),
        (LOW.replace(".json", ".test.json"), lambda d: d["cases"].pop()),
    ):
        edit(pack, name, change)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, Pack]:
    copy = tmp_path_factory.mktemp("pack") / "hooks"
    shutil.copytree(CHECKOUT, copy)
    plant(copy)
    return load_pack(CHECKOUT, thorough=False), load_pack(copy, thorough=False)


@pytest.mark.parametrize(
    "told",
    [
        "units of obs-ferritin: microgram/l times 1 -> times 10",
        "order-names orderNames order-polysomnography not: -'home'",
        "value set obs-ferritin: -1 code (LOINC ",
        "value set obs-edd: 1 code renamed (LOINC ",
        "fact lab.ferritin: lookback 'ferritin.lookback' -> nothing",
        "fact drug.quinine: routes ",
        "routes local-routes (",
        "profile aasm-2025: settings.ferritin.low nothing -> 80",
        "setting ferritin.low: maximum 500 -> 5000",
        "setting ferritin.lookback: 365 -> 730 d",
        "drug dictionary: +1 name ('furious': furosemide)",
        "drug dictionary: -1 mixture (",
        f"service {SERVICE}: maxCards 3 -> 1",
        f"service {SERVICE}: prefetch conditions: +_count=20, -_count=200",
        "rule rls.low-ferritin: status active -> shadow",
        "rule rls.low-ferritin: whenExclusionUnknown soften -> keep",
        "rule rls.low-ferritin: card.line 'RLS with ferritin",
        "rule rls.low-ferritin: when in words: RLS is recorded",
        "tests hooks/patient-view/rls/low-ferritin.test.json: changed",
    ],
)
def test_a_planted_change_is_told(packs: tuple[Pack, Pack], told: str) -> None:
    lines = pack_changes(*packs)
    assert any(line.startswith(told) for line in lines), lines


def test_the_review_calls_things_by_their_titles(packs: tuple[Pack, Pack]) -> None:
    review = as_markdown(*packs, pack_changes(*packs))
    assert "- rule rls.low-ferritin (Low ferritin with restless legs): status active ->" in review
    assert "- setting ferritin.lookback (How long ferritin and" in review


def test_a_text_cannot_hide_what_follows_it_in_the_review(packs: tuple[Pack, Pack]) -> None:
    assert r"'Ferritin is \`fine \<.'" in as_markdown(*packs, pack_changes(*packs))


def test_the_end_of_a_long_text_is_shown_where_it_differs() -> None:
    (told,) = json_changes({"text": "a" * 5000 + " not"}, {"text": "a" * 5000 + " now"})
    assert " not' -> '" in told
    assert told.endswith(" now'")


def test_a_member_that_stands_twice_is_a_change() -> None:
    assert list(json_changes(["a"], ["a", "a"], "groups"))
