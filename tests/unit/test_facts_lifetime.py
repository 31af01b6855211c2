"""A chart is let go as soon as its call is over, not when the garbage collector comes round.

In a circle of references every chart would stay in memory for many calls, and looking for such
circles would take longer than answering.
"""

import gc

from tests.unit.facts_support import CATALOGUE, condition, facts, request, result, statement


def ask_for_everything() -> None:
    base = facts(condition(), statement("quinine"), result("40"), drafts=(request(),))
    for name in CATALOGUE:
        base.get(name, draft=0)
        base.get(name, draft=0)


def test_no_circle_of_references_keeps_a_chart() -> None:
    ask_for_everything()  # what is remembered for the life of a pack is made now
    gc.collect()
    gc.disable()
    try:
        ask_for_everything()
        assert gc.collect() == 0
    finally:
        gc.enable()
