"""Rules: the list, what the pack knows under a word, and a page for each."""

from typing import Any

from flask import Blueprint, Response, request

from cds_service.authoring.rule_list import Row, rows
from cds_service.authoring.terminology.find import Hit, find
from cds_service.errors import ServiceError
from cds_service.rules.model import Pack, Rule
from cds_service.sources.page import page, rule_of
from cds_service.store.activity import Activity
from cds_service.workbench import bench, cases, mutants, views
from cds_service.workbench.rows import system_name

Json = Any
_ORDER = {"active": 0, "shadow": 1, "draft": 2, "retired": 3}


def add(blueprint: Blueprint) -> None:
    """Add the pages."""
    blueprint.add_url_rule("/rules", "rules", rules)
    blueprint.add_url_rule("/rules/<rule_id>", "rule", rule)


def rules() -> Response:
    """All rules; under a word those that it touches, and what the pack knows of it."""
    current = bench.current()
    pack = current.runtime().pack
    asked = request.args.get("q", "").strip()[:100]
    hits = find(pack, asked) if asked else []
    listed = [row for row in rows(pack) if not asked or _matches(row, asked, hits, pack)]
    listed.sort(key=lambda row: (_ORDER.get(row.status, 9), pack.groups[row.group].order, row.id))
    values: dict[str, Any] = {
        "rules": listed,
        "hits": hits,
        "asked": asked,
        "tests": {rule_of_pack.id: len(cases.of_rule(rule_of_pack)) for rule_of_pack in pack.rules},
        "fired": _fired(),
        "mutants": mutants.known(),
    }
    template = "rules_part.html" if views.by_script() else "rules.html"
    if views.by_script():
        return views.part(template, system_name=system_name, **values)
    return views.page(template, "rules", system_name=system_name, **values)


def _matches(row: Row, asked: str, hits: list[Hit], pack: Pack) -> bool:
    wanted = asked.casefold()
    titles = " ".join(pack.catalogue.facts[name].title for name in row.facts)
    text = f"{row.id} {row.title} {titles} {' '.join(row.settings)}".casefold()
    return wanted in text or any(row.id in hit.rules for hit in hits)


def _fired() -> dict[str, Activity]:
    """How often each rule fired today and lately in calls; none where nothing is stored."""
    current = bench.current()
    store = current.runtime().store
    activities = store.activity(current.now().date()) if store else []
    return {activity.rule: activity for activity in activities}


def rule(rule_id: str) -> Response:
    """One rule: logic in words, settings, value sets, tests, versions, source."""
    current = bench.current()
    pack = current.runtime().pack
    known = rule_of(pack, rule_id)
    if known is None:
        raise ServiceError(404, "not-found", "No rule has this id.", "not-found")
    row = next(listed for listed in rows(pack) if listed.id == rule_id)
    return views.page(
        "rule.html",
        "rules",
        shown=page(pack, known),
        row=row,
        mutants=mutants.known(),
        cases=cases.of_rule(known),
        file=_name(known),
    )


def _name(known: Rule) -> str:
    """The file's name in the workbench."""
    current = bench.current()
    for root, folder in (("site", current.site), ("hooks", current.hooks)):
        if folder and known.path and known.path.resolve().is_relative_to(folder.resolve()):
            return f"{root}/{known.path.resolve().relative_to(folder.resolve()).as_posix()}"
    return ""
