"""Charts that nobody here wrote: the review is silent where no leg complaint is recorded.

The records are not part of this project. CDS_INDEPENDENT_DATA names the folder that holds
`patients/`; without it these tests are skipped.
"""

import os
from pathlib import Path

import pytest

from cds_service.packs.load import load_pack
from cds_service.population.survey import SurveyPlan, Tally, chart_files, survey
from cds_service.population.survey_report import as_json
from tests.support.calls import NOW

HOOKS = Path(__file__).parent.parent.parent / "hooks"
FOLDER = os.environ.get("CDS_INDEPENDENT_DATA", "")
MOST_SCREENED = 0.2  # of all charts; a screen that speaks more often is noise

pytestmark = [
    pytest.mark.independent,
    pytest.mark.skipif(not FOLDER, reason="CDS_INDEPENDENT_DATA is not set"),
]


@pytest.fixture(scope="module")
def surveyed() -> Tally:
    plan = SurveyPlan(HOOKS, None, (), NOW)
    return survey(chart_files([Path(FOLDER, "patients")]), plan, 1, lambda done, of: None)


def test_all_charts_can_be_read(surveyed: Tally) -> None:
    assert surveyed.charts >= 100
    assert not surveyed.left_out.keys() - {"no Bundle with a Patient"}


def test_no_rule_fails(surveyed: Tally) -> None:
    for name, counts in surveyed.services.items():
        assert [rule for rule, outcome in counts.outcomes if outcome == "error"] == [], name


def test_the_review_is_silent_without_a_leg_complaint(surveyed: Tally) -> None:
    """No public chart records a leg cramp; what may speak is quinine, RLS and arterial disease."""
    counts = surveyed.services["leg-cramps-patient-view"]
    gated = ("drug-review.", "assoc.", "labs.", "cramp.", "redflag.neuro", "redflag.toxin")
    fired = {rule for rule, outcome in counts.outcomes if outcome == "fires"}
    assert counts.complaint["yes", True] + counts.complaint["yes", False] == 0
    assert sorted(rule for rule in fired if rule.startswith(gated)) == ["drug-review.quinine"] * (
        "drug-review.quinine" in fired
    )


def test_the_screen_is_seldom_heard(surveyed: Tally) -> None:
    pack = load_pack(HOOKS, thorough=False)
    (screen,) = [
        one
        for one in as_json(surveyed, pack)["services"]
        if one["service"] == "leg-symptoms-screen"
    ]
    assert screen["chartsByCards"].keys() <= {"0", "1"}
    assert 0 < screen["withCards"] <= MOST_SCREENED * surveyed.charts
