"""The facts of a catalogue as ELM expressions, each written when a condition first asks for it."""

from collections.abc import Callable, Mapping

from cds_service.facts.definitions import Named
from cds_service.portable import computed, drugs, other_facts
from cds_service.portable.elm import Node, define
from cds_service.portable.problems import problem
from cds_service.portable.results import Quantities
from cds_service.portable.writer import Asked, Writer

_SIMPLE: Mapping[str, Callable[[Writer, Asked], list[Node]]] = {
    "problem": lambda writer, asked: [define(asked.name, problem(writer, asked))],
    "coded": other_facts.coded,
    "procedure": other_facts.procedure,
    "order": other_facts.order,
    "draft-order": other_facts.draft_order,
    "answer": other_facts.answer,
    "number": other_facts.age,
    "code": other_facts.code,
    "flag": other_facts.flag,
    "drug": drugs.drug,
    "draft-drug": drugs.draft_drug,
}


class Facts:
    """Writes facts, each once, in the order in which they are asked for."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._quantities = Quantities(writer)
        self._written: set[str] = set()
        self.statements: list[Node] = []
        self.asked: dict[str, Asked] = {}

    def write(self, asked: Asked) -> None:
        """Write a fact, and before it those that it is computed from."""
        if asked.name in self._written:
            return
        self._written.add(asked.name)
        self.asked[asked.name] = asked
        self.statements += self._made(asked)

    def _made(self, asked: Asked) -> list[Node]:
        if asked.definition.computed_from and asked.definition.kind == "quantity":
            return computed.statements(self._writer, asked, self._quantities, self._of)
        if asked.definition.kind == "quantity":
            return self._quantities.statements(asked)
        if isinstance(asked.definition, Named):
            return computed.named(self._writer, asked, asked.definition, self._quantities)
        if asked.definition.name == "draft.renewal":
            return drugs.renewal(asked)
        return _SIMPLE[asked.definition.kind](self._writer, asked)

    def _of(self, asked: Asked, name: str) -> Asked:
        """Another fact, asked for as this one is."""
        other = self._writer.pack.catalogue[name]
        asked_for = self._writer.asked(other, asked.within, asked.undated)
        self.write(asked_for)
        return asked_for
