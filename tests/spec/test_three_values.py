"""The logic of conditions as tables. A clinician should be able to read and sign these."""

from decimal import Decimal

import pytest

from cds_service.facts.model import Quantity, Truth
from cds_service.rules import logic

WORDS = {"yes": Truth.YES, "no": Truth.NO, "unknown": Truth.UNKNOWN}

# first part  second part   all of them   any of them
TWO_PARTS = """
yes         yes           yes           yes
yes         unknown       unknown       yes
yes         no            no            yes
unknown     yes           unknown       yes
unknown     unknown       unknown       unknown
unknown     no            no            unknown
no          yes           no            yes
no          unknown       no            unknown
no          no            no            no
"""

# part      not           certainly
ONE_PART = """
yes         no            yes
unknown     unknown       no
no          yes           no
"""

# The threshold is 50 ng/mL throughout; `<5` is a result reported as "less than 5".
# result    below 50   50 or below   above 50   50 or above
AGAINST_50 = """
49.9        yes        yes           no         no
49.96       yes        yes           no         no
50          no         yes           no         yes
50.0        no         yes           no         yes
50.1        no         no            yes        yes
0           yes        yes           no         no
<5          yes        yes           no         no
<=5         yes        yes           no         no
<50         yes        yes           no         no
<=50        unknown    yes           no         unknown
<75         unknown    unknown       unknown    unknown
<=75        unknown    unknown       unknown    unknown
>30         unknown    unknown       unknown    unknown
>=30        unknown    unknown       unknown    unknown
>50         no         no            yes        yes
>=50        no         unknown       unknown    yes
>1500       no         no            yes        yes
>=1500      no         no            yes        yes
"""


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def quantity(written: str) -> Quantity:
    number = written.lstrip("<>=")
    return Quantity(Decimal(number), "ng/mL", comparator=written[: len(written) - len(number)])


@pytest.mark.parametrize(("first", "second", "all_", "any_"), rows(TWO_PARTS))
def test_all_is_the_weakest_part_and_any_the_strongest(
    first: str, second: str, all_: str, any_: str
) -> None:
    parts = [WORDS[first], WORDS[second]]
    assert logic.all_of(parts) is WORDS[all_]
    assert logic.any_of(parts) is WORDS[any_]


@pytest.mark.parametrize(("part", "not_", "certainly"), rows(ONE_PART))
def test_not_mirrors_and_certainly_wants_proof(part: str, not_: str, certainly: str) -> None:
    assert logic.negate(WORDS[part]) is WORDS[not_]
    assert logic.certainly(WORDS[part]) is WORDS[certainly]


def test_nothing_to_satisfy_is_satisfied_and_nothing_to_find_is_not_found() -> None:
    assert logic.all_of([]) is Truth.YES
    assert logic.any_of([]) is Truth.NO


@pytest.mark.parametrize(("result", "lt", "le", "gt", "ge"), rows(AGAINST_50))
def test_a_result_against_the_threshold_50(result: str, lt: str, le: str, gt: str, ge: str) -> None:
    measured, threshold = quantity(result), Decimal(50)
    assert logic.compare(measured, "lt", threshold) is WORDS[lt]
    assert logic.compare(measured, "le", threshold) is WORDS[le]
    assert logic.compare(measured, "gt", threshold) is WORDS[gt]
    assert logic.compare(measured, "ge", threshold) is WORDS[ge]


def test_a_comparison_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="eq"):
        logic.compare(quantity("50"), "eq", Decimal(50))  # type: ignore[arg-type]
