"""rows.csv and the tests agree: every row is tested, or says why not."""

import csv
from pathlib import Path

import pytest

from tests.support.rows import rows_in_source

ROWS = list(csv.DictReader((Path(__file__).parent / "rows.csv").read_text("utf-8").splitlines()))


def test_rows_that_are_tested_have_a_test_and_no_others_do() -> None:
    assert rows_in_source() == {row["row"] for row in ROWS if row["status"] == "tested"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["row"])
def test_a_row_is_tested_or_says_why_not(row: dict[str, str]) -> None:
    assert row["about"]
    assert row["status"] in ("tested", "not-taken")
    assert bool(row["reason"]) == (row["status"] == "not-taken")


def test_rows_are_listed_once() -> None:
    ids = [row["row"] for row in ROWS]
    assert len(ids) == len(set(ids)) == 213
