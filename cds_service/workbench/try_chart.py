"""Try: a chart, the cards that it earns, and why. Everything comes with the request and goes.

What the buttons do is in `operations`, what the page shows in `try_view`, the nearest change that
makes a rule fire in `authoring.nearest`.
"""

import orjson
from flask import Blueprint, Response, request

from cds_service.workbench import bench, compare, compared_charts, picker, try_view, views
from cds_service.workbench.operations import current_work, op
from cds_service.workbench.try_request import foremost


def add(blueprint: Blueprint) -> None:
    """Add the page and what it asks for."""
    blueprint.add_url_rule("/try", "try_chart", try_chart, methods=["GET", "POST"])
    blueprint.add_url_rule("/try/pick", "pick", pick)
    blueprint.add_url_rule("/try/departures", "departures", departures, methods=["POST"])
    blueprint.add_url_rule("/try/compare", "compare_charts", compare_charts, methods=["POST"])


def try_chart() -> Response:
    """The page; asked by its script only the parts that change."""
    work = current_work()
    values = try_view.shown(work)
    if views.by_script():
        return views.part("try_parts.html", keep=request.form.getlist("keep"), oob=True, **values)
    return views.page("try.html", "try", keep=[], oob=False, **values)


def pick() -> Response:
    """Entries to add, under the letters typed."""
    pack = bench.current().runtime().pack
    asked_for = request.args.get("q", "")[:100]
    picks = picker.picks(pack, asked_for)
    return views.part("picks.html", picks=picks, asked=asked_for, op=op)


def departures() -> Response:
    """What in the request departs from CDS Hooks and FHIR R4."""
    from cds_service.authoring.request_check import departures as departures_of

    work = current_work()
    judged = foremost(work)
    parsed = orjson.loads(judged.request)
    return views.part("departures.html", departures=departures_of(judged.request, parsed))


def compare_charts() -> Response:
    """Whose cards the change brings, takes away or words differently."""
    work, clock = current_work(), bench.current().now()
    charts = list(compared_charts.charts(work.before.ruleset.pack, clock))
    changes = list(compare.over(work.before, work.after, charts, clock))
    return views.part("edit_cards.html", changes=changes, charts=len(charts))
