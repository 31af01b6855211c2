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
    """Run it and tell what was found."""
    parser = argparse.ArgumentParser(prog="make oracle")
    parser.add_argument("--short", action="store_true", help="a sample, for each build")
    parser.add_argument("--seed", type=int, default=16, help="of the generated charts")
    options = parser.parse_args()
    step, generated, mutants = _SHORT if options.short else _LONG
    pack = trials.shipped()
    asked = list(
        questions([*trials.of_tests(pack, step), *trials.generated(pack, generated, options.seed)])
    )
    found = compared(pack.libraries, asked)
    left = _unexplained(found)
    _tell(found, left)
    missed = _missed(asked, found)
    apart = mutated(pack, mutants, options.seed)
    # A sample may hold no chart that a fault would show on: only the whole run decides on them.
    return 1 if left or apart or (missed and not options.short) else 0


def _unexplained(found: Comparison) -> list[Difference]:
    entries = json.loads((HERE / "explained.json").read_text(encoding="utf-8"))["explained"]
    known = {(entry["chart"], rule) for entry in entries for rule in entry["rules"]}
    return [one for one in found.differences if (one.chart, one.rule) not in known]


def _tell(found: Comparison, left: Sequence[Difference]) -> None:
    said = Counter(found.said)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in said.most_common())
    print(f"oracle: {found.charts} charts, {found.judgements} judgements ({outcomes})")
    print(f"oracle: {len(found.differences)} differences, {len(left)} unexplained")
    for one in left[:_MOST_SHOWN]:
        print(f"  {one.rule}: {one.ours} here, {one.theirs} there: {one.chart}")


def _missed(asked: Sequence[Question], found: Comparison) -> list[str]:
    """The planted faults that change none of this engine's answers to something else than what the
    other engine said."""
    missed = []
    for name, planted in FAULTS.items():
        with planted():
            ours = [answered(one) for one in asked]
        noticed = sum(
            said != other.get(rule)
            for mine, other in zip(ours, found.theirs, strict=True)
            for rule, said in mine.items()
        )
        if noticed <= len(found.differences):
            missed.append(name)
        print(f"oracle: fault planted, {noticed - len(found.differences)} differences more: {name}")
    print(f"oracle: {len(FAULTS) - len(missed)} of {len(FAULTS)} planted faults noticed")
    return missed


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
