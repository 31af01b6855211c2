"""Calls: what the last ones were, how they were supplied, and why one was refused."""

from flask import Blueprint, Flask, Response, g, request

from cds_service import clock
from cds_service.workbench import bench, views

_WATCHED = frozenset({"discovery", "invoke", "feedback"})


def add(blueprint: Blueprint) -> None:
    """Add the page."""
    blueprint.add_url_rule("/calls", "calls", calls)


def calls() -> Response:
    """The last calls, the newest first."""
    entries = bench.current().calls.entries()
    template = "calls_part.html" if views.by_script() else "calls.html"
    if views.by_script():
        return views.part(template, entries=entries)
    return views.page(template, "calls", entries=entries)


def watch(app: Flask, current: bench.Bench) -> None:
    """Take note of each call of the service, once it is answered."""

    @app.after_request
    def _note(response: Response) -> Response:
        route = request.blueprint
        if route in _WATCHED and request.method != "OPTIONS":
            current.calls.add(_entry(current, route, response))
        return response


def _entry(current: bench.Bench, route: str, response: Response) -> dict[str, object]:
    chart, cards = g.get("answered", (None, None))
    now = clock.monotonic()
    began = g.get("started", now)  # `web.metrics` takes the time
    return {
        "at": current.now().isoformat(timespec="seconds"),
        "route": route,
        "service": _service(current),
        "status": response.status_code,
        "milliseconds": round((now - began) * 1000, 1),
        "code": g.get("error_code", ""),
        "why": g.get("error_message", "")[:300],
        "cards": "" if cards is None else len(cards),
        "supply": {key: slot.supply.value for key, slot in chart.slots.items()} if chart else {},
    }


def _service(current: bench.Bench) -> str:
    """The service's id, where it is one of ours: an address may carry anything."""
    asked = (request.view_args or {}).get("service_id", "")
    service = current.runtime().service(asked)
    return service.id if service else ""
