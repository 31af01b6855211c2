"""`cds request check`: what departs from CDS Hooks or FHIR, and what each service makes of it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cds_service.authoring.request_check import Departure, departures
from cds_service.cli import context, request_services
from cds_service.cli.failures import FAILED, WARNINGS, for_people

_MOST_NAMED = 3  # facts in a line


@click.group()
def request() -> None:
    """Look at requests that an EHR sends."""


@request.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@for_people
def check(file: Path) -> None:
    """Say what in the request FILE departs from CDS Hooks 2.0.1 or FHIR R4, how many of its entries
    nothing recognises, what its entries leave unknown and why (code and name that are different
    drugs or tests, a status that is not understood), and what each service of its hook would make
    of it: the state of each prefetch key, what is left out, or the refusal.

    Exit code 1: a service would refuse it. 3: it is answered, but departs. Values are not shown,
    and no FHIR server is asked.
    """
    content, parsed = context.read_request(file)
    departed = departures(content, parsed)
    for departure in departed:
        click.echo(f"{file}  {departure.place}  {departure.severity}: {departure.message}")
    if all(departure.severity != "error" for departure in departed):
        for line in _not_understood(content, str(parsed.get("hook"))):
            click.echo(f"{file}  {line}")
    if not departed:
        click.echo("Nothing departs from CDS Hooks 2.0.1 or FHIR R4.")
    _leave(departed, _tell_services(content, parsed))


def _not_understood(content: bytes, hook: str) -> Iterator[str]:
    """What nothing recognises and what stays unknown, as the first service of the hook reads it."""
    from cds_service.gather.chart import gather
    from cds_service.protocol.request import parse_request

    runtime = context.local_runtime(context.settings())
    service = next((candidate for candidate in runtime.services if candidate.hook == hook), None)
    if service is None:
        return
    anything = replace(service, required=frozenset())
    facts = runtime.facts(gather(parse_request(hook, content), anything))
    for kind, systems in facts.unrecognised.items():
        for system, count in sorted(systems.items()):
            yield f"{kind}  not recognised: {count} ({system})"
    for reason, names in facts.left_unknown().items():
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"unknown, as {reason}: {', '.join(names[:_MOST_NAMED])}{more}"


def _tell_services(content: bytes, parsed: dict[str, Any]) -> bool:
    """Print what the services make of it; whether one refuses it."""
    from cds_service.packs.load import load_pack

    hooks, site = context.folders()
    services = load_pack(hooks, site, thorough=False).services
    views = list(request_services.views(content, parsed.get("hook"), services))
    for view in views:
        click.echo("\n".join(["", *request_services.lines(view)]))
    if not views:
        click.echo("\nNo service answers this hook.")
    return not views or any(view.refusal for view in views)


def _leave(departed: list[Departure], refused: bool) -> None:
    if refused or any(departure.severity == "error" for departure in departed):
        sys.exit(FAILED)
    if departed:
        sys.exit(WARNINGS)
