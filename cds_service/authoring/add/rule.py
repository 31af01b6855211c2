"""`cds add rule`: a rule on a laboratory value, a problem or a drug, in shadow, with its tests."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.authoring.add.naming import slug
from cds_service.authoring.add.rule_tests import tests_of
from cds_service.authoring.add.site_files import SiteFiles
from cds_service.errors import ConfigurationError
from cds_service.facts.definitions import FactDefinition
from cds_service.packs.load import load_pack
from cds_service.packs.schema import did_you_mean
from cds_service.rules.model import Pack
from cds_service.ruletests.testing import run_tests

Json = Any

KINDS = ("quantity", "problem", "drug")
OPS = {"lt": "low", "le": "low", "gt": "high", "ge": "high"}
_PLACE = {"quantity": "({fact.value} {fact.unit}{? of {fact.date}?})"}


@dataclass(frozen=True)
class NewRule:
    """What a person says of a rule: that something is there, or a value beyond a threshold, in
    patients of whom a definition holds."""

    id: str
    fact: str
    source: str
    op: str = "present"
    value: Decimal | None = None
    within: int | None = None
    when: str = "cramp-complaint"
    unless: str = ""
    title: str = ""
    detail: str = ""
    owner: str = ""


@dataclass(frozen=True)
class AddedRule:
    """The files written and the number of cases in the test."""

    files: tuple[Path, ...]
    cases: int


def add_rule(hooks: Path, site: Path, rule: NewRule, now: date) -> AddedRule:
    """Write the rule and its tests, and run them. Raises ConfigurationError, nothing changed."""
    pack = load_pack(hooks, site, thorough=False)
    fact = _checked(pack, rule)
    stem = rule.id.rpartition(".")[2]
    content = _rule(rule, fact, now)
    files = SiteFiles(hooks, site)
    tests = tests_of(pack, rule, fact, now)
    files.new(f"rules/{stem}.json", content)
    files.new(f"rules/{stem}.test.json", tests)
    files.write()
    report = run_tests(hooks, site, [site / f"rules/{stem}.test.json"], None)
    if not report.passed:
        files.undo()
        failed = [
            f"{case.name}: {'; '.join(case.problems)}"
            for file in report.files for case in file.cases if not case.passed
        ]  # fmt: skip
        faults = [fault for file in report.files for fault in file.problems]
        raise ConfigurationError(
            "The tests that would have been written fail; nothing was changed.\n"
            + "\n".join([*faults, *failed]),
            "Write this rule by hand: the administrator's guide shows how.",
        )
    return AddedRule(tuple(files.written), report.cases)


def _checked(pack: Pack, rule: NewRule) -> FactDefinition:
    group = rule.id.partition(".")[0]
    if group not in pack.groups or rule.id.count(".") != 1 or slug(rule.id.split(".")[1]) == "":
        raise ConfigurationError(
            f"'{rule.id}' is no id: it is GROUP.NAME, with a group of {', '.join(pack.groups)}.",
            did_you_mean(group, pack.groups),
        )
    if rule.id in {known_rule.id for known_rule in pack.rules}:
        raise ConfigurationError(f"There is a rule '{rule.id}' already; nothing was changed.")
    for name, known, what in (
        (rule.fact, pack.catalogue.facts, "fact"),
        (rule.when, pack.definitions, "definition"),
        (rule.unless or rule.fact, pack.catalogue.facts, "fact"),
    ):
        if name not in known:
            raise ConfigurationError(f"There is no {what} '{name}'.", did_you_mean(name, known))
    fact = pack.catalogue.facts[rule.fact]
    if fact.kind not in KINDS:
        raise ConfigurationError(
            f"'{rule.fact}' is of kind {fact.kind}; this command writes rules on"
            f" {', '.join(KINDS)}.",
            "Write this rule by hand: the administrator's guide shows how.",
        )
    if (fact.kind == "quantity") != (rule.op in OPS) or (rule.op in OPS) != (
        rule.value is not None
    ):
        raise ConfigurationError(
            "A laboratory value is compared with a number, a problem or drug is there.",
            f"Give --op ({', '.join(OPS)}) and --value for a value, neither for the others.",
        )
    return fact


def _rule(rule: NewRule, fact: FactDefinition, now: date) -> Json:
    title = rule.title or _title(rule, fact)
    leaf: dict[str, Json] = {"fact": rule.fact, "op": rule.op}
    if rule.value is not None:
        leaf |= {"value": rule.value, **({"unit": fact.unit} if fact.unit else {})}
    if rule.within:
        leaf["within"] = f"P{rule.within}D"
    shown = _PLACE.get(fact.kind, "").replace("fact", rule.fact)
    content: dict[str, Json] = {
        "$schema": "../schemas/rule.schema.json",
        "id": rule.id,
        "version": "1.0.0",
        "status": "shadow",
        "hooks": ["patient-view"],
        "group": rule.id.partition(".")[0],
        "title": title,
        "reviewBy": now.replace(year=now.year + 1, day=min(now.day, 28)).isoformat(),
        "claims": [],
        "sources": [{"label": rule.source}],
        "about": [rule.fact],
        "when": {"all": [{"is": rule.when}, leaf]},
    }
    if rule.owner:
        content["owner"] = rule.owner
    if rule.unless:
        content["unless"] = {"fact": rule.unless, "op": "present"}
    content |= {
        "whenUnknown": "silent",
        "card": {
            "indicator": "info",
            "summary": f"{title} {shown}".strip(),
            **({"detail": [rule.detail]} if rule.detail else {}),
            "overrideReasons": ["already-addressed", "data-wrong"],
        },
    }
    return content


def _title(rule: NewRule, fact: FactDefinition) -> str:
    words = f"{OPS[rule.op]} {fact.title}" if rule.op in OPS else fact.title
    return f"{words[:1].upper()}{words[1:]} with leg cramps"
