"""A condition as nested sentences for a page: "all of these: ...", with nothing left to decode.

The leaves are the sentences of `rules.words`, the same that a trace shows. What a trace must keep
apart (a `not` and what it negates) is one sentence here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.rules.model import Pack
from cds_service.rules.syntax import parts_of
from cds_service.rules.words import Words

Json = Any
_HEADS = {"all": "all of these", "any": "at least one of these"}
_NEGATED = {"all": "not all of these", "any": "none of these"}
_UNSURE = {"all": "not known: all of these together", "any": "none of these is known for certain"}


@dataclass(frozen=True)
class Sentence:
    """One line and the lines below it. `definition` names what the line stands for."""

    text: str
    parts: tuple["Sentence", ...] = ()
    definition: str = ""

    def as_json(self) -> Json:
        """A string where the line stands alone, else an object."""
        if not self.parts and not self.definition:
            return self.text
        written: dict[str, Json] = {"text": self.text}
        if self.definition:
            written["definition"] = self.definition
        if self.parts:
            written["parts"] = [part.as_json() for part in self.parts]
        return written


class Logic:
    """Writes the conditions of one pack."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._words = Words(pack.catalogue, pack.settings, pack.definitions)

    def definition(self, name: str) -> Sentence:
        """What a definition stands for."""
        condition = {k: v for k, v in self._pack.definitions[name].items() if k != "title"}
        return Sentence(self._words.definition(name), (self.sentence(condition),), name)

    def number(self, setting: str) -> str:
        """A setting in words."""
        return self._words.number(setting)

    def sentence(self, condition: Json) -> Sentence:
        """The condition, definitions named and not unfolded."""
        if "title" in condition:
            return Sentence(str(condition["title"]))
        if "not" in condition:
            return self._negated(condition["not"])
        if "certainly" in condition:
            return _prefixed("known for certain: ", self.sentence(condition["certainly"]))
        return self._listed(condition, _HEADS) or self._leaf(condition)

    def _negated(self, inner: Json) -> Sentence:
        if "title" not in inner:
            listed = self._listed(inner, _NEGATED)
            if listed:
                return listed
            if "certainly" in inner:
                unsure = self._listed(inner["certainly"], _UNSURE)
                return unsure or _prefixed(
                    "not known for certain: ", self.sentence(inner["certainly"])
                )
            if inner.get("op") in ("present", "absent"):
                opposite = "absent" if inner["op"] == "present" else "present"
                return self._leaf({**inner, "op": opposite})
        return _prefixed("not: ", self.sentence(inner))

    def _listed(self, condition: Json, heads: dict[str, str]) -> Sentence | None:
        if "title" in condition:
            return None
        for key, head in heads.items():
            if key in condition:
                parts = (self.sentence(part) for part in parts_of(condition))
                return Sentence(head, _distinct(_flat(parts, head)))
        return None

    def _leaf(self, condition: Json) -> Sentence:
        text = self._words.leaf(condition)
        if "fact" in condition:
            return Sentence(text)
        if "setting" in condition:
            value = self._pack.settings[condition["setting"]].value
            return Sentence(f"{text} (now: {'on' if value is True else 'off'})")
        return Sentence(text, definition=condition["is"])


def _prefixed(prefix: str, sentence: Sentence) -> Sentence:
    return Sentence(prefix + sentence.text, sentence.parts, sentence.definition)


def _flat(parts: Iterable[Sentence], head: str) -> Iterator[Sentence]:
    """The parts, with those of an "all" inside an "all" in its place; the same for "any"."""
    for part in parts:
        if part.parts and not part.definition and part.text == head in _HEADS.values():
            yield from part.parts
        else:
            yield part


def _distinct(parts: Iterable[Sentence]) -> tuple[Sentence, ...]:
    return tuple(dict.fromkeys(parts))
