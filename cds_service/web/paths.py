"""Addresses as clients really write them: `//`, a trailing slash, a prefix that a proxy kept.

Done before routing and without a redirect, because a redirect fails a browser's preflight and some
EHRs follow none.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

_SLASHES = re.compile(r"/{2,}")


class TidyPaths:
    """WSGI middleware that hands the application one spelling of each path.

    `prefix` is the path of `CDS_PUBLIC_URL` ("" for none); it is taken off where it is still there.
    """

    def __init__(self, app: WsgiApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path:
            path = _SLASHES.sub("/", path)
        if len(path) > 1:
            path = path.rstrip("/")
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            path = path[len(self._prefix) :]
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
        environ["PATH_INFO"] = path or "/"
        return self._app(environ, start_response)
