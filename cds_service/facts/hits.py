"""Resources of a chart by the wanted value sets that hold their codings."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.codes import Filed

MEMBER = "member"


class Hit(Struct, gc=False):
    """A coding of a resource that is in a wanted value set.

    `component` is the part of the Observation that carries it; `source` is "" or, for a reason,
    "encounter" or "order-reason", or MEMBER for a result that was not sent: `entry` is then the
    report or panel that names it, `component` its Reference. A reason that is a Condition has that
    Condition as `resource`.
    An order that is known by its name alone has no system and no code.
    """

    entry: Entry | Resource
    set_id: str
    system: str
    code: str
    component: Resource | None = None
    source: str = ""
    given: Any = None  # the concept; None where it is the entry's `code`

    @property
    def resource(self) -> Resource:
        """The resource as a whole."""
        return self.entry.body if isinstance(self.entry, Entry) else self.entry

    @property
    def concept(self) -> Any:
        """What carries the coding."""
        return self.resource.get("code") if self.given is None else self.given

    @property
    def by_name(self) -> bool:
        """Whether words and not a code put the resource into the value set."""
        return not self.code


class Hits:
    """The hits of one domain by value set, each set's in the order of the chart.

    Nobody asks for most sets of a chart: what carries a coding is noted only, and all of it made
    hits when the first set is asked for.
    """

    __slots__ = ("_by_set", "_noted")

    def __init__(self) -> None:
        self._noted: list[tuple[Any, ...]] = []  # value sets, and what a Hit has beside them
        self._by_set: dict[str, list[Hit]] = {}

    def file(
        self,
        filed: Filed,
        entry: Entry | Resource,
        component: Resource | None = None,
        source: str = "",
        given: Any = None,
    ) -> None:
        """File an entry, or a component of it, under the value sets of its codings."""
        if filed:
            self._noted.append((filed, entry, component, source, given))

    def add(self, hit: Hit) -> None:
        """File a hit that was made before."""
        self._make()
        self._by_set.setdefault(hit.set_id, []).append(hit)

    def __len__(self) -> int:
        """0 where nothing is filed."""
        return len(self._noted) + len(self._by_set)

    def __iter__(self) -> Iterator[str]:
        """The value sets that have hits."""
        if not self._noted:
            return iter(self._by_set)
        distinct = {id(noted[0]): noted[0] for noted in self._noted}
        sets = {set_id for filed in distinct.values() for set_id, _ in filed}
        return iter(sets | self._by_set.keys())

    def get(self, set_id: str) -> Sequence[Hit]:
        """The hits of a value set."""
        if self._noted:
            self._make()
        return self._by_set.get(set_id, ())

    def _make(self) -> None:
        for filed, entry, *rest in self._noted:
            for set_id, (system, code) in filed:
                hit = Hit(entry, set_id, system, code, *rest)
                self._by_set.setdefault(set_id, []).append(hit)
        self._noted.clear()
