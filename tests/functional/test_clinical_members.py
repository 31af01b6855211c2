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


KALIUM = "2823-3"


def undated(value: float = 2.6, **more: Any) -> Json:
    return lab(KALIUM, value, "mmol/L", days=None, **more)


def potassium(caller: Caller, *observations: Json, reports: tuple[Json, ...]) -> list[str]:
    cramp = dx("icd:G47.62")
    chart = request(conditions=[cramp], observations=observations, more={"reports": reports})
    return [
        line.removeprefix("- ")
        for card in caller.cards(chart)["cards"]
        for line in card["detail"].splitlines()
        if line.startswith("- Potassium")
    ]


LOW = f"Potassium: 2.6 mmol/L, {day(10)} (date of the report)"


def ref(result: Json) -> Json:
    return {"reference": f"Observation/{result['id']}"}


def in_turn(result: Json) -> tuple[Json, ...]:
    """A report of a panel of a result; the report alone has a date."""
    of = panel(ref(result))
    del of["effectiveDateTime"]
    return report(ref(of)), of, result


DATED: dict[str, tuple[Json, ...]] = {
    "contained": (report({"reference": "#k"}, contained=[undated() | {"id": "k"}]),),
    "contained, without an id": (report(id=None, contained=[undated() | {"id": None}]),),
    "referred to": (report(ref(result := undated())), result),
    "issued alone": (
        report(ref(result), effectiveDateTime=None, issued=f"{day(10)}T08:00:00Z"),
        result,
    ),
    "over a period": (
        report(ref(result), effectiveDateTime=None, effectivePeriod={"start": day(10)}),
        result,
    ),
    "a member of a panel": (panel(ref(result)), result),
    "a member of a panel of a report": in_turn(result),
    "in two reports": (
        report(ref(result), effectiveDateTime=day(5)),
        report(ref(result)) | {"id": "rep-2"},
        result,
    ),
}


@pytest.mark.parametrize("chart", DATED.values(), ids=DATED)
def test_a_result_without_a_date_has_that_of_its_report(
    caller: Caller, chart: tuple[Json, ...]
) -> None:
    assert potassium(caller, reports=chart) == [LOW]


def test_panels_in_a_long_row_have_the_date_of_the_last(caller: Caller) -> None:
    chart = [undated()]
    for number in range(2000):
        of = panel(ref(chart[-1])) | {"id": f"panel-{number}"}
        del of["effectiveDateTime"]
        chart.append(of)
    assert potassium(caller, reports=(report(ref(chart[-1])), *chart)) == [LOW]


def test_a_date_of_its_own_stands(caller: Caller) -> None:
    own = lab(KALIUM, 2.6, "mmol/L", days=20)
    assert potassium(caller, reports=(report(contained=[own]),)) == [LOW.replace(
        f"{day(10)} (date of the report)", day(20)
    )]  # fmt: skip


@pytest.mark.parametrize(
    "chart",
    [
        (report(ref(result), status="entered-in-error"), result),
        (report(ref(result), effectiveDateTime=None), result),
        (report(ref(result), effectiveDateTime=day(300)), result),
        (panel(ref(result)) | {"id": result["id"], "effectiveDateTime": None},),
    ],
)
def test_no_date_for_a_result(caller: Caller, chart: tuple[Json, ...]) -> None:
    assert potassium(caller, reports=chart) == []


def test_a_newer_report_decides(caller: Caller) -> None:
    """A result of its report's day is newer than one of a day before."""
    older = lab(KALIUM, 4.1, "mmol/L", days=40)
    assert potassium(caller, older, reports=(report(contained=[undated()]),)) == [LOW]
    newer = lab(KALIUM, 4.1, "mmol/L", days=2)
    assert potassium(caller, newer, reports=(report(contained=[undated()]),)) == []
