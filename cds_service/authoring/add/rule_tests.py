"""The tests of a rule that `cds add rule` writes: both sides of the threshold, the threshold
itself, another unit, an old, a preliminary and a missing result, and each condition not met.

What a case expects follows from what was asked for, never from what the program answers.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cds_service.authoring.add.naming import Coded
from cds_service.errors import ConfigurationError
from cds_service.facts.definitions import FactDefinition
from cds_service.rules.model import Pack
from cds_service.rules.syntax import sort_of
from cds_service.terminology.codings import ICD10CM, INGREDIENT, SNOMED
from cds_service.units.convert import UnitUnknown, convert

if TYPE_CHECKING:
    from cds_service.authoring.add.rule import NewRule

Json = Any

_SERVICE = "leg-cramps-patient-view"
_BELOW, _ABOVE = ("lt", "le"), ("gt", "ge")
_LISTS = {"quantity": "observations", "problem": "conditions", "drug": "requests"}


def tests_of(pack: Pack, rule: "NewRule", fact: FactDefinition, now: date) -> Json:
    """The content of the test file."""
    maker = _Cases(pack, rule, fact)
    return {
        "$schema": "../schemas/rule-test.schema.json",
        "now": f"{now.isoformat()}T09:00:00Z",
        "service": _SERVICE,
        "base": {
            "patient": {"birthDate": f"{now.year - 60}-05-05", "gender": "female"},
            "conditions": maker.complaint,
        },
        "cases": list(maker.all()),
    }


class _Cases:
    def __init__(self, pack: Pack, rule: "NewRule", fact: FactDefinition) -> None:
        self._pack = pack
        self._rule = rule
        self._fact = fact
        self.complaint = [_complaint(pack, rule.when)]

    def all(self) -> Iterator[Json]:
        """Every case."""
        if self._fact.kind == "quantity":
            yield from self._values()
        else:
            entry = self._there()
            yield self._case("it is there", "fires", entry)
            yield self._case("it is not there", "no")
            yield self._case("no complaint", "no", entry, complaint=False)
        if self._rule.unless:
            more = self._unless()
            yield self._case(f"but {self._rule.unless}", "no", self._there(), more=more)
        gaps = {"quantity": "observations", "problem": "conditions", "drug": "medicationRequests"}
        yield self._case("could not be read", "unknown", gap=gaps[self._fact.kind])

    def _values(self) -> Iterator[Json]:
        rule, bound = self._rule, self._rule.value or Decimal(0)
        step = Decimal(1).scaleb(bound.as_tuple().exponent)  # type: ignore[arg-type]
        low, high = bound - step, bound + step
        inside, outside = (low, high) if rule.op in _BELOW else (high, low)
        at = "fires" if rule.op in ("le", "ge") else "no"
        yield self._case(f"{inside} {self._fact.unit}", "fires", self._value(inside))
        yield self._case("exactly at the threshold", at, self._value(bound))
        yield self._case(f"{outside} {self._fact.unit}", "no", self._value(outside))
        yield self._case("no complaint", "no", self._value(inside), complaint=False)
        yield from self._other_units(bound)
        if rule.within:
            for days, outcome in ((rule.within, "fires"), (rule.within + 1, "no")):
                entry = self._value(inside, date=f"-{days}d")
                yield self._case(f"a result of {days} days ago", outcome, entry)
        preliminary = self._value(inside, status="preliminary")
        yield self._case("only a preliminary result", "unknown", preliminary)

    def _other_units(self, bound: Decimal) -> Iterator[Json]:
        """A value well inside, in the first unit that has another factor than the fact's."""
        tables = self._pack.terminology.units
        table = tables.get(self._fact.unit_table)
        for unit in table.factors if table else ():
            factor = convert(Decimal(1), unit, None, self._fact.unit_table, tables=tables)
            own = convert(Decimal(1), self._fact.unit, None, self._fact.unit_table, tables=tables)
            if isinstance(factor, UnitUnknown) or isinstance(own, UnitUnknown) or factor == own:
                continue
            wanted = bound / 2 if self._rule.op in _BELOW else bound * 2
            value = (wanted * own / factor).quantize(Decimal("0.001")).normalize()
            written = f"{value:f} {unit}"
            yield self._case(written, "fires", self._value(value, unit=unit))
            return

    def _there(self) -> Json:
        """An entry by which the fact is there, and a value within the rule's reach."""
        if self._fact.kind == "quantity":
            bound = self._rule.value or Decimal(0)
            return self._value(bound / 2 if self._rule.op in _BELOW else bound * 2)
        return _entry(self._pack, self._fact)

    def _value(self, value: Decimal, unit: str = "", **more: Json) -> Json:
        code = _code(self._pack, self._fact)
        return {"code": code, "value": f"{value:f} {unit or self._fact.unit}", **more}

    def _unless(self) -> dict[str, Json]:
        fact = self._pack.catalogue.facts[self._rule.unless]
        if fact.kind not in ("problem", "drug"):
            raise ConfigurationError(
                f"'{fact.name}' is of kind {fact.kind}; --unless takes a problem or a drug.",
                "Write this rule by hand: the administrator's guide shows how.",
            )
        return {_LISTS[fact.kind]: [_entry(self._pack, fact)]}

    def _case(
        self,
        name: str,
        outcome: str,
        entry: Json = None,
        *,
        complaint: bool = True,
        more: Json = None,
        gap: str = "",
    ) -> Json:
        chart: dict[str, list[Json]] = {} if complaint else {"conditions": []}
        for listed in ({_LISTS[self._fact.kind]: [entry]} if entry else {}, more or {}):
            for key, entries in listed.items():
                base = self.complaint if key == "conditions" and complaint else []
                chart[key] = [*(chart.get(key) or base), *entries]
        if gap:
            chart["failed"] = [gap]
        return {"name": name, "chart": chart, "expect": {self._rule.id: outcome}, "others": "any"}


def _complaint(pack: Pack, definition: str) -> str:
    """A problem by which a definition holds: the first code of the first fact that it names."""
    waiting, seen = [definition], set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for node in _nodes(pack.definitions.get(name)):
            if sort_of(node) == "is":
                waiting.append(node["is"])
            elif sort_of(node) == "fact" and pack.catalogue.facts[node["fact"]].kind == "problem":
                return str(_entry(pack, pack.catalogue.facts[node["fact"]]))
    raise ConfigurationError(
        f"No chart is known by which '{definition}' holds.",
        "Write this rule by hand: the administrator's guide shows how.",
    )


def _nodes(condition: Json) -> Iterator[Json]:
    """The nodes of a condition that do not stand under `not`."""
    if isinstance(condition, dict):
        yield condition
        for key, part in condition.items():
            if key != "not":
                yield from _nodes(part)
    elif isinstance(condition, list):
        for part in condition:
            yield from _nodes(part)


def _entry(pack: Pack, fact: FactDefinition) -> str:
    """What a chart holds where the fact is there."""
    for set_id in fact.value_sets:
        names = pack.terminology.ingredients_of(set_id) if fact.kind == "drug" else ()
        if names:
            return f"text:{names[0]}"
    return _code(pack, fact)


def _code(pack: Pack, fact: FactDefinition) -> str:
    """A code of the fact's sets as charts of tests write it."""
    codes = []
    for set_id in fact.value_sets:
        value_set = pack.terminology.value_set(set_id)
        codes += [Coded(system, code) for system, code in (*value_set.concepts, *value_set.below)]
    usable = [code for code in codes if code.sketch and code.system != INGREDIENT]
    usable.sort(key=lambda code: code.system not in (ICD10CM, SNOMED))
    if not usable:
        raise ConfigurationError(
            f"No code of '{fact.name}' can be written in a test.",
            "Write this rule by hand: the administrator's guide shows how.",
        )
    return usable[0].sketch
