"""Orders recognised by their words, where no value set knows a code of theirs."""

import json
from pathlib import Path

import pytest

from cds_service.facts.model import State
from cds_service.terminology.codings import CPT, LOINC, names_of
from cds_service.terminology.index import Terminology
from cds_service.terminology.order_names import OrderNames
from tests.unit import facts_support
from tests.unit.facts_support import CATALOGUE, coded, day, facts

HOOKS = Path(__file__).resolve().parents[2] / "hooks"
PANEL = {"order-calcium", "order-electrolytes", "order-renal-panel"}


@pytest.fixture(scope="module")
def shipped() -> Terminology:
    return Terminology.from_folder(HOOKS)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Polysomnography, attended", {"order-polysomnography"}),
        ("POLYSOMNOGRAPHY/ATTENDED", {"order-polysomnography"}),
        ("PSG - overnight, in lab", {"order-polysomnography"}),
        ("Sleep study, type I", {"order-polysomnography"}),
        ("Basic metabolic panel", PANEL),
        ("BMP", PANEL),
        ("Lab: basic  metabolic-panel (BMP)", PANEL),
        ("CMP with eGFR", PANEL),
        ("Comprehensive Metabolic Panel", PANEL),
        ("Magnesium level", {"order-electrolytes"}),
        ("Potassium, serum", {"order-electrolytes"}),
        ("Creatinine", {"order-renal-panel"}),
        ("Calcium, total", {"order-calcium"}),
        ("TSH", {"order-tsh"}),
        ("TSH w/ reflex to free T4", {"order-tsh"}),
        ("Hemoglobin A1c", {"order-hba1c"}),
        ("HbA1c", {"order-hba1c"}),
        ("Ferritin", {"order-ferritin", "order-iron-studies"}),
        ("Iron studies", {"order-iron-studies"}),
        ("Ankle brachial index", {"order-abi-arterial"}),
        ("ANKLE-BRACHIAL INDEX (ABI), BILATERAL", {"order-abi-arterial"}),
        ("arterial duplex lower extremity", {"order-abi-arterial"}),
        ("Duplex scan of lower extremity arteries", {"order-abi-arterial"}),
        ("Toe-brachial index, both feet", {"order-tbi"}),
    ],
)
def test_names_of_orders(shipped: Terminology, text: str, expected: set[str]) -> None:
    assert set(shipped.sets_of_order([text])) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Home sleep apnea test",
        "Home sleep study",
        "Sleep study, unattended",
        "Polysomnography, portable (home)",
        "Referral to sleep medicine for sleep study",
        "Venous duplex lower extremity",
        "Duplex arterial and venous, upper extremity",
        "Renal arterial duplex",
        "CTA abdomen with lower extremity arteries",
        "TSH receptor antibody",
        "EGFR gene mutation",
        "Low sodium diet",
        "Potassium chloride 20 mEq",
        "Sodium, urine",
        "Coronary calcium score",
        "PVR",
        "TBI clinic",
        "Ferritins",
        "tshirt",
        "",
        "-",
    ],
)
def test_words_that_only_look_like_an_order(shipped: Terminology, text: str) -> None:
    assert shipped.sets_of_order([text]) == ()


def test_what_one_text_says_another_can_rule_out(shipped: Terminology) -> None:
    assert shipped.sets_of_order(["Sleep study", "Home sleep apnea test"]) == ()


def test_a_phrase_does_not_reach_from_one_text_into_the_next(shipped: Terminology) -> None:
    assert shipped.sets_of_order(["Ankle", "brachial index"]) == ()


def test_a_sets_entry_is_replaced_by_the_sites(tmp_path: Path) -> None:
    entry = {"orderNames": {"order-tsh": {"names": ["thyroid screen"]}}}
    (tmp_path / "order-names.json").write_text(json.dumps(entry))
    terminology, problems = Terminology.from_folder(HOOKS, [tmp_path])
    assert problems == []
    assert terminology.sets_of_order(["TSH"]) == ()
    assert terminology.sets_of_order(["Thyroid screen"]) == ("order-tsh",)
    assert terminology.sets_of_order(["HbA1c"]) == ("order-hba1c",)


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ({"text": "a", "coding": [{"display": "b", "code": "1"}, {"display": "a"}]}, ["a", "b"]),
        ({"concept": {"text": " a "}}, ["a"]),
        ([{"text": "a"}, {"coding": {"display": "b"}}], ["a", "b"]),
        ({"text": 1, "coding": ["x", None]}, []),
        ("a", []),
        (None, []),
    ],
)
def test_all_that_a_concept_is_called(concept: object, expected: list[str]) -> None:
    assert names_of(concept) == expected


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small terminology of these tests, with a name for its one order set."""
    names = OrderNames({"order-ferritin": {"names": ["ferritin"], "not": ["fluid"]}})
    monkeypatch.setattr(facts_support.TERMINOLOGY, "_order_names", names)


def order(code: object, **extra: object) -> dict[str, object]:
    made = {"resourceType": "ServiceRequest", "id": "r1", "status": "active", "code": code}
    return made | {"authoredOn": day(5)} | extra


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    "code",
    [
        {"text": "Serum ferritin"},
        coded("urn:local", "FERR", text="Serum ferritin"),
        {"coding": [{"system": "urn:local", "code": "F", "display": "Serum ferritin"}]},
        {"coding": [{"display": "Serum ferritin"}]},
        {"concept": {"text": "Serum ferritin"}},
    ],
)
def test_an_order_without_a_known_code_is_known_by_its_words(code: object) -> None:
    assert "order.ferritin" in CATALOGUE
    item = facts(order(code)).get("order.ferritin").items[0]
    assert (item.text, item.via, item.code) == ("Serum ferritin", "name", "")
    base = facts(drafts=(order(code, status="draft"),))
    assert base.get("draft.ferritin", draft=0).items[0].via == "name"
    assert "draft.ferritin" in base.possible(0)
    assert facts(drafts=({}, order(code))).get("order.ferritin", draft=0).items[0].via == "name"


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    "code",
    [
        coded(LOINC, "2823-3", text="Ferritin"),  # a code that a set knows is believed
        {"text": "Ferritin, body fluid"},
        coded(CPT, "82728"),
        None,
        "ferritin",
    ],
)
def test_other_orders_are_not(code: object) -> None:
    base = facts(order(code), drafts=(order(code),))
    assert base.get("order.ferritin").state is State.ABSENT
    assert base.get("draft.ferritin", draft=0).state is State.ABSENT


@pytest.mark.usefixtures("named")
def test_a_known_code_beside_the_words_is_matched_by_code() -> None:
    item = facts(order(coded(LOINC, "2276-4", text="ferritin"))).get("order.ferritin").items[0]
    assert (item.via, item.code) == ("code", "2276-4")


@pytest.mark.usefixtures("named")
def test_each_item_of_a_dstu2_order_stands_for_itself() -> None:
    items = [{"code": coded(LOINC, "2823-3")}, {"code": {"text": "ferritin"}}]
    resource = order(None, resourceType="DiagnosticOrder", item=items)
    fact = facts(resource).get("order.ferritin")
    assert [(item.via, item.text) for item in fact.items] == [("name", "ferritin")]
