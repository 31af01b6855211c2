"""Results on file that cannot be read: by their name alone, against their code, of no status.

What they hold is never read as a value; a rule can say that they are there, and when.
"""

from cds_service.facts.definitions import Named
from cds_service.facts.kinds import quantity
from cds_service.facts.model import Fact, State
from cds_service.facts.query import Query
from cds_service.facts.unreadable_results import unreadable


def read(query: Query[Named]) -> Fact:
    """A fact of kind `named`: the results because of which the quantity `of` is unknown."""
    name, of = query.definition.name, query.other(query.definition.of)
    fact = quantity.read(of)
    items = unreadable(of) if fact.state is State.UNKNOWN else []
    return Fact(name, State.KNOWN if items else State.ABSENT, tuple(items), (), (), fact.unused)
