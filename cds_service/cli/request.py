"""`cds request check`: what in an EHR's request departs from CDS Hooks or from FHIR R4."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from cds_service.authoring.departures import Departure, departures
from cds_service.cli import context
from cds_service.cli.failures import FAILED, WARNINGS, for_people


@click.group()
def request() -> None:
    """Look at requests that an EHR sends."""


@request.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@for_people
def check(file: Path) -> None:
    """Say what in the request FILE departs from CDS Hooks 2.0.1 or FHIR R4, and how many of its
    entries nothing recognises.

    Exit code 1: the service would refuse it. 3: it is answered, but departs. Values are not shown.
    """
    content, parsed = context.read_request(file)
    found = departures(content, parsed)
    for departure in found:
        click.echo(f"{file}  {departure.place}  {departure.severity}: {departure.message}")
    if all(departure.severity != "error" for departure in found):
        for line in _unrecognised(content, str(parsed.get("hook"))):
            click.echo(f"{file}  {line}")
    _leave(found)


def _unrecognised(content: bytes, hook: str) -> Iterator[str]:
    """What the pack in force recognises none of, as the first service of the hook reads it."""
    from cds_service.gather.chart import gather
    from cds_service.protocol.request import parse_request

    runtime = context.local_runtime(context.settings())
    service = next((one for one in runtime.services if one.hook == hook), None)
    if service is None:
        return
    anything = replace(service, required=frozenset())
    facts = runtime.facts(gather(parse_request(hook, content), anything))
    for kind, systems in facts.unrecognised.items():
        for system, count in sorted(systems.items()):
            yield f"{kind}  not recognised: {count} ({system})"


def _leave(found: list[Departure]) -> None:
    if not found:
        click.echo("Nothing departs from CDS Hooks 2.0.1 or FHIR R4.")
    elif any(departure.severity == "error" for departure in found):
        sys.exit(FAILED)
    else:
        sys.exit(WARNINGS)
