"""Checks of rules' tests, without running them: that there are any, and what they name."""

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.check.walk import rule_roots, walk
from cds_service.packs.positions import Document, JsonPath
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, RuleFile, obj, seq, word
from cds_service.rules.syntax import sort_of

Json = Any

_SHOWN = ("expect", "cards", "because")


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_REQUEST = _words("active on-hold cancelled completed entered-in-error stopped draft unknown")
_RESULT = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_TAKEN = "active completed entered-in-error intended stopped on-hold unknown not-taken"
_DONE = "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
# Allowed codes by list of a chart and property of an entry (FHIR R4).
_STATUSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "conditions": {
        "clinical": _words("active recurrence relapse inactive remission resolved"),
        "verification": _words(
            "unconfirmed provisional differential confirmed refuted entered-in-error"
        ),
    },
    "observations": {"status": _words(_RESULT)},
    "requests": {"status": _REQUEST},
    "statements": {"status": _words(_TAKEN)},
    "orders": {"status": (*_REQUEST, "revoked")},
    "drafts": {"status": _REQUEST},
    "procedures": {"status": _words(_DONE)},
}
_MAY_BE_UNKNOWN = frozenset({"problem", "drug", "order", "procedure", "quantity", "coded"})


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of all test files."""
    for rule in source.rules:
        if rule.test:
            yield from _cases(source, rule, rule.test)
            yield from _names(source, rule.test)
    for document in source.free_tests:
        yield from _names(source, document)
    for document in source.stray_tests:
        stem = document.path.name.removesuffix(".test.json")
        message = f"There is no rule {stem}.json beside this test file."
        yield document.problem((), "T502", message)
        yield from _names(source, document)


def slips(source: PackSource) -> Iterator[Problem]:
    """Cases that show nothing, and a site's charts with a status that there is not."""
    documents = [*(rule.test for rule in source.rules if rule.test), *source.free_tests]
    for document in documents:
        for index, case in enumerate(map(obj, seq(obj(document.data).get("cases")))):
            shows = any(obj(case.get(key)) or seq(case.get(key)) for key in _SHOWN)
            if not shows and case.get("others") == "any":
                message = "This case expects nothing: it passes whatever happens."
                hint = 'Name rules in \'expect\', or leave out "others": "any".'
                path: JsonPath = ("cases", index)
                yield document.problem(path, "T508", message, hint, severity="warning")
        if source.site_folder and document.path.is_relative_to(source.site_folder.root):
            yield from _statuses(document)


def _statuses(document: Document) -> Iterator[Problem]:
    charts = [(("base",), obj(obj(document.data).get("base")))]
    for index, case in enumerate(map(obj, seq(obj(document.data).get("cases")))):
        charts.append((("cases", index, "chart"), obj(case.get("chart"))))  # type: ignore[arg-type]
    for path, chart in charts:
        for key, properties in _STATUSES.items():
            for number, entry in enumerate(map(obj, seq(chart.get(key)))):
                for name, allowed in properties.items():
                    status = word(entry.get(name))
                    if status and status not in allowed:
                        message = f"FHIR has no {name} '{status}' for {key}."
                        at: JsonPath = (*path, key, number, name)
                        hint = did_you_mean(status, allowed) or f"Allowed: {', '.join(allowed)}."
                        yield document.problem(at, "T509", message, hint, severity="warning")


def missing(source: PackSource) -> Iterator[Problem]:
    """Rules without a test file; known without reading the tests."""
    for rule in source.rules:
        if not rule.test_exists:
            wanted = rule.file.name.removesuffix(".json") + ".test.json"
            message = f"There is no {wanted} beside the rule."
            yield rule.document.problem((), "T501", message, "A rule without tests is not run.")


def _cases(source: PackSource, rule: RuleFile, test: Document) -> Iterator[Problem]:
    cases = [obj(case) for case in seq(obj(test.data).get("cases"))]
    if not cases or not rule.id:
        return
    outcomes = {word(obj(case.get("expect")).get(rule.id, "no")) for case in cases}
    if not any(rule.id in obj(case.get("expect")) for case in cases):
        yield test.problem(("cases",), "T503", f"No case names '{rule.id}' in 'expect'.")
        return
    for wanted in ("fires", "no"):
        if wanted not in outcomes:
            message = f"No case expects '{wanted}' of '{rule.id}'."
            yield test.problem(("cases",), "T504", message)
    if "unknown" not in outcomes and _may_be_unknown(source, rule):
        message = f"No case expects 'unknown' of '{rule.id}'."
        hint = "Add a case with missing, failed or preliminary data."
        yield test.problem(("cases",), "W705", message, hint, severity="warning")


def _may_be_unknown(source: PackSource, rule: RuleFile) -> bool:
    """Whether `when` reads, outside `certainly`, a fact that missing data makes unknown."""
    for root in rule_roots(rule):
        if root.path == ("when",):
            for node in walk(root):
                if sort_of(node.data) == "fact" and "certainly" not in node.path:
                    fact = source.facts.get(word(node.data["fact"]))
                    if fact and word(obj(fact.data).get("kind")) in _MAY_BE_UNKNOWN:
                        return True
    return False


def _names(source: PackSource, test: Document) -> Iterator[Problem]:
    rules, profiles = source.rule_ids, source.named("profiles")
    services = [word(obj(s.data).get("id")) for s in source.services]
    service = word(obj(test.data).get("service"))
    if service and service not in services:
        message = f"There is no service '{service}'."
        yield test.problem(("service",), "T506", message, did_you_mean(service, services))
    for index, name in enumerate(seq(obj(test.data).get("profile"))):
        if word(name) and name not in profiles:
            message = f"There is no profile '{name}'."
            yield test.problem(("profile", index), "T506", message, did_you_mean(name, profiles))
    seen: dict[str, int] = {}
    for index, case in enumerate(seq(obj(test.data).get("cases"))):
        yield from _case(test, index, obj(case), rules, seen)


def _case(
    test: Document,
    index: int,
    case: Mapping[str, Json],
    rules: Mapping[str, RuleFile],
    seen: dict[str, int],
) -> Iterator[Problem]:
    for name in obj(case.get("expect")):
        if name not in rules:
            path = ("cases", index, "expect", name)
            message = f"There is no rule '{name}'."
            yield test.problem(path, "T505", message, did_you_mean(name, rules), key=True)
    name = word(case.get("name"))
    if name and name in seen:
        message = f"Case {seen[name] + 1} has the same name."
        yield test.problem(("cases", index, "name"), "T507", message)
    seen.setdefault(name, index)
