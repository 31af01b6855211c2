"""JSON in any spelling that means the same, and damage that makes it mean another thing."""

import json
from random import Random
from typing import Any

Json = Any
BLANKS = ("", "", "", "", " ", "\n", "\t", "\r\n ", "  ")
NUMBERS = (
    "0", "-0", "1", "32", "3.2e1", "0.32E+2", "18446744073709551616", "-9223372036854775809",
    "1e999", "-1E999", "9" * 400, "1" * 400 + ".5", "1e-400", "0.1", "5e-324",
    "1.0", "9007199254740993",
)  # fmt: skip
ODD: tuple[Json, ...] = (
    None, True, False, "", " ", "x", 0, 7, -1, 1.5, [], {}, [[]], [None], {"x": 1}, "Patient/other",
    "2026-10-01", "final", "http://loinc.org", "2276-4", {"reference": "Patient/pat-1"},
    {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}, "\U0001f9b5 \u00d6dem",
)  # fmt: skip


class Number(str):
    """A number as it is to be written."""


def mutate(value: Json, random: Random, times: int) -> None:
    """Change parts of a value in place: drop, repeat, wrap, replace, swap, nest."""
    for _ in range(times):
        places = list(places_of(value))
        if not places:
            return
        holder, key = random.choice(places)
        old = holder[key]
        match random.randrange(9):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [old]
            case 2:
                holder[key] = old[0] if isinstance(old, list) and old else {"resource": old}
            case 3 if isinstance(holder, list):
                holder.append(json.loads(json.dumps(old)))
            case 4:
                holder[key] = Number(random.choice(NUMBERS))
            case 5:
                other, name = random.choice(places)
                holder[key] = json.loads(json.dumps(other[name])) if name in keys(other) else None
            case 6:
                for _ in range(random.choice((1, 3, 60))):
                    old = [old] if random.random() < 0.5 else {"entry": old}
                holder[key] = old
            case _:
                holder[key] = json.loads(json.dumps(random.choice(ODD)))


def keys(value: Json) -> Any:
    return value.keys() if isinstance(value, dict) else range(len(value))


def places_of(value: Json) -> Any:
    """Every holder and key, in reading order."""
    for key in list(keys(value)) if isinstance(value, dict | list) else ():
        yield value, key
        yield from places_of(value[key])


def spell(value: Json, random: Random, twice: float) -> str:
    """A value as text. `twice`: how often a name comes twice, first with another value."""

    def blank() -> str:
        return random.choice(BLANKS)

    if isinstance(value, dict):
        members = []
        for name, child in value.items():
            if random.random() < twice:
                members.append((name, random.choice(ODD)))
            members.append((name, child))
        parts = (
            f"{blank()}{text(name, random)}{blank()}:{blank()}{spell(child, random, twice)}"
            for name, child in members
        )
        return f"{{{','.join(parts)}{blank()}}}"
    if isinstance(value, list):
        return f"[{','.join(blank() + spell(child, random, twice) + blank() for child in value)}]"
    if isinstance(value, Number):
        return str(value)
    return text(value, random) if isinstance(value, str) else json.dumps(value)


def text(value: str, random: Random) -> str:
    if random.random() < 0.9:
        return json.dumps(value, ensure_ascii=random.random() < 0.5)
    written = [
        f"\\u{ord(letter):04x}" if ord(letter) < 0xD800 and random.random() < 0.3 else
        json.dumps(letter)[1:-1].replace("/", random.choice(("/", "\\/")))
        for letter in value
    ]  # fmt: skip
    return f'"{"".join(written)}"'


def damage(body: bytes, random: Random) -> bytes:
    """One byte or a piece more, less or other."""
    at = random.randrange(len(body) + 1)
    piece = random.choice(
        (b"\x00", b"\x1f", b"\n", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\ud83e\\uddb5", b"\\x",
         b'"', b",", b":", b"}", b"]", b"{", b"[", b"0", b"1", b".", b"e", b"-", b"NaN", b"null",
         b"\xef\xbb\xbf", b"\xc3\xa9", b"/**/", b"'", b"\x7f", b"\xe2\x80\xa8")
    )  # fmt: skip
    match random.randrange(4):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + body[at + random.choice((1, 1, 2, 9)) :]
        case 2:
            return body[:at] + piece + body[at:]
        case _:
            return body[:at] + piece + body[at + len(piece) :]
