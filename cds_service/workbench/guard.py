"""What keeps other sites out of the workbench: Host, Origin, a CSRF token, and headers.

A hostile page that is open in the same browser can send requests to a loopback address. It cannot
read our pages (they carry no CORS header), so it cannot know the token; a name that it points at
127.0.0.1 (DNS rebinding) is not one of ours.
"""

import hmac
import secrets
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, g, request

from cds_service.errors import ServiceError

FIELD, HEADER = "csrf", "X-CSRF-Token"
_SAFE = ("GET", "HEAD")


class Guard:
    """Admits requests to the pages. `hosts` are names beside those of this machine."""

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self.token = secrets.token_urlsafe(32)  # of the process and the workers that it forks
        self._hosts = frozenset(host.casefold() for host in hosts if host)

    def admit(self) -> None:
        """Raises ServiceError 403 for what another site may have caused."""
        host = urlsplit(f"//{request.host}").hostname or ""
        if not self._own(host):
            raise _refused("host-refused", "The workbench does not answer under this host name.")
        if request.method in _SAFE:
            return
        if request.headers.get("Origin", request.host_url.rstrip("/")) != _origin():
            raise _refused("origin-refused", "The request came from another site.")
        sent = request.headers.get(HEADER) or request.form.get(FIELD, "")
        if not hmac.compare_digest(sent.encode(), self.token.encode()):
            raise _refused("csrf-refused", "The page is out of date; open it again.")

    def _own(self, host: str) -> bool:
        if host == "localhost" or host.casefold() in self._hosts:
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


def _origin() -> str:
    return f"{request.scheme}://{request.host}"


def nonce() -> str:
    """The nonce of the style that the editor makes, one for each page."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    value: str = g.style_nonce
    return value


def protect(response: Response) -> Response:
    """Headers by which a page loads nothing from elsewhere and stands in nobody's frame."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce()}'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"  # with none, forms send Origin: null
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "workbench.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _refused(code: str, message: str) -> ServiceError:
    return ServiceError(403, code, message, "forbidden")
