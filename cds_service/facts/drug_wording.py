"""What a medication resource says of its drug: codings, names and forms, whichever way."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.facts.chart import Resource
from cds_service.facts.fhir import objects, string
from cds_service.protocol.identity import of_reference
from cds_service.terminology.code_systems import CodeSystems

Find = Callable[[Any, Resource], Resource | None]

_CONCEPTS = ("medicationCodeableConcept", "medication", "medicationReference")
_MAX_DEPTH = 3
_DIGIT = re.compile(r"\d")


@dataclass(slots=True)
class Wording:
    """Everything a resource says about its drug, in order."""

    codings: list[tuple[str, str]]
    names: list[str]
    forms: list[str]
    parts: "list[Wording]"  # of each ingredient of a Medication
    single: bool = False  # whether one element says it all

    def of_parts(self) -> "Wording":
        """What its ingredients say, together."""
        codings = [coding for part in self.parts for coding in part.codings]
        names = [name for part in self.parts for name in part.names]
        return Wording(codings, names, self.forms, [])

    def with_words_of(self, parts: "Wording") -> "Wording":
        """Its own codings and names, then those of its ingredients."""
        codings, names = self.codings + parts.codings, self.names + parts.names
        return Wording(codings, names, self.forms, self.parts)


class WordingReader:
    """Reads what medication resources say; `find` resolves references."""

    def __init__(self, systems: CodeSystems, find: Find) -> None:
        self._systems = systems
        self._find = find

    def read(self, resource: Resource) -> Wording:
        """All that the resource says, and what it refers to."""
        told = [key for key in _CONCEPTS if key in resource]
        wording = Wording([], [], [], [], single=len(told) == 1)
        for key in told:
            self._gather(resource[key], resource, wording, _MAX_DEPTH)
        return wording

    def _gather(
        self,
        value: Any,
        owner: Resource,
        wording: Wording,
        depth: int,
        outer: Resource | None = None,
    ) -> None:
        """Codings and names of a CodeableConcept, Reference, CodeableReference or Medication.

        `outer`: what the owner may be contained in, and with it what the owner refers to.
        """
        if isinstance(value, str):  # where FHIR has an object
            value = {"reference" if of_reference(value) or value[:1] == "#" else "text": value}
        if not isinstance(value, dict) or depth == 0:
            return
        self._add_concept(value, wording)
        reference = value.get("reference")
        if isinstance(reference, dict):
            self._gather(reference, owner, wording, depth - 1)
        elif isinstance(reference, str):
            target = self._find(value, owner) or (self._find(value, outer) if outer else None)
            kind = target.get("resourceType") if target else ""
            if target and kind == "Medication":
                self._gather_medication(target, outer or owner, wording, depth - 1)
            elif target and kind == "Substance":
                self._gather(target.get("code"), target, wording, depth - 1)
        if "coding" not in value:
            _add(wording.names, value.get("display"))

    def _add_concept(self, value: Resource, wording: Wording) -> None:
        _add(wording.names, value.get("text"))
        if isinstance(concept := value.get("concept"), dict):
            _add(wording.names, concept.get("text"))
        for system, code, display in self._systems.codings(value):
            wording.codings.append((system, code))
            _add(wording.names, display)
            if not code.isdigit() and (" " in code or not _DIGIT.search(code)):
                _add(wording.names, code)  # some systems write the name as the code
        for coding in objects(value.get("coding")):
            if "code" not in coding:
                _add(wording.names, coding.get("display"))

    def _gather_medication(
        self, medication: Resource, owner: Resource, wording: Wording, depth: int
    ) -> None:
        self._gather(medication.get("code"), owner, wording, depth)
        product = medication.get("product")  # where DSTU2 keeps form and ingredients
        parts = product if isinstance(product, dict) else medication
        wording.forms.extend(_texts(parts.get("form")))
        for entry in objects(parts.get("ingredient")):
            if entry.get("isActive") is False:
                continue  # a filler
            part = Wording([], [], [], wording.parts)
            for key in ("itemCodeableConcept", "itemReference", "item"):
                self._gather(entry.get(key), medication, part, depth, owner)
            wording.parts.append(part)
        for identifier in objects(medication.get("identifier")):
            _add(wording.names, identifier.get("value"))  # the only name in MIMIC's Medication


def _texts(concept: Any) -> Iterator[str]:
    for element in objects(concept):
        yield string(element.get("text"))
        for coding in objects(element.get("coding")):
            yield string(coding.get("display"))


def _add(names: list[str], value: Any) -> None:
    text = string(value)
    if text:
        names.append(text)
