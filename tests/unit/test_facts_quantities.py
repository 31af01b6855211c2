"""Measured values: the boundary matrix of ferritin and ABI, units, dates, notes."""

from decimal import Decimal

import pytest

from cds_service.facts.chart import Supply
from cds_service.facts.hits import Hit
from cds_service.facts.model import State
from cds_service.facts.observations import moment_of, when_of
from cds_service.protocol.entries import entry_of
from cds_service.protocol.raw import encoded
from tests.unit.facts_support import NOW, abi, day, facts, result

KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN


@pytest.mark.parametrize(
    ("value", "unit", "expected", "comparator"),
    [
        ("<5", "ng/mL", "5", "<"),
        (49.9, "ng/mL", "49.9", ""),
        (49.96, "ng/mL", "49.96", ""),
        (49, "ug/L", "49", ""),
        (50, "ng/mL", "50", ""),
        (50.0, "ng/mL", "50.0", ""),
        (50.1, "ng/mL", "50.1", ""),
        (75.1, "ng/mL", "75.1", ""),
        ("<50", "ng/mL", "50.0", "<"),
        ("<=50", "ng/mL", "50.0", "<="),
        ("<75", "ng/mL", "75.0", "<"),
        (">30", "ng/mL", "30.0", ">"),
        (">=50", "ng/mL", "50.0", ">="),
        (">1500", "ng/mL", "1500.0", ">"),
        ("=23", "ng/mL", "23.0", ""),
    ],
)
def test_ferritin_that_is_used(value, unit, expected, comparator):
    fact = facts(result(value, unit)).get("ferritin")
    assert fact.state is KNOWN
    assert fact.items[0].quantity.value == Decimal(expected)
    assert fact.items[0].quantity.comparator == comparator
    assert fact.notes == ()


def test_converted_value_keeps_the_words_of_the_sender():
    quantity = facts(result(90, "pmol/L")).get("ferritin").items[0].quantity
    assert Decimal("40.05") < quantity.value < Decimal("40.06")
    assert (quantity.unit, quantity.shown) == ("ng/mL", "90 pmol/L")


@pytest.mark.parametrize(
    ("resource", "note", "reason"),
    [
        (
            result(0),
            "Ferritin 0 ng/mL is outside the plausible range and was not used.",
            "a result is outside the plausible range",
        ),
        (result(40, None), "Ferritin 40 has no unit and was not used.", "a result has no unit"),
        (
            result(40, "furlong"),
            "Ferritin 40 furlong has a unit that cannot be converted and was not used.",
            "a result has a unit that cannot be converted",
        ),
        (
            result(30, status="preliminary", on="2026-11-19"),
            "A preliminary result (30 ng/mL, 2026-11-19) was not used.",
            "a result is preliminary",
        ),
        (result(40, on=None), "An undated result was not used.", "a result has no date"),
        (
            result(40, on="Invalid date"),
            "An undated result was not used.",
            "a result has no date",
        ),
        (
            result(40, on="2026-11-23"),
            "A result dated in the future (2026-11-23) was not used.",
            "a result is dated in the future",
        ),
        (
            {**result(40), "valueQuantity": None, "valueString": "40 ng/mL"},
            "A ferritin result given as text was not used.",
            "a result is text",
        ),
    ],
)
def test_ferritin_on_file_that_cannot_be_used(resource, note, reason):
    fact = facts(resource).get("ferritin")
    assert (fact.state, fact.reasons, fact.notes) == (ABSENT, (reason,), (note,))


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_retracted_results_are_as_if_they_were_not_there(status):
    fact = facts(result(40, status=status)).get("ferritin")
    assert (fact.state, fact.reasons, fact.notes, fact.unused) == (ABSENT, (), (), None)


@pytest.mark.parametrize("status", ["unknown", "", "validated"])
def test_result_of_a_status_that_says_nothing_makes_the_fact_unknown(status):
    fact = facts(result(40, status=status)).get("ferritin")
    assert (fact.state, fact.reasons) == (UNKNOWN, ("a result is of unknown status",))
    assert fact.notes == (f"A result of unknown status (40 ng/mL, {day(10)}) was not used.",)


def test_newer_result_of_unknown_status_is_told():
    fact = facts(result(40, on=day(90)), result(120, status="unknown")).get("ferritin")
    assert (fact.state, fact.unused.quantity.value) == (UNKNOWN, 40)
    assert fact.notes == (f"A result of unknown status (120 ng/mL, {day(10)}) was not used.",)


def test_older_result_of_unknown_status_decides_nothing():
    fact = facts(result(40), result(120, on=day(90), status="unknown")).get("ferritin")
    assert (fact.items[0].quantity.value, fact.notes) == (40, ())


def worded(value, **extra):
    """A result whose code is its name alone."""
    return result(value) | {"id": "w", "code": {"text": "Ferritin"}} | extra


def test_result_known_by_its_name_makes_the_fact_unknown():
    fact = facts(worded(23)).get("ferritin")
    assert (fact.state, fact.items) == (UNKNOWN, ())
    assert fact.reasons == ("a result named as ferritin has no code that is known",)
    assert fact.notes == (
        f"A result named Ferritin, {day(10)}, has no code that is known and was not used.",
    )


LOCAL = {"coding": [{"system": "urn:lab", "code": "F7", "display": "Ferritin, serum"}]}


@pytest.mark.parametrize(
    "code",
    [
        LOCAL,
        {"coding": [{"code": "F7", "display": "FERRITIN"}]},
        {"text": "S-Ferritin", "coding": [{"system": "urn:lab", "code": "1"}]},
    ],
)
def test_result_with_a_local_code_is_known_by_its_name(code):
    assert facts(worded(23, code=code)).get("ferritin").state is UNKNOWN


@pytest.mark.parametrize(
    "extra",
    [
        {"code": {"text": "Ferritin goal"}},
        {"code": {"text": "Ferritin"}, "specimen": {"display": "urine"}},
        {"code": {"text": "Ferritin"}, "status": "entered-in-error"},
        {"code": {"text": "Ferritin"}, "effectiveDateTime": day(400)},
        {"code": {"text": "Ferritin"}, "valueQuantity": None},
    ],
)
def test_result_of_another_kind_error_or_time_is_none(extra):
    resource = {key: value for key, value in worded(23, **extra).items() if value is not None}
    assert facts(resource).get("ferritin").state is ABSENT


def test_newer_result_known_by_its_name_takes_the_older_its_say():
    fact = facts(result(23, on=day(200)), worded(120)).get("ferritin")
    assert fact.state is UNKNOWN
    assert fact.unused.quantity.value == 23
    assert day(10) in fact.notes[0]


def test_older_result_known_by_its_name_changes_nothing():
    fact = facts(result(23), worded(120, effectiveDateTime=day(200))).get("ferritin")
    assert (fact.state, fact.notes) == (KNOWN, ())


def test_code_without_a_system_counts_where_its_form_leaves_no_doubt():
    bare = result(23) | {"code": {"coding": [{"code": "2276-4"}]}}
    assert facts(bare).get("ferritin").state is KNOWN


def test_code_and_name_that_disagree_decide_nothing():
    disputed = result(2.1, "mmol/L", code="2823-3")
    disputed["code"]["text"] = "Ferritin"
    for name in ("potassium", "ferritin"):
        fact = facts(disputed).get(name)
        assert fact.state is UNKNOWN
        assert fact.reasons == ("the code and the name of a result disagree",)
        assert "(Ferritin" in fact.notes[0]


def test_absence_that_was_stated_is_no_result():
    resource = result(40) | {"valueQuantity": None, "dataAbsentReason": {"text": "not performed"}}
    fact = facts(resource).get("ferritin")
    assert (fact.state, fact.reasons, fact.notes) == (ABSENT, (), ())


def test_day_365_counts_and_day_366_is_stale():
    assert facts(result(40, on=day(365))).get("ferritin").state is KNOWN
    fact = facts(result(40, on=day(366))).get("ferritin")
    assert (fact.state, fact.reasons) == (ABSENT, ())
    assert fact.unused.quantity.value == 40
    assert fact.notes == (f"Last ferritin 40 ng/mL, {day(366)}, is older than 12 months.",)


def test_the_last_result_is_a_final_one_that_can_be_read():
    stale = [
        result(30, status="preliminary", on=day(400), id="preliminary"),
        result(30, "furlong", on=day(410), id="no-unit"),
        result(40, on=day(420), id="final"),
        result(50, on=day(430), id="older"),
    ]
    fact = facts(*stale).get("ferritin")
    assert (fact.state, fact.unused.reference) == (ABSENT, "Observation/final")
    assert facts(*stale[:2]).get("ferritin").unused is None


def test_a_stale_index_after_exercise_is_not_the_last_one():
    exercise = abi(0.6, on=day(800), id="exercise")
    exercise["code"]["text"] = "ABI post-exercise, right"
    fact = facts(exercise, abi(0.9, on=day(900), id="rest")).get("abi.lowest")
    assert fact.unused.reference == "Observation/rest"
    assert facts(exercise).get("abi.lowest").unused is None


def test_tomorrow_is_a_time_zone_not_the_future():
    assert facts(result(40, on="2026-11-22")).get("ferritin").state is KNOWN


def test_within_replaces_the_lookback():
    base = facts(result(40, on=day(40)))
    assert base.get("ferritin", within=39).state is ABSENT
    assert base.get("ferritin", within="P40D").state is KNOWN
    assert base.get("ferritin", within="short.lookback").state is ABSENT
    assert base.get("ferritin").state is KNOWN


def test_an_older_final_result_stands_in_for_a_preliminary_one():
    fact = facts(
        result(30, status="preliminary", on=day(1), id="new"), result(80, on=day(100), id="old")
    ).get("ferritin")
    assert [item.reference for item in fact.items] == ["Observation/old"]
    assert fact.notes == (f"A preliminary result (30 ng/mL, {day(1)}) was not used.",)


def test_what_a_newer_result_replaced_is_not_mentioned():
    fact = facts(result(30, status="preliminary", on=day(9)), result(80, on=day(1))).get("ferritin")
    assert (fact.items[0].quantity.value, fact.notes) == (80, ())


def test_the_lowest_of_the_newest_day_comes_first():
    fact = facts(result(60), result(45), result(20, on=day(11))).get("ferritin")
    assert [item.quantity.value for item in fact.items] == [45, 60]


def test_the_newest_time_of_the_day_comes_first_whatever_the_order_of_the_chart():
    late = result(4.0, "mmol/L", code="2823-3", on="2026-11-20T10:00:00+02:00")
    early = result(2.9, "mmol/L", code="2823-3", on="2026-11-20T07:00:00Z")
    for chart in [(late, early), (early, late)]:
        fact = facts(*chart).get("potassium")
        assert fact.items[0].quantity.value == 4


def test_flag_and_reference_range():
    resource = result(
        2.9,
        "mmol/L",
        code="2823-3",
        interpretation=[{"coding": [{"code": "LL"}]}],
        referenceRange=[{"low": {"value": 3.4}, "high": {"value": 5}}],
    )
    details = facts(resource).get("potassium").items[0].details
    assert (details["flag"], details["low"]) == ("LL", "3.4")


def test_two_reference_ranges_tell_nothing():
    ranges = [{"low": {"value": 3.4}}, {"low": {"value": 3.9}}]
    resource = result(3.5, "mmol/L", code="2823-3", referenceRange=ranges)
    assert "low" not in facts(resource).get("potassium").items[0].details


@pytest.mark.parametrize(
    "other",
    [
        {"type": {"coding": [{"code": "treatment"}]}, "low": {"value": 4.2}},
        {"high": {"value": 5}},
        {"low": {"value": "n/a"}},
    ],
)
def test_a_range_that_tells_no_lower_limit_hides_no_other(other):
    ranges = [other, {"low": {"value": 3.4}}]
    resource = result(3.5, "mmol/L", code="2823-3", referenceRange=ranges)
    assert facts(resource).get("potassium").items[0].details["low"] == "3.4"


def test_empty_and_unknown_observations():
    fact = facts().get("ferritin")
    assert (fact.state, fact.reasons) == (ABSENT, ())
    assert fact.notes == ("No ferritin found in the data sent to this service.",)
    for supply, reason in [
        (Supply.MISSING, "observations were not supplied"),
        (Supply.FAILED, "observations could not be read"),
        (Supply.INCOMPLETE, "observations are incomplete"),
    ]:
        fact = facts(supplies={"observations": supply}).get("ferritin")
        assert (fact.state, fact.reasons) == (UNKNOWN, (reason,))


def test_a_value_on_an_incomplete_list_counts_and_says_so():
    fact = facts(result(40), supplies={"observations": Supply.INCOMPLETE}).get("ferritin")
    assert fact.state is KNOWN
    assert fact.notes == ("A newer result may exist: observations are incomplete.",)


def test_component_values_are_read():
    part = result(3.1, "mmol/L", code="2823-3")
    panel = {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "effectivePeriod": {"start": day(4), "end": day(3)},
        "code": {"text": "electrolytes"},
        "component": [{"code": part["code"], "valueQuantity": part["valueQuantity"]}],
    }
    item = facts(panel).get("potassium").items[0]
    assert (item.quantity.value, item.date_text) == (Decimal("3.1"), day(3))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0.00"),
        (0.9, "0.90"),
        (0.904, "0.90"),
        (0.905, "0.91"),
        (0.99, "0.99"),
        (1.304, "1.30"),
        (1.305, "1.31"),
        (1.4, "1.40"),
        (3.0, "3.00"),
    ],
)
@pytest.mark.parametrize("unit", ["{ratio}", "1", None])
def test_abi_is_rounded_half_up_to_two_decimals(value, expected, unit):
    for pick in ("lowest", "highest"):
        quantity = facts(abi(value, unit=unit)).get(f"abi.{pick}").items[0].quantity
        assert str(quantity.value) == expected


def test_abi_in_percent():
    assert facts(abi(72, unit="%")).get("abi.lowest").items[0].quantity.value == Decimal("0.72")


@pytest.mark.parametrize(
    ("resource", "note"),
    [
        (abi(3.5), "ABI 3.5 is outside the plausible range and was not used."),
        (abi(85, unit=None), "ABI 85 has no unit and was not used."),
    ],
)
def test_abi_that_is_not_used(resource, note):
    fact = facts(resource).get("abi.lowest")
    assert (fact.state, fact.notes) == (ABSENT, (note,))
    assert fact.reasons


def test_day_730_counts_and_day_731_is_stale():
    assert facts(abi(0.85, on=day(730))).get("abi.lowest").state is KNOWN
    fact = facts(abi(0.85, on=day(731))).get("abi.lowest")
    assert (fact.state, fact.reasons) == (ABSENT, ())
    assert fact.notes == (f"Last ABI 0.85, {day(731)}, is older than 24 months.",)


def test_both_legs_of_the_newest_study():
    base = facts(
        abi(0.8, "8580-3", id="r"), abi(1.45, "8579-5", id="l"), abi(0.5, "8579-5", on=day(50))
    )
    lowest, highest = base.get("abi.lowest"), base.get("abi.highest")
    assert [i.details["side"] for i in lowest.items] == ["right", "left"]
    assert [i.details["side"] for i in highest.items] == ["left", "right"]
    assert lowest.notes == ()


@pytest.mark.parametrize(
    "resource",
    [
        abi(1.05, "8580-3"),
        abi(1.05, bodySite={"coding": [{"code": "24028007"}]}),
        abi(1.05, bodySite={"text": "Right lower leg"}),
        abi(1.05, bodySite={"coding": [{"display": "Structure of right lower limb"}]}),
    ],
)
def test_a_missing_leg_is_named(resource):
    fact = facts(resource).get("abi.lowest")
    assert fact.items[0].details["side"] == "right"
    assert fact.notes == ("ABI: left not reported.",)


def test_sides_as_components_of_one_study():
    study = abi(1.0)
    del study["valueQuantity"]
    study["component"] = [
        {"code": {"text": "Right ABI"}, "valueQuantity": {"value": 0.72, "code": "1"}},
        {"code": {"text": "Left ABI"}, "valueQuantity": {"value": 1.05, "code": "1"}},
    ]
    fact = facts(study).get("abi.lowest")
    assert [(i.quantity.value, i.details["side"]) for i in fact.items] == [
        (Decimal("0.72"), "right"),
        (Decimal("1.05"), "left"),
    ]


def test_abi_after_exercise_is_another_test():
    resource = abi(0.6)
    resource["code"]["text"] = "ABI post-exercise, right"
    assert facts(resource).get("abi.lowest").state is ABSENT


@pytest.mark.parametrize("on", [day(10), f"{day(10)}T08:00:00Z"])
@pytest.mark.parametrize("turned", [False, True])
def test_of_one_moment_the_value_counts_that_must_not_be_missed(on: str, turned: bool) -> None:
    sent = [result(value, "mmol/L", code="2823-3", on=on, id=f"o{value}") for value in (2.9, 4.5)]
    found = facts(*(reversed(sent) if turned else sent)).get("potassium")
    assert [item.quantity.shown for item in found.items] == ["2.9 mmol/L", "4.5 mmol/L"]


def test_a_later_time_of_the_day_comes_first():
    early = result(2.9, "mmol/L", code="2823-3", on=f"{day(10)}T08:00:00Z", id="o1")
    late = result(4.5, "mmol/L", code="2823-3", on=f"{day(10)}T18:00:00Z", id="o2")
    found = facts(early, late).get("potassium")
    assert [item.quantity.shown for item in found.items] == ["4.5 mmol/L", "2.9 mmol/L"]


@pytest.mark.parametrize(
    "sent",
    [
        "2026-03-05T10:00:00Z",
        "2026-03-05T10:00:00.1234567Z",
        "2026-03-05T10:00:00.9999999Z",
        "2026-03-05T23:30:00-05:00",
        "2026-03-05T10:00:01",
        "2026-03-05T10:00+01:0",
        "2026-03-05 10:00:00Z",
        "2026-03-05T10:00:60Z",
        "2026-03-05",
        "2026",
    ],
)
def test_results_are_put_in_order_by_the_moment_of_their_date(sent: str) -> None:
    entry = entry_of(encoded(result(40, on=sent)))
    assert entry is not None
    when = when_of(entry.body, NOW.date())
    assert when is not None
    assert moment_of(Hit(entry, "obs-ferritin", "", ""), NOW.date()) == when.moment


@pytest.mark.parametrize("kind", ["valueRatio", "valueSampledData", "valuePeriod", "valueTime"])
def test_a_result_of_another_kind_is_on_file_and_said(kind: str) -> None:
    resource = result(1, "ng/mL")
    del resource["valueQuantity"]
    fact = facts({**resource, kind: {"numerator": {"value": 70}}}).get("ferritin")
    assert (fact.state, fact.notes) == (ABSENT, ("A ferritin result could not be read.",))


@pytest.mark.parametrize(
    ("value", "state"), [(70, KNOWN), (0, KNOWN), (0.7, ABSENT), (3, ABSENT), (3.1, KNOWN)]
)
def test_a_ratio_in_per_cent_that_is_no_per_cent_is_not_used(value: float, state: State) -> None:
    fact = facts(abi(value, unit="%")).get("abi.lowest")
    assert fact.state is state
    assert any("unit" in note for note in fact.notes) is (state is ABSENT)
