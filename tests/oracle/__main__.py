"""`make oracle`: both engines on the rules' tests and on generated charts; faults and mutation.

Exit code 1 where they differ without an explanation, a planted fault goes unnoticed, or a changed
rule changes the answers of one engine alone.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.oracle import trials
from tests.oracle.compare import Comparison, Difference, Question, answered, compared, questions
from tests.oracle.faults import FAULTS
from tests.oracle.job import HERE
from tests.oracle.mutation import mutated

_MOST_SHOWN = 40
_SHORT, _LONG = (12, 120, 3), (1, 700, 24)  # one in N tests, generated charts, mutants


def main() -> int:
    """Run it and tell what differs."""
    parser = argparse.ArgumentParser(prog="make oracle")
    parser.add_argument("--short", action="store_true", help="a sample, for each build")
    parser.add_argument("--seed", type=int, default=16, help="of the generated charts")
    options = parser.parse_args()
    step, generated, mutants = _SHORT if options.short else _LONG
    pack = trials.shipped()
    asked = list(
        questions([*trials.of_tests(pack, step), *trials.generated(pack, generated, options.seed)])
    )
    comparison = compared(pack.libraries, asked)
    left = _unexplained(comparison)
    _tell(comparison, left)
    missed = _missed(asked, comparison)
    apart = mutated(pack, mutants, options.seed)
    # A sample may hold no chart that a fault would show on: only the whole run decides on them.
    return 1 if left or apart or (missed and not options.short) else 0


def _unexplained(comparison: Comparison) -> list[Difference]:
    entries = json.loads((HERE / "explained.json").read_text(encoding="utf-8"))["explained"]
    known = {(entry["chart"], rule) for entry in entries for rule in entry["rules"]}
    return [
        difference
        for difference in comparison.differences
        if (difference.chart, difference.rule) not in known
    ]


def _tell(comparison: Comparison, left: Sequence[Difference]) -> None:
    counts = Counter(comparison.outcomes)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    print(f"oracle: {comparison.charts} charts, {comparison.judgements} judgements ({outcomes})")
    print(f"oracle: {len(comparison.differences)} differences, {len(left)} unexplained")
    for difference in left[:_MOST_SHOWN]:
        both = f"{difference.ours} here, {difference.theirs} there"
        print(f"  {difference.rule}: {both}: {difference.chart}")


def _missed(asked: Sequence[Question], comparison: Comparison) -> list[str]:
    """The planted faults that change none of this engine's answers to something else than what the
    other engine said."""
    missed = []
    for name, planted in FAULTS.items():
        with planted():
            ours = [answered(question) for question in asked]
        noticed = sum(
            outcome != other.get(rule)
            for mine, other in zip(ours, comparison.theirs, strict=True)
            for rule, outcome in mine.items()
        )
        if noticed <= len(comparison.differences):
            missed.append(name)
        more = noticed - len(comparison.differences)
        print(f"oracle: fault planted, {more} differences more: {name}")
    print(f"oracle: {len(FAULTS) - len(missed)} of {len(FAULTS)} planted faults noticed")
    return missed


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
