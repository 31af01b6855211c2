"""Checks of a rule's place in the pack: id, file, hook, group, what it supersedes, review date."""

import re
from collections.abc import Iterator
from datetime import date

from cds_service.errors import Problem
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import HOOKS, PackSource, RuleFile, obj, seq, word

_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every rule's frame."""
    first: dict[str, RuleFile] = {}
    for rule in source.rules:
        yield from _id(rule, first)
        yield from _hook(rule)
        yield from _group(source, rule)
        yield from _names(source, rule)
        yield from _dates(rule)
    yield from _exclusions(source, first)


def overdue(source: PackSource, today: date) -> Iterator[Problem]:
    """Rules whose review date has passed."""
    for rule in source.rules:
        due = _day(rule.data.get("reviewBy"))
        if due and due < today:
            message = f"The rule was to be reviewed by {due}."
            yield rule.document.problem(("reviewBy",), "W706", message, severity="warning")


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(word(value))
    except ValueError:
        return None


def _dates(rule: RuleFile) -> Iterator[Problem]:
    for key in ("reviewBy", "approvedOn"):
        text = word(rule.data.get(key))
        if _DATE.match(text) and _day(text) is None:
            message = f"'{text}' is not a day of the calendar."
            yield rule.document.problem((key,), "S105", message)


def _id(rule: RuleFile, first: dict[str, RuleFile]) -> Iterator[Problem]:
    if not rule.id:
        return
    stem = rule.file.name.removesuffix(".json")
    if rule.id.rpartition(".")[2] != stem:
        message = f"The file is named '{stem}' and the id ends in '{rule.id.rpartition('.')[2]}'."
        yield rule.document.problem(("id",), "R201", message, "They must be the same.")
    if rule.id in first:
        message = f"'{rule.id}' is also the id in {first[rule.id].document.name}."
        yield rule.document.problem(("id",), "R202", message)
    first.setdefault(rule.id, rule)


def _hook(rule: RuleFile) -> Iterator[Problem]:
    hooks = seq(rule.data.get("hooks"))
    if rule.hook and hooks and rule.hook not in hooks and set(map(word, hooks)) <= set(HOOKS):
        message = f"The file lies under {rule.hook}, which is not among the rule's hooks."
        yield rule.document.problem(("hooks",), "R203", message, "Move the file or add the hook.")


def _group(source: PackSource, rule: RuleFile) -> Iterator[Problem]:
    group, groups = word(rule.data.get("group")), source.named("groups")
    if not group:
        return
    if group not in groups:
        message = f"There is no group '{group}' in pack.json."
        yield rule.document.problem(("group",), "R204", message, did_you_mean(group, groups))
        return
    for index, hook in enumerate(seq(rule.data.get("hooks"))):
        services = [obj(s.data) for s in source.services]
        if not any(s.get("hook") == hook and group in seq(s.get("groups")) for s in services):
            message = f"No service of {hook} has the group '{group}', so the rule never runs there."
            yield rule.document.problem(("hooks", index), "W707", message, severity="warning")


def _names(source: PackSource, rule: RuleFile) -> Iterator[Problem]:
    known = source.rule_ids
    for index, other in enumerate(seq(rule.data.get("supersedes"))):
        if other == rule.id:
            yield rule.document.problem(
                ("supersedes", index), "R206", "A rule can't supersede itself."
            )
        elif word(other) and other not in known:
            message = f"There is no rule '{other}'."
            hint = did_you_mean(other, known)
            yield rule.document.problem(("supersedes", index), "R206", message, hint)
    for index, fact in enumerate(seq(rule.data.get("about"))):
        if word(fact) and fact not in source.facts:
            message = f"There is no fact '{fact}' in facts.json."
            hint = did_you_mean(fact, source.facts)
            yield rule.document.problem(("about", index), "F301", message, hint)


def _exclusions(source: PackSource, rules: dict[str, RuleFile]) -> Iterator[Problem]:
    if not source.pack:
        return
    known = [*rules, *source.named("groups")]
    for index, exclusion in enumerate(seq(obj(source.pack.data).get("exclusions"))):
        for place, name in enumerate(seq(obj(exclusion).get("except"))):
            if word(name) and name not in known:
                path = ("exclusions", index, "except", place)
                message = f"There is no rule or group '{name}'."
                yield source.pack.problem(path, "R210", message, did_you_mean(name, known))
