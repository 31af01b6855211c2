"""A chart is let go as soon as its call is over, not when the garbage collector comes round.

In a circle of references every chart would stay in memory for many calls, and looking for such
circles would take longer than answering.
"""

import gc
import weakref
from typing import Any

from tests.unit.facts_support import CATALOGUE, condition, facts, request, result, statement


class Watched(dict[str, Any]):
    """A resource that can be seen to go."""


def test_no_circle_of_references_keeps_a_chart() -> None:
    resources = [Watched(one) for one in (condition(), statement("quinine"), result("40"))]
    seen = [weakref.ref(one) for one in resources]
    gc.disable()
    try:
        base = facts(*resources, drafts=(request(),))
        for name in CATALOGUE:
            base.get(name, draft=0)
        resources.clear()
        assert all(one() is not None for one in seen)
        del base
        assert all(one() is None for one in seen)
    finally:
        gc.enable()
