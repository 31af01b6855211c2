"""`cds call`: answer one request, here or at a running service, and print it for a person."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.cli import bearer, context, hook_request, http, present
from cds_service.cli.failures import FAILED, fail, for_people
from cds_service.errors import ConfigurationError, ServiceError
from cds_service.rules.model import ServiceDefinition
from cds_service.service.runtime import Runtime

Json = Any
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Ask = Callable[[], list[Json]]


@click.command()
@click.argument("request", type=hook_request.FILE)
@click.option(
    "--url",
    default="",
    callback=hook_request.base_address,
    help="Base address of a running service; here by default.",
)
@click.option("--service", "service_id", default="", help="Service id; all of the hook by default.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.option("--language", default="", help="What the call asks for: de, or as Accept-Language.")
@click.option("--token", default="", help="The JWT to send; needs --url and --service.")
@click.option("--key", type=FILE, default=None, help="Private key that signs a JWT for each call.")
@click.option("--issuer", default="", help="iss of these tokens; goes with --key.")
@click.option("--kid", default="", help="Id of that key; its own, else its thumbprint by default.")
@click.option("--audience", default="", help="The service's CDS_PUBLIC_URL, where it is not --url.")
@for_people
def call(
    request: Path,
    url: str,
    service_id: str,
    style: str,
    language: str,
    token: str,
    key: Path | None,
    issuer: str,
    kid: str,
    audience: str,
) -> None:
    """Answer the CDS Hooks REQUEST (a JSON file) and print the cards."""
    tokens = bearer.chosen(token, key, issuer, kid, audience, url, service_id)
    content, parsed = hook_request.read(request)
    hook = str(parsed.get("hook", ""))
    if url:
        asks = _remote(url, hook, service_id, content, tokens, language)
    else:
        asks = _local(hook, service_id, content, language)
    if not asks:
        fail(f"There is no service '{service_id}'." if service_id else f"Nothing answers '{hook}'.")
    answers, refusals = _answers(asks)
    if style == "json":
        click.echo(orjson.dumps(answers, option=orjson.OPT_INDENT_2).decode())
    elif answers:
        texts = (present.cards_text(name, cards) for name, cards in answers.items())
        click.echo("\n\n".join(texts))
    for name, words in refusals.items():
        click.echo(f"{name}: {words}", err=True)
    if refusals:
        sys.exit(FAILED)


def in_process(
    runtime: Runtime, service: ServiceDefinition, content: bytes, language: str = ""
) -> list[Json]:
    """The cards of one service as an EHR would get them. Raises ServiceError."""
    from cds_service.cards.language import closest
    from cds_service.gather.chart import gather
    from cds_service.protocol import response
    from cds_service.protocol.request import parse_request

    request = parse_request(service.hook, content)
    tag = closest([language], runtime.pack.translations)
    cards = runtime.answer(service, request, gather(request, service), language=tag)
    written: list[Json] = orjson.loads(response.write(cards))["cards"]
    return written


def _local(hook: str, service_id: str, content: bytes, language: str) -> dict[str, Ask]:
    runtime = context.local_runtime(context.settings())
    return {
        service.id: partial(in_process, runtime, service, content, language)
        for service in runtime.services
        if service.enabled and _wanted(service.id, service.hook, hook, service_id)
    }


def _remote(
    url: str, hook: str, service_id: str, content: bytes, tokens: bearer.Bearer, language: str
) -> dict[str, Ask]:
    base = f"{url.rstrip('/')}/cds-services"
    return {
        name: partial(_cards_with, tokens, f"{base}/{name}", content, language)
        for name in _names(base, hook, service_id, tokens)
    }


def _names(base: str, hook: str, service_id: str, tokens: bearer.Bearer) -> list[str]:
    """The ids of the services to ask. One that is named is asked without a look at discovery where
    a token is sent: it is good for one call."""
    if service_id and tokens is not bearer.nobody:
        return [service_id]
    services = http.get(base, tokens(base)).get("services", [])
    return [
        service["id"]
        for service in services
        if _wanted(service["id"], service["hook"], hook, service_id)
    ]


def _cards_with(tokens: bearer.Bearer, address: str, content: bytes, language: str) -> list[Json]:
    return cards_at(address, content, tokens(address), language)


def cards_at(url: str, content: bytes, token: str = "", language: str = "") -> list[Json]:
    """The cards of a service at its address."""
    cards: list[Json] = http.post(url, content, token, language)["cards"]
    return cards


def _answers(asks: Mapping[str, Ask]) -> tuple[dict[str, list[Json]], dict[str, str]]:
    """Cards by service, and the words of those that refused the request."""
    answers: dict[str, list[Json]] = {}
    refusals: dict[str, str] = {}
    for name, ask in asks.items():
        try:
            answers[name] = ask()
        except ServiceError as error:
            refusals[name] = f"{error.status} {error}"
        except ConfigurationError as error:
            refusals[name] = error.message
    return answers, refusals


def _wanted(id: str, service_hook: str, hook: str, service_id: str) -> bool:
    return id == service_id if service_id else service_hook == hook
