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
    found = {
        "medications": Counter(
            next(iter(medication.systems), "") or WORDS for medication in index.strange_drugs
        ),
        "problems": _strangers(index, "conditions"),
        "results": _strangers(index, "observations"),
    }
    return {kind: dict(counts) for kind, counts in found.items() if counts}


def _strangers(index: ChartIndex, domain: str) -> Counter[str]:
    stranger = index.codes(domain).stranger
    systems = (stranger(entry.head.code) for entry in index.entries(domain))
    return Counter(system or WORDS for system in systems if system is not None)
