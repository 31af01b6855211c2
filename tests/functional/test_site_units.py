"""Units that a site added hold wherever a threshold may stand: rules, sentences, suggestions."""

from pathlib import Path
from typing import Any

import pytest

from cds_service.packs.load import check_pack
from cds_service.packs.locate import CHECKOUT
from tests.support.calls import Caller, Json
from tests.support.clinical import dx, lab, request
from tests.support.sites import B12, FACTS, Site, rule

UNIT = "B12 units"  # of which the site says that one is 2 pg/mL
TABLE = {"canonical": "pg/mL", "units": {"pg/mL": {"times": "1"}, UNIT: {"times": "2"}}}
CRAMPS = dx("icd:G47.62")


def below(value: int) -> Json:
    return {"fact": "lab.b12", "op": "lt", "value": value, "unit": UNIT}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Everything about vitamin B12 is said in the unit that only the site knows."""
    site = Site(tmp_path / "site")
    site.add_b12()
    own = rule()
    own["when"]["all"][1] = below(100)
    own["card"] |= {
        "detail": ["Vitamin B12 is low.", {"when": below(75), "text": "It is very low."}],
        "suggestions": [
            {"when": below(75), "label": "Order vitamin B12 again", "create": "vitamin-b12"}
        ],
    }
    site.write("rules/low-b12.json", own)
    site.write("orders.json", {"orders": {"vitamin-b12": order()}})
    site.write("units.json", {"analytes": {"obs-vitamin-b12": TABLE}})
    return site


def order() -> Json:
    coding = {"system": "http://loinc.org", "code": B12}
    code = {"coding": [coding], "text": "Vitamin B12"}
    return {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": code}


def card(app: Any, value: float) -> Json:
    caller = Caller(app.test_client())
    chart = request(conditions=[CRAMPS], observations=[lab(B12, value, "pg/mL")])
    [only] = caller.cards(chart)["cards"]
    return dict(only)


def test_sentences_and_suggestions_convert_as_the_rule_does(app_with_site: Any, site: Site) -> None:
    assert [p for p in check_pack(CHECKOUT, site.root) if p.severity == "error"] == []
    app = app_with_site(site.root)
    low, very_low = card(app, 199), card(app, 149)
    assert "very low" not in low["detail"]
    assert not low.get("suggestions")
    assert "It is very low." in very_low["detail"]
    assert [offer["label"] for offer in very_low["suggestions"]] == ["Order vitamin B12 again"]


def test_the_unit_is_unknown_without_the_sites_table(site: Site) -> None:
    site.remove("units.json")
    faults = [p for p in check_pack(CHECKOUT, site.root) if p.code == "F304"]
    assert [fault.path for fault in faults] == [
        "$.when.all[1].unit", "$.card.detail[1].when.unit", "$.card.suggestions[0].when.unit",
    ]  # fmt: skip


def test_the_check_converts_by_the_table_that_calls_convert_by(site: Site) -> None:
    """Of two value sets without an `analyte`, calls take the first one's: here it has no table."""
    fact = {**FACTS["facts"]["lab.b12"], "valueSets": ["obs-b12-here", "obs-vitamin-b12"]}
    del fact["valueSet"], fact["analyte"]
    site.write("facts.json", {"facts": {"lab.b12": fact}})
    own = rule()
    own["card"]["detail"] = [{"when": below(75), "text": "It is very low."}]
    site.write("rules/low-b12.json", own)
    faults = [p for p in check_pack(CHECKOUT, site.root) if p.severity == "error"]
    assert [(p.code, p.path) for p in faults] == [("F304", "$.card.detail[0].when.unit")]
