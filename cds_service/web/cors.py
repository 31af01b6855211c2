"""Cross-origin calls from browser-based EHRs and the public sandbox (row Q1).

Every answer of the service, errors included, carries the header that the browser looks for. A
preflight is answered the same way on every address and needs no authentication. Credentials
(cookies) are never allowed, so `*` is safe where it is configured. Pages marked `own_pages_only`
(the workbench) are for no other origin: a hostile page must not read them.
"""

from dataclasses import dataclass

from flask import Flask, Request, Response, g, request

PRIVATE = frozenset({"workbench"})  # blueprints that no other origin may read

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True, slots=True)
class Cors:
    """Which origins may read the answers."""

    origins: tuple[str, ...]

    def install(self, app: Flask) -> None:
        """Answer preflights, and mark every response."""
        app.before_request(self._preflight)
        app.after_request(self._mark)

    def _preflight(self) -> Response | None:
        if request.method != "OPTIONS":
            return None
        allowed = self._allowed(request) and request.blueprint not in PRIVATE
        response = Response(status=204, headers=_PREFLIGHT if allowed else None)
        del response.headers["Content-Type"]  # there is no content
        return response

    def _mark(self, response: Response) -> Response:
        if request.blueprint in PRIVATE or g.get("own_pages_only"):
            return response
        if "*" not in self.origins:
            response.vary.add("Origin")
        origin = self._allowed(request)
        if origin:
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    def _allowed(self, call: Request) -> str:
        if "*" in self.origins:
            return "*"
        origin = call.headers.get("Origin", "")
        return origin if origin in self.origins else ""
