"""Pages and parts of pages from templates. Everything in `values` is escaped there."""

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from flask import Response, g, render_template, request, url_for

from cds_service.sources.page import SIGN_OFF
from cds_service.workbench import bench, guard

HTML = "text/html; charset=utf-8"
PAGES = (
    ("home", "Home", "workbench.home"),
    ("try", "Try", "workbench.try_chart"),
    ("rules", "Rules", "workbench.rules"),
    ("edit", "Edit", "workbench.edit"),
    ("burden", "Burden", "workbench.burden"),
    ("calls", "Calls", "workbench.calls"),
    ("tokens", "Tokens", "workbench.tokens"),
    ("feedback", "Feedback", "workbench.feedback_report"),
    ("questionnaire", "Questionnaire", "workbench.questionnaire"),
)


def page(template: str, tab: str, status: int = 200, **values: Any) -> Response:
    """A whole page; `tab` is its place in the navigation."""
    return _answer(f"workbench/{template}", status, tab=tab, pages=PAGES, **values)


def part(template: str, status: int = 200, **values: Any) -> Response:
    """A part that replaces what stands in a page."""
    return _answer(f"workbench/{template}", status, **values)


def by_script() -> bool:
    """Whether the page's script asks, which replaces a part of what it shows."""
    return request.headers.get("HX-Request") == "true"


def download(content: str | bytes, name: str, kind: str = "application/json") -> Response:
    """A file for the person to keep."""
    g.own_pages_only = True
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return guard.protect(response)


def _answer(template: str, status: int, **values: Any) -> Response:
    g.own_pages_only = True
    current = bench.current()
    text = render_template(
        template,
        base=request.script_root,
        csrf=current.guard.token,
        nonce=guard.nonce(),
        pack=current.runtime().pack,
        bench=current,
        signed_off=SIGN_OFF,
        asset=_asset,
        **values,
    )
    return guard.protect(Response(text, status=status, content_type=HTML))


def _asset(name: str) -> str:
    return url_for("workbench.static", filename=name, v=_version())


@lru_cache(1)
def _version() -> str:
    """Of the built files, for their addresses: a browser keeps them until they change."""
    digest = sha256()
    for file in sorted((files("cds_service") / "workbench/static").iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
