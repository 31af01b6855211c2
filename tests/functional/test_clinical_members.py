"""Results that a report or a panel names: read where they were sent, said where they were not."""

from typing import Any

import pytest

from tests.support.calls import Caller, Json, day
from tests.support.clinical import concept, dx, lab, request, told

RLS = dx("icd:G25.81")
FERRITIN = "2276-4"
UNREAD = "info rls.ferritin-unread"
NONE = "info rls.ferritin-missing"


def report(*results: Json, code: Json | None = None, **more: Any) -> Json:
    made = {"resourceType": "DiagnosticReport", "id": "rep-1", "status": "final"}
    made |= {"subject": {"reference": "Patient/pat-1"}, "code": code or {"text": "Iron panel"}}
    return made | {"effectiveDateTime": day(10), "result": list(results), **more}


def panel(*members: Json) -> Json:
    made = report(code={"text": "Iron panel"}) | {"resourceType": "Observation", "id": "panel-1"}
    return made | {"result": None, "hasMember": list(members)}


def refers(identifier: str = "elsewhere", display: str | None = "Ferritin") -> Json:
    return {"reference": f"Observation/{identifier}", **({"display": display} if display else {})}


def cards(caller: Caller, *observations: Json, reports: tuple[Json, ...] = ()) -> list[str]:
    chart = request(conditions=[RLS], observations=observations, more={"reports": reports})
    return [line.split(" > ")[0] for line in told(caller.cards(chart))]


@pytest.mark.parametrize(
    "named",
    [
        report(refers()),
        report({"display": "Ferritin [Mass/volume] in Serum or Plasma"}),
        report({"identifier": {"value": "1"}, "display": "Serum ferritin"}),
        report(refers(display=None), code=concept(f"loinc:{FERRITIN}")),
        report(refers("other", "Iron"), refers()),
    ],
)
def test_a_report_names_a_result_that_was_not_sent(caller: Caller, named: Json) -> None:
    assert cards(caller, reports=(named,)) == [UNREAD]


def test_a_panel_does_so_too(caller: Caller) -> None:
    assert cards(caller, panel(refers())) == [UNREAD]
    older = lab(FERRITIN, 20, "ng/mL", days=90)
    assert cards(caller, older, panel(refers())) == [UNREAD]


def test_what_stands_on_the_card(caller: Caller) -> None:
    chart = request(conditions=[RLS], more={"reports": [report(refers())]})
    (card,) = caller.cards(chart)["cards"]
    assert f"- Ferritin: named in a report, not sent, {day(10)}" in card["detail"]
    assert "It was not sent" in card["detail"]


def test_one_report_is_named_once(caller: Caller) -> None:
    named = report(refers("a"), refers("b", "Serum ferritin"), code=concept(f"loinc:{FERRITIN}"))
    (card,) = caller.cards(request(conditions=[RLS], more={"reports": [named]}))["cards"]
    assert card["detail"].count("named in a report, not sent") == 1


def test_a_newer_value_decides(caller: Caller) -> None:
    newer = lab(FERRITIN, 20, "ng/mL", days=5)
    assert cards(caller, newer, reports=(report(refers()),)) == ["warning rls.low-ferritin"]


@pytest.mark.parametrize("form", ["Observation/{}", "https://ehr.example.org/r4/Observation/{}"])
def test_a_member_that_was_sent_is_read(caller: Caller, form: str) -> None:
    low = lab(FERRITIN, 20, "ng/mL", days=10)
    named = {"reference": form.format(low["id"]), "display": "Ferritin"}
    assert cards(caller, low, reports=(report(named),)) == ["warning rls.low-ferritin"]
    assert cards(caller, low, panel(named)) == ["warning rls.low-ferritin"]


def test_a_contained_member_is_read(caller: Caller) -> None:
    low = lab(FERRITIN, 20, "ng/mL", days=10)
    named = report({"reference": f"#{low['id']}", "display": "Ferritin"}, contained=[low])
    assert cards(caller, reports=(named,)) == ["warning rls.low-ferritin"]


@pytest.mark.parametrize(
    "named",
    [
        report(refers(), status="entered-in-error"),
        report(refers(display="Hemoglobin")),
        report(refers(display=None)),
        report(refers(), effectiveDateTime=day(900)),
        report(),
        report() | {"result": ["Observation/1", None, 5, {"display": 5, "reference": []}]},
    ],
)
def test_what_names_no_ferritin_of_now(caller: Caller, named: Json) -> None:
    assert cards(caller, reports=(named,)) == [NONE]


def test_a_withdrawn_report_holds_no_results(caller: Caller) -> None:
    low = lab(FERRITIN, 20, "ng/mL", days=10)
    named = report(contained=[low], status="entered-in-error")
    assert cards(caller, reports=(named,)) == [NONE]


SAYING = [
    {"conclusion": "Ferritin 20 ng/mL"},
    {"presentedForm": [{"contentType": "application/pdf"}]},
]


@pytest.mark.parametrize("said", SAYING)
def test_a_result_in_the_words_of_a_report_is_on_file(caller: Caller, said: Json) -> None:
    named = report(code=concept(f"loinc:{FERRITIN}"), **said)
    assert cards(caller, reports=(named,)) == [UNREAD]


def test_a_report_that_says_nothing_is_no_result(caller: Caller) -> None:
    assert cards(caller, reports=(report(code=concept(f"loinc:{FERRITIN}")),)) == [NONE]
