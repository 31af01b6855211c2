"""What is taken away from Try: the chart, the call, a test case, a site's patch."""

from flask import Blueprint, Response

from cds_service.workbench import bench, draft, testcase, views, what_if
from cds_service.workbench.chart import dump
from cds_service.workbench.operations import current_work
from cds_service.workbench.try_request import foremost
from cds_service.workbench.try_view import pretty


def add(blueprint: Blueprint) -> None:
    """Add the files."""
    blueprint.add_url_rule("/try/site.json", "site_patch", site_patch, methods=["POST"])
    blueprint.add_url_rule("/try/save-site", "save_site", save_site, methods=["POST"])
    blueprint.add_url_rule("/try/chart.json", "chart_file", chart_file, methods=["POST"])
    blueprint.add_url_rule("/try/request.json", "request_file", request_file, methods=["POST"])
    blueprint.add_url_rule("/try/case.test.json", "case_file", case_file, methods=["POST"])


def site_patch() -> Response:
    """`site.json` with the change."""
    work = current_work()
    return views.download(
        pretty(what_if.site_json(work.before.ruleset.pack, work.change)) + "\n", "site.json"
    )


def save_site() -> Response:
    """Write the change into `site.json` of the site's folder, where that is allowed."""
    work, current = current_work(), bench.current()
    text = pretty(what_if.site_json(work.before.ruleset.pack, work.change)) + "\n"
    draft.save(current, draft.find(current, "site/site.json"), text)
    words = "site.json is saved. A running service takes it live when its tests pass."
    return views.part("edit_said.html", text=words)


def chart_file() -> Response:
    """The chart, to be opened here again."""
    return views.download(dump(current_work().state), "chart.json")


def request_file() -> Response:
    """The call as a service would get it."""
    return views.download(foremost(current_work()).request, "request.json")


def case_file() -> Response:
    """A test file with the chart as its case, as the rules answer it now."""
    work = current_work()
    judged = foremost(work)
    case = testcase.file_of(work.state, work.clock, judged, work.pack, work.change)
    return views.download(pretty(case) + "\n", testcase.name_of(judged))
