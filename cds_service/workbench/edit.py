"""Edit: a file of the pack or site with its problems, tests, differences and cards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from difflib import unified_diff
from typing import Any

import orjson
from flask import Blueprint, Response, g, request

from cds_service.authoring.pack_changes import pack_changes
from cds_service.cards.compose import compose
from cds_service.errors import BadRequest, ConfigurationError, PackError, Problem
from cds_service.live.active import activate
from cds_service.rules.words import with_unit
from cds_service.terminology.vocabulary import LISTS
from cds_service.workbench import bench, compare, compared_charts, draft, guard, views
from cds_service.workbench.draft import EditedFile, Folders
from cds_service.workbench.what_if import NO_CHANGE

Json = Any
_FILES = (
    "pack", "facts", "definitions", "orders", "site", "clients", "evidence", "claims", "history",
    "order-names", "names", "units",
)  # fmt: skip


def add(blueprint: Blueprint) -> None:
    """Add the page and what it asks for."""
    blueprint.add_url_rule("/edit", "edit", edit)
    blueprint.add_url_rule("/edit/names", "names", names)
    for name, view in (
        ("check", check),
        ("tests", tests),
        ("mutate", mutate),
        ("diff", diff),
        ("cards", cards),
        ("save", save),
        ("file", file),
        ("patch", patch),
    ):
        blueprint.add_url_rule(f"/edit/{name}", f"edit_{name}", view, methods=["POST"])


def edit() -> Response:
    """The page, for the file asked for or the first there is."""
    current = bench.current()
    known = draft.files(current)
    chosen = draft.find(current, request.args.get("file") or known[0])
    return views.page(
        "edit.html",
        "edit",
        file=chosen,
        text=chosen.text(),
        files=known,
        schema=_schema(chosen),
        writable=current.edit and chosen.root == "site",
    )


def _schema(chosen: EditedFile) -> str:
    """The name of the schema that the file keeps to."""
    name = chosen.path.name
    if name.endswith(".test.json"):
        return "rule-test"
    if name.endswith(".service.json"):
        return "service"
    if chosen.path.parent.name == "valuesets":
        return "valueset"
    if chosen.path.parent.name == "languages":
        return "language"
    known = {*_FILES, *LISTS}
    return chosen.path.stem if chosen.path.stem in known else "rule"


def names() -> Response:
    """What a rule may name: facts, settings, definitions, with their titles, for completion."""
    pack = bench.current().runtime().pack
    by_use = {
        "fact": {name: fact.title for name, fact in pack.catalogue.facts.items()},
        "setting": {
            name: f"{with_unit(setting.value, setting.unit)} {setting.description}"
            for name, setting in pack.settings.items()
        },
        "is": {
            name: str(definition.get("title", "")) for name, definition in pack.definitions.items()
        },
        "group": {name: group.title for name, group in pack.groups.items()},
        "create": dict.fromkeys(pack.orders, ""),
    }
    return _json(by_use)


def check() -> Response:
    """The problems, with their places: quick ones as somebody types, all on demand."""
    thorough = request.form.get("thorough") == "1"
    with _folders() as folders:
        problems = draft.problems_of(folders, thorough=thorough)
        return _json({"problems": [_problem(problem, folders) for problem in problems]})


def _problem(problem: Problem, folders: Folders) -> dict[str, Json]:
    return {**asdict(problem), "here": folders.file.as_posix().endswith(_tail(problem.file))}


def _tail(name: str) -> str:
    """The part of a place's file name that both folders share."""
    for mark in ("/hooks/", "/site/"):
        if mark in name:
            return name.rpartition(mark)[2]
    return name


def tests() -> Response:
    """The tests beside the file, run."""
    from cds_service.ruletests.testing import run_tests

    with _folders() as folders:
        target = folders.test_file()
        if target is None:
            return _said("No test stands beside this file.")
        return _guarded(
            lambda: views.part(
                "edit_tests.html", report=run_tests(folders.hooks, folders.site, [target], compose)
            )
        )


def mutate() -> Response:
    """Small changes to the rule, and which of them no test notices."""
    from cds_service.authoring.mutation.pack import report, run_mutations

    with _folders() as folders:
        target = folders.test_file()
        if target is None:
            return _said("No test stands beside this file.")
        return _guarded(
            lambda: _said(report(run_mutations(folders.hooks, folders.site, [target], compose)))
        )


def diff() -> Response:
    """What changes against what is in force, rule by rule and line by line."""
    pack = bench.current().runtime().pack
    chosen, text = _asked()
    with _folders() as folders:
        return _guarded(
            lambda: views.part(
                "edit_diff.html",
                changes=pack_changes(pack, folders.pack()),
                lines=list(_lines(chosen, text)),
            )
        )


def cards() -> Response:
    """Cards before and after, on the ready patients and on the charts that were dropped here."""
    current = bench.current()
    pack, now = current.runtime().pack, current.now()
    charts = list(compared_charts.charts(pack, now))
    with _folders() as folders:
        return _guarded(
            lambda: views.part(
                "edit_cards.html",
                changes=list(
                    compare.over(
                        current.packs.active(pack, NO_CHANGE),
                        activate(folders.pack()),
                        charts,
                        now,
                    )
                ),
                charts=len(charts),
            )
        )


def save() -> Response:
    """Write the file into the site's folder; a running service takes it live by itself."""
    chosen, text = _asked()
    draft.save(bench.current(), chosen, text)
    return _said(f"{chosen.name} is saved. A running service takes it live when its tests pass.")


def file() -> Response:
    """The edited file, to put where it belongs."""
    chosen, text = _asked()
    return views.download(text, chosen.path.name)


def patch() -> Response:
    """The change as a unified diff, for `git apply` or `patch -p1`."""
    chosen, text = _asked()
    return views.download("".join(_lines(chosen, text)), "change.patch", "text/x-diff")


def _lines(chosen: EditedFile, text: str) -> Iterator[str]:
    before, after = chosen.text().splitlines(keepends=True), text.splitlines(keepends=True)
    yield from unified_diff(before, after, f"a/{chosen.name}", f"b/{chosen.name}")


def _asked() -> tuple[EditedFile, str]:
    text = request.form.get("text", "").replace("\r\n", "\n")
    return draft.find(bench.current(), request.form.get("file", "")), text


def _folders() -> AbstractContextManager[Folders]:
    chosen, text = _asked()
    return draft.folders_with(bench.current(), chosen, text)


def _guarded(answer: Callable[[], Response]) -> Response:
    """The answer, or why the pack cannot be judged."""
    try:
        return answer()
    except PackError as refusal:
        first = refusal.problems[0]
        raise BadRequest(
            "pack-refused", f"line {first.line}: {first.code} {first.message} {first.hint}".strip()
        ) from None
    except (ConfigurationError, ValueError) as error:
        raise BadRequest("pack-refused", str(error)[:300]) from None


def _said(text: str) -> Response:
    return views.part("edit_said.html", text=text)


def _json(content: Json) -> Response:
    g.own_pages_only = True
    body = orjson.dumps(content, default=str)
    return guard.protect(Response(body, mimetype="application/json"))
