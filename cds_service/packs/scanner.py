"""A JSON scanner that remembers where everything stands. Slow and thorough; see `positions`.

It refuses what RFC 8259 refuses and, beyond it: duplicate keys, NaN and Infinity, nesting deeper
than `MAX_DEPTH`, numbers of absurd size, and strings that can't be written as UTF-8.
"""

import json
import re
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_EXPONENT = 30

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"-?[A-Za-z_][A-Za-z0-9_]*")
# Controls, halves of characters, and what is not seen and turns a text round or parts a word.
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_CONSTANTS = {"true", "false", "null"}


class Place(NamedTuple):
    """A place in a file; both count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    place: Place
    path: Path
    code: str
    message: str
    hint: str = ""


@dataclass
class Scan:
    """Where keys and values stand, and what is wrong. After a syntax error the rest is missing."""

    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def scan(text: str) -> Scan:
    """Read all of `text`; never raises."""
    scanner = _Scanner(text)
    with suppress(_Stop):
        scanner.document()
    return scanner.scan


def absurd_number(literal: str) -> bool:
    """Whether a number has more digits or a larger exponent than any clinical figure."""
    mantissa, _, exponent = literal.lower().partition("e")
    if sum(c.isdigit() for c in mantissa) > MAX_DIGITS or len(exponent) > 4:
        return True
    return bool(exponent) and abs(int(exponent)) > MAX_EXPONENT


def unwritable(text: str) -> bool:
    """Whether a string holds control characters or half of a surrogate pair."""
    return _UNWRITABLE.search(text) is not None


class _Stop(Exception):
    """A syntax error was noted; what follows can't be understood."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.scan = Scan()
        self.starts = [0] + [m.end() for m in re.finditer(r"\n|\r(?!\n)", text)]

    def document(self) -> None:
        self.value((), 0)
        self.skip()
        if self.at < len(self.text):
            self.stop((), "There is more text after the end of the JSON value.")

    def place(self, offset: int) -> Place:
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def fault(self, offset: int, path: Path, code: str, message: str, hint: str = "") -> None:
        self.scan.faults.append(Fault(self.place(offset), path, code, message, hint))

    def stop(self, path: Path, message: str, hint: str = "") -> NoReturn:
        self.fault(min(self.at, len(self.text)), path, "P003", message, hint)
        raise _Stop

    def skip(self) -> str:
        """Move past white space; the character there, "" at the end."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def value(self, path: Path, depth: int) -> None:
        char = self.skip()
        self.scan.values[path] = self.place(self.at)
        if depth > MAX_DEPTH:
            self.fault(self.at, path, "P007", f"Nested deeper than {MAX_DEPTH} levels.")
            raise _Stop
        if char == "{":
            self.members(path, depth)
        elif char == "[":
            self.elements(path, depth)
        elif char == '"':
            self.string(path)
        elif char == "":
            self.stop(path, "The file ends where a value should stand.")
        else:
            self.scalar(path)

    def members(self, path: Path, depth: int) -> None:
        self.at += 1
        if self.skip() == "}":
            self.at += 1
            return
        while True:
            self.member(path, depth)
            if self.separator(path, "}"):
                return
            if self.skip() == "}":
                self.stop(path, "A comma before '}'.", "Remove the last comma.")

    def member(self, path: Path, depth: int) -> None:
        if self.skip() != '"':
            self.stop(path, "A property name in double quotes is expected here.")
        start = self.at
        name = self.string(path)
        inner = (*path, name)
        if inner in self.scan.keys:
            first = self.scan.keys[inner].line
            message = f"'{name}' stands twice in this object; the first is on line {first}."
            self.fault(start, inner, "P004", message, "Remove one of the two.")
        self.scan.keys.setdefault(inner, self.place(start))
        if self.skip() != ":":
            self.stop(inner, f"A colon is missing after '{name}'.")
        self.at += 1
        self.value(inner, depth + 1)

    def elements(self, path: Path, depth: int) -> None:
        self.at += 1
        if self.skip() == "]":
            self.at += 1
            return
        index = 0
        while True:
            self.value((*path, index), depth + 1)
            if self.separator(path, "]"):
                return
            if self.skip() == "]":
                self.stop(path, "A comma before ']'.", "Remove the last comma.")
            index += 1

    def separator(self, path: Path, closing: str) -> bool:
        """Move past a comma (False) or the closing bracket (True)."""
        char = self.skip()
        if char not in (",", closing) or not char:
            where = "the file ends" if not char else f"'{char}' stands"
            self.stop(path, f"A comma or '{closing}' is expected where {where}.")
        self.at += 1
        return char == closing

    def string(self, path: Path) -> str:
        match = _STRING.match(self.text, self.at)
        if match is None:
            self.stop(
                path,
                "This string has no end, a line break or a backslash that JSON does not know.",
                'Write a line break as \\n, a quote as \\" and a backslash as \\\\.',
            )
        start, self.at = self.at, match.end()
        body = match.group(1)
        text: str = json.loads(match.group(0)) if "\\" in body else body
        if unwritable(text):
            self.fault(
                start, path, "P010", "The string holds a control, an unseen or half a character."
            )
        return text

    def scalar(self, path: Path) -> None:
        word = _WORD.match(self.text, self.at)
        if word:
            self.word(path, word.group(0))
            return
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            self.stop(
                path, f"'{self.text[self.at]}' can't begin a value.", _hint(self.text, self.at)
            )
        if absurd_number(match.group(0)):
            message = (
                f"A number with more than {MAX_DIGITS} digits or an exponent over {MAX_EXPONENT}."
            )
            self.fault(self.at, path, "P006", message)
        self.at = match.end()

    def word(self, path: Path, word: str) -> None:
        if word not in _CONSTANTS:
            if word.lstrip("-") in ("NaN", "Infinity"):
                self.fault(self.at, path, "P005", f"{word} is not a JSON number.")
            else:
                lower = word.lower()
                hint = (
                    f"Did you mean {lower}?"
                    if lower in _CONSTANTS
                    else "Put text in double quotes."
                )
                self.stop(path, f"'{word[:40]}' is not a JSON value.", hint)
        self.at += len(word)


def _hint(text: str, at: int) -> str:
    if text[at] == "'":
        return "JSON wants double quotes."
    if text.startswith(("//", "/*"), at) or text[at] == "#":
        return 'JSON has no comments; conditions may carry a "note".'
    return ""
