"""Counters of the use case. Labels come from the pack, never from a request or a chart."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from prometheus_client import Counter, Histogram

from cds_service.facts.unrecognised import WORDS
from cds_service.rules.model import Rule
from cds_service.terminology.codings import CANONICAL

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)

_outcomes = Counter("cds_rule_outcomes", "What rules said, without 'no'", ["rule", "outcome"])
_stages = Histogram("cds_stage_seconds", "Time in each stage", ["stage"], buckets=_BUCKETS)

_unrecognised = Counter(
    "cds_unrecognised_entries",
    "Entries of charts that nothing recognises, by what they are and their code system",
    ["kind", "system"],
)

# Looking up a labelled child takes longer than counting with it.
_STAGES = ("parse", "gather", "facts", "rules", "cards", "write")
_children = {stage: _stages.labels(stage) for stage in _STAGES}


def begin(rules: Iterable[Rule]) -> None:
    """Counters that begin at 0: an alarm on an increase would not see a first event otherwise."""
    for rule in rules:
        for outcome in ("error", "fires"):
            _outcome(rule.id, outcome)


def observe_stages(stages: Mapping[str, float]) -> None:
    """Seconds spent in stages of one call, by the names above."""
    for stage, seconds in stages.items():
        _children[stage].observe(seconds)


def count_outcomes(outcomes: Mapping[str, str]) -> None:
    """Outcomes of one call by rule."""
    for rule, outcome in outcomes.items():
        _outcome(rule, outcome).inc()


def count_unrecognised(unrecognised: Mapping[str, Mapping[str, int]]) -> None:
    """Entries of one call. A system that no pack could have is "other": what a client wrote is no
    label."""
    for kind, systems in unrecognised.items():
        for system, count in systems.items():
            label = system if system in CANONICAL or system == WORDS else "other"
            _unrecognised.labels(kind, label).inc(count)


@lru_cache(maxsize=4096)
def _outcome(rule: str, outcome: str) -> Counter:
    return _outcomes.labels(rule, outcome)
