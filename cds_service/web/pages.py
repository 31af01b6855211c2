"""Pages for people: which form a reader wants, and headers that let a page load nothing at all.

No script, nothing from elsewhere; the style stands in the page and is allowed by its hash.
"""

import base64
import hashlib
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, render_template, request

HTML = "text/html"
_STYLE = (files("cds_service") / "web/templates/page.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    # No frame-ancestors: EHRs open a card's links in frames of their own, and there is nothing
    # on a page that a click could do.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def wants(*offers: str) -> str:
    """The form asked for: `?format=json`, else the best of `offers` by the Accept header.

    The first offer serves whoever has no preference.
    """
    asked = request.args.get("format", request.args.get("_format", "")).partition(";")[0].strip()
    if asked:
        named = [
            offer
            for offer in offers
            if offer == asked or offer.endswith(("/" + asked, "+" + asked))
        ]
        return named[0] if named else offers[0]
    return request.accept_mimetypes.best_match(offers, default=offers[0]) or offers[0]


def names_html() -> bool:
    """Whether the reader is a browser: it names text/html, which programs do not."""
    return HTML in [kind for kind, _ in request.accept_mimetypes] and not request.args.get("format")


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page from a template; everything in `values` is escaped there."""
    base = urlsplit(current_app.config["PUBLIC_URL"]).path.rstrip("/") or request.script_root
    text = render_template(template, style=_STYLE, base=base, **values)
    response = Response(text, status=status, content_type=f"{HTML}; charset=utf-8")
    response.headers.update(_HEADERS)
    response.vary.add("Accept")
    return response
