"""What references between the entries of one call lead to (protocol.identity)."""

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.fhir import contained, string
from cds_service.protocol import identity


class References:
    """Finds entries by id or fullUrl. The map is made when the first reference is followed."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_name: dict[str, Entry] | None = None

    def add(self, entries: Iterable[Entry]) -> None:
        """Let entries be found, each if none that came before has the same names."""
        self._entries.extend(entries)

    def find(self, reference: Any, owner: Resource) -> Resource | None:
        """The resource that a Reference of `owner` (or its text) names, if the chart has it."""
        if isinstance(reference, dict):
            reference = reference.get("reference")
        text = string(reference)
        if text.startswith("#"):
            return contained(owner, text)
        by_name = self._names() if text else {}
        entry = next((by_name[n] for n in identity.of_reference(text) if n in by_name), None)
        return entry.body if entry else None

    def _names(self) -> Mapping[str, Entry]:
        if self._by_name is None:
            self._by_name = {}
            for entry in self._entries:
                for name in entry.identities():
                    self._by_name.setdefault(name, entry)
        return self._by_name
