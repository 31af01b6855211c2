"""Tokens: a key pair and a token for a trial; one pasted and explained. Nothing is kept."""

from typing import Any

import orjson
from flask import Blueprint, Response, request

from cds_service.service.runtime import public_url
from cds_service.workbench import bench, views

Json = Any


def add(blueprint: Blueprint) -> None:
    """Add the page and its two actions."""
    blueprint.add_url_rule("/tokens", "tokens", tokens)
    blueprint.add_url_rule("/tokens/make", "token_make", make, methods=["POST"])
    blueprint.add_url_rule("/tokens/explain", "token_explain", explain, methods=["POST"])


def tokens() -> Response:
    """The page."""
    return _page()


def make() -> Response:
    """A token, and a key pair where none was given."""
    from cds_service.callers import trial_tokens

    form = request.form
    issuer = form.get("issuer", "").strip() or "https://ehr.example.org"
    pem, kid, entry = form.get("pem", "").strip(), form.get("kid", "").strip(), None
    if not pem:
        pair = trial_tokens.make_keys()
        pem, kid = pair.private, str(pair.public["keys"][0]["kid"])
        entry = _pretty(_file(trial_tokens.entry("trial", issuer, pair.public["keys"][0])))
    now = int(bench.current().now().timestamp())
    endpoint = _endpoint(form.get("service", ""))
    token = trial_tokens.make_token(
        trial_tokens.read_signer(pem.encode(), kid), issuer, endpoint, now
    )
    return _page(issued={"pem": pem, "kid": kid, "entry": entry, "token": token, "issuer": issuer})


def explain() -> Response:
    """Each check of the token pasted."""
    from cds_service.callers import explain as explainer

    current = bench.current()
    text = request.form.get("token", "")
    endpoint = request.form.get("endpoint", "").strip() or _endpoint("")
    clients = current.runtime().clients()
    checks = explainer.explained(
        text,
        clients.get(explainer.issuer_of(text)),
        sorted(clients),
        endpoint,
        request.form.get("keys", "").strip(),
        current.now().timestamp(),
    )
    return _page(checks=checks, asked={"token": text, "endpoint": endpoint})


def _file(client: Json) -> Json:
    """`clients.json` with this client alone."""
    return {"$schema": "schemas/clients.schema.json", "clients": [client]}


def _endpoint(service: str) -> str:
    known = [service_of_pack.id for service_of_pack in bench.current().runtime().services]
    chosen = service if service in known else known[0]
    return f"{public_url(bench.current().settings)}/cds-services/{chosen}"


def _page(**values: Any) -> Response:
    shown: dict[str, Any] = {"made": None, "checks": None, "asked": {}, **values}
    services = bench.current().runtime().services
    return views.page("tokens.html", "tokens", services=services, endpoint=_endpoint(""), **shown)


def _pretty(content: Json) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
