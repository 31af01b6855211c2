"""FHIR dates: partial ones, time zones, boundaries, and what is no date."""

from datetime import date

import pytest

from cds_service.facts import dates

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-05", date(2026, 3, 5)),
        ("2026-03", date(2026, 3, 31)),
        ("2024-02", date(2024, 2, 29)),
        ("2025", date(2025, 12, 31)),
        ("2026", TODAY),  # not yet over: today is its latest possible day
        ("2026-11", TODAY),
        ("2027", date(2027, 12, 31)),
        ("2026-03-05T23:30:00Z", date(2026, 3, 5)),
        ("2026-03-05T23:30:00-05:00", date(2026, 3, 6)),
        ("2026-03-05T00:30:00+02:00", date(2026, 3, 4)),
        ("2026-03-05T10:00:00.123456789Z", date(2026, 3, 5)),
        ("2026-03-05T10:00", date(2026, 3, 5)),
        ("2026-03-05T25:61:00Z", date(2026, 3, 5)),
        ("0001-01-01T00:00:00+14:00", date(1, 1, 1)),
    ],
)
def test_the_latest_possible_day_in_utc(text, expected):
    assert dates.parse(text, TODAY).day == expected


@pytest.mark.parametrize(
    "value",
    ["Invalid date", "", "20", "0000", "2026-13", "2026-02-30", "26-1-1", "２０２６-1", None, 2026]
    + [True, [], {}, "2026-1-1", "9999999999999999999999"],
)
def test_what_is_no_date(value):
    assert dates.parse(value, TODAY) is None


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2026, 11, 11), 10, True),
        (date(2026, 11, 10), 10, False),
        (date(2026, 11, 22), 10, True),
        (date(2026, 11, 23), 10, False),
        (date(1900, 1, 1), None, True),
        (date(2026, 11, 23), None, False),
    ],
)
def test_inside_a_lookback(day, days, expected):
    assert dates.inside(day, TODAY, days) is expected


def test_a_period_counts_by_its_end_once_that_has_come():
    assert dates.period({"start": "2026-01-01", "end": "2026-02-01"}, TODAY).text == "2026-02-01"
    assert dates.period({"start": "2026-01-01", "end": "2027-02-01"}, TODAY).text == "2026-01-01"
    assert dates.period({"start": "2026-01-01"}, TODAY).text == "2026-01-01"
    assert dates.period("2026", TODAY) is None


@pytest.mark.parametrize(
    "text",
    ["20261020", "2026102022", "2026-W43-2", "20261020T120000Z", "2026-10-20abc", "26-10-20"],
)
def test_text_of_another_form_is_no_date(text):
    assert dates.parse(text, TODAY) is None
