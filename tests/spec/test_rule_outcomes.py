"""What a rule says, as tables: from what is known of a fact, and from `when` and `unless`."""

import pytest

from cds_service.facts.model import Fact, Truth
from cds_service.rules.context import Context
from cds_service.rules.engine import compile_rules, evaluate
from tests.support.fake_facts import FakeFacts, absent, known, measured, unknown
from tests.support.packs import REVIEW, pack, present, rule

WORDS = {"yes": Truth.YES, "no": Truth.NO, "unknown": Truth.UNKNOWN}

# What the chart says of a drug, a condition, an order        present     absent
ON_FILE = """
an entry is on file                                           yes         no
none is on file, and the list is complete                     no          yes
the list is missing, failed or incomplete, and has none       unknown     unknown
"""

# What the chart says of ferritin                             below 50    present     absent
FERRITIN = """
a final result of 49.9                                        yes         yes         no
a final result of 50                                          no          yes         no
a result of <75, which may be on either side                  unknown     yes         no
none, and the results are complete                            no          no          yes
one that cannot be used (preliminary, no unit, no date)       unknown     no          yes
the results are missing, failed or incomplete                 unknown     unknown     unknown
"""

# when      unless      the rule        and the card
RULE = """
yes         no          fires           shown
yes         unknown     fires           shown with "not checked"
yes         yes         no              none
unknown     no          unknown         none
unknown     unknown     unknown         none
unknown     yes         no              none
no          no          no              none
no          unknown     no              none
no          yes         no              none
"""

ENTRY: dict[str, Fact] = {
    "an entry is on file": known("drug.iron"),
    "none is on file, and the list is complete": absent("drug.iron"),
    "the list is missing, failed or incomplete, and has none": unknown("drug.iron"),
}
RESULT: dict[str, Fact] = {
    "a final result of 49.9": measured("lab.ferritin", "49.9"),
    "a final result of 50": measured("lab.ferritin", "50"),
    "a result of <75, which may be on either side": measured("lab.ferritin", "<75"),
    "none, and the results are complete": absent("lab.ferritin"),
    "one that cannot be used (preliminary, no unit, no date)": absent(
        "lab.ferritin", reasons=("a result is preliminary",)
    ),
    "the results are missing, failed or incomplete": unknown("lab.ferritin"),
}


def sentences(table: str, columns: int) -> list[list[str]]:
    """Rows of a sentence and then words."""
    return [line.rsplit(maxsplit=columns) for line in table.strip().splitlines()]


def truth(condition: object, fact: Fact) -> Truth:
    compiled = compile_rules(pack([rule("r", condition)])).rules["r"]
    return compiled.when.truth(Context(FakeFacts(fact)))


@pytest.mark.parametrize(("chart", "is_present", "is_absent"), sentences(ON_FILE, 2))
def test_an_entry_on_file(chart: str, is_present: str, is_absent: str) -> None:
    fact = ENTRY[chart.strip()]
    assert truth({"fact": "drug.iron", "op": "present"}, fact) is WORDS[is_present]
    assert truth({"fact": "drug.iron", "op": "absent"}, fact) is WORDS[is_absent]


@pytest.mark.parametrize(("chart", "below", "is_present", "is_absent"), sentences(FERRITIN, 3))
def test_a_measured_value(chart: str, below: str, is_present: str, is_absent: str) -> None:
    fact = RESULT[chart.strip()]
    lower = {"fact": "lab.ferritin", "op": "lt", "setting": "ferritin.low"}
    assert truth(lower, fact) is WORDS[below]
    assert truth({"fact": "lab.ferritin", "op": "present"}, fact) is WORDS[is_present]
    assert truth({"fact": "lab.ferritin", "op": "absent"}, fact) is WORDS[is_absent]


MAKE = {"yes": known, "no": absent, "unknown": unknown}


@pytest.mark.parametrize("row", [line.split(maxsplit=3) for line in RULE.strip().splitlines()])
def test_when_and_unless(row: list[str]) -> None:
    when, unless, says, card = row
    one = rule("r", present("problem.rls"), unless=present("drug.iron"))
    facts = FakeFacts(MAKE[when]("problem.rls"), MAKE[unless]("drug.iron"))
    evaluation = evaluate(compile_rules(pack([one])), REVIEW, facts)
    assert evaluation.outcomes.get("r", "no") == says
    assert bool(evaluation.findings) == card.startswith("shown")
    if evaluation.findings:
        unchecked = evaluation.findings[0].unknown_exclusions
        assert bool(unchecked) == ("not checked" in card)
