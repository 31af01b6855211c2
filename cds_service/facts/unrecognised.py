"""What nothing recognises: drugs, and problems and results in words or in systems that no set has.

Counted for the answer's extension, the metrics and `cds request check`, so that nobody takes the
silence about an entry for an opinion. A code of a system that the pack reads is recognised, also
where no rule asks for it.
"""

from collections import Counter
from collections.abc import Mapping

from cds_service.facts.chart_index import ChartIndex

WORDS = "no code"  # in place of a system


def unrecognised(index: ChartIndex) -> Mapping[str, Mapping[str, int]]:
    """Entries by kind ("medications", "problems", "results") and code system; only kinds that have
    any."""
    drugs = [next(iter(medication.systems), "") for medication in index.strange_drugs]
    systems_by_kind = {
        "medications": drugs,
        "problems": index.strange_problems,
        "results": index.strange_results,
    }
    return {
        kind: dict(Counter(system or WORDS for system in systems))
        for kind, systems in systems_by_kind.items()
        if systems
    }
