"""What was not supplied: a parameter for each prefetch key, and when its absence leaves a gap."""

from cds_service.facts.definitions import FactDefinition
from cds_service.facts.prefetch_keys import KEYS
from cds_service.portable.elm import Node, any_of, op, parameter, texts

READING = "Reading"
_GAPS = ("failed", "incomplete")


def parameter_of(key: str) -> str:
    """The parameter of a prefetch key: "conditions Supply"."""
    return f"{key} Supply"


def supplied_as(key: str, states: tuple[str, ...]) -> Node:
    """Whether the supply of a prefetch key is one of these states."""
    return op("In", parameter(parameter_of(key), READING), texts(states))


def gap(key: str) -> Node:
    """Whether entries may lack. A key that callers need not have lacks nothing when missing."""
    return supplied_as(key, (*_GAPS, "missing") if KEYS[key].expected else _GAPS)


def gaps(definition: FactDefinition) -> Node:
    """Whether entries of a fact may lack."""
    return any_of([gap(key) for key in definition.slots])
