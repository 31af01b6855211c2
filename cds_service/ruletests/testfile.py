"""Reads the test file of a rule (`low-ferritin.test.json`): cases with sketched patients.

The JSON Schema and `cds rules check` report on the file to its author, place by place; here a
wrong file is one TestFileError.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from cds_service.packs.positions import parse
from cds_service.rules.model import OutcomeName
from cds_service.ruletests.sketch import merged
from cds_service.ruletests.sketch_values import Json, SketchError, checked

Others = Literal["no", "no-or-unknown", "any"]

_FILE_KEYS = frozenset(
    {"$schema", "now", "service", "profile", "settings", "base", "cases", "equivalent", "note"}
)
_CASE_KEYS = frozenset(
    {"name", "chart", "bundle", "service", "profile", "settings", "now", "expect", "others"}
    | {"cards", "because", "note"}
)
_CARD_KEYS = frozenset(
    {"indicator", "summary", "contains", "lacks", "detail", "suggestions", "rules"}
)
_OUTCOMES = ("fires", "no", "unknown")
_OTHERS = ("no", "no-or-unknown", "any")


class TestFileError(ValueError):
    """A test file that cannot be run."""

    __test__ = False  # for pytest: not a test class


@dataclass(frozen=True)
class Case:
    """One patient and what the rules must say. `profiles` is None for the pack's default."""

    name: str
    service: str
    now: datetime
    expect: Mapping[str, OutcomeName]
    sketch: Mapping[str, Json] = field(default_factory=dict)
    bundle: str = ""
    profiles: tuple[str, ...] | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    others: Others = "no"
    cards: tuple[Mapping[str, Json], ...] | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestFile:
    """`equivalent` lists changes to the rule that no case can notice, each with its reason."""

    __test__ = False

    path: Path
    cases: tuple[Case, ...]
    equivalent: tuple[Mapping[str, Json], ...] = ()


def read_test_file(path: Path) -> TestFile:
    """Read a test file; TestFileError says what is wrong with it and where."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TestFileError(f"{path}: {error.strerror}") from error
    document, problems = parse(path.name, path, raw)
    if document is None:
        first = problems[0]
        raise TestFileError(f"{path}:{first.line}:{first.column} {first.message}")
    try:
        return test_file_of(document.data, path)
    except SketchError as error:
        raise TestFileError(f"{path}: {error}") from error


def test_file_of(data: Json, path: Path) -> TestFile:
    """The test file of parsed JSON. SketchError has the place."""
    whole = checked(data, _FILE_KEYS, "")
    for key in ("now", "service", "cases"):
        if key not in whole:
            raise SketchError("", f"needs '{key}'")
    if not isinstance(whole["cases"], list):
        raise SketchError("cases", "must be a list")
    cases = tuple(_case(case, f"cases[{n}]", whole) for n, case in enumerate(whole["cases"]))
    twice = sorted({case.name for case in cases if _count(cases, case.name) > 1})
    if twice:
        raise SketchError("cases", f"two cases have the name '{twice[0]}'")
    return TestFile(path, cases, tuple(whole.get("equivalent", ())))


test_file_of.__test__ = False  # type: ignore[attr-defined]


def _count(cases: Collection[Case], name: str) -> int:
    return sum(case.name == name for case in cases)


def _case(value: Json, place: str, whole: Mapping[str, Json]) -> Case:
    entry = checked(value, _CASE_KEYS, place)
    for key in ("name", "expect"):
        if key not in entry:
            raise SketchError(place, f"needs '{key}'")
    profiles = entry.get("profile", whole.get("profile"))
    return Case(
        name=entry["name"],
        service=entry.get("service", whole["service"]),
        now=_moment(entry.get("now", whole["now"]), place),
        expect=_expect(entry["expect"], f"{place}.expect"),
        sketch=merged(whole.get("base", {}), entry.get("chart", {})),
        bundle=entry.get("bundle", ""),
        profiles=None if profiles is None else tuple(profiles),
        settings={**whole.get("settings", {}), **entry.get("settings", {})},
        others=cast(Others, _one_of(entry.get("others", "no"), _OTHERS, f"{place}.others")),
        cards=_cards(entry, place),
        because=tuple(entry.get("because", ())),
    )


def _expect(value: Json, place: str) -> Mapping[str, OutcomeName]:
    if not isinstance(value, Mapping):
        raise SketchError(place, "must be an object of outcomes by rule")
    return {
        rule: cast(OutcomeName, _one_of(outcome, _OUTCOMES, f"{place}.{rule}"))
        for rule, outcome in value.items()
    }


def _one_of(value: Json, allowed: tuple[str, ...], place: str) -> str:
    if value not in allowed:
        raise SketchError(place, f"must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _cards(entry: Mapping[str, Json], place: str) -> tuple[Mapping[str, Json], ...] | None:
    if "cards" not in entry:
        return None
    return tuple(
        checked(card, _CARD_KEYS, f"{place}.cards[{n}]") for n, card in enumerate(entry["cards"])
    )


def _moment(value: Json, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise SketchError(f"{place}.now", f"not a date and time: {value!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
