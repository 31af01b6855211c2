"""`cds prefetch`: what to type into an EHR that reads no discovery, with lengths."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.rules.model import ServiceDefinition


@dataclass(frozen=True)
class Ehr:
    """What an EHR does differently. `leaves_out` are keys that it has no data for."""

    title: str
    leaves_out: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


# Sources: each vendor's documents as of 2026-11; what none of them says is not claimed here.
EHRS: Mapping[str, Ehr] = {
    "generic": Ehr("any EHR"),
    "epic": Ehr(
        "Epic",
        notes=(
            "A search needs `category` or `code`: the templates of results name codes.",
            "A search without a result brings a warning OperationOutcome; it is read as empty.",
        ),
    ),
    "oracle": Ehr(
        "Oracle Health (Millennium)",
        leaves_out=frozenset({"medicationStatements"}),
        notes=(
            "Its server lists no MedicationStatement; home medications are MedicationRequests.",
            "At most 200 entries a page (`_count`); links that the domain does not list are taken "
            "off the cards (`linkHosts`).",
        ),
    ),
    "athena": Ehr(
        "athenahealth",
        notes=(
            "MedicationRequest brings all medications, without regard to status: the service "
            "reads the status itself.",
            "Practices may run in silent tracking: calls without feedback are normal there.",
        ),
    ),
    "ocean": Ehr(
        "Ocean",
        notes=(
            "It calls order-sign alone, when a request is about to be submitted: take "
            "leg-cramps-order-sign, which needs only the orders of the context.",
        ),
    ),
}


@click.command()
@click.option("--for", "ehr", type=click.Choice(list(EHRS)), default="generic", show_default=True)
@click.option(
    "--service", "wanted", default="", help="One service, by its id; else all that differ."
)
@for_people
def prefetch(ehr: str, wanted: str) -> None:
    """Print the prefetch templates to type into an EHR, each with its length when encoded."""
    from cds_service.packs.load import load_pack

    hooks, site = context.folders()
    services = [s for s in load_pack(hooks, site, thorough=False).services if s.enabled]
    chosen = [service for service in services if wanted in ("", service.id)]
    if not chosen:
        known = ", ".join(service.id for service in services)
        raise click.UsageError(f"No service has the id {wanted}. There are: {known}")
    click.echo(os.linesep.join(_text(EHRS[ehr], chosen)))


def _text(ehr: Ehr, services: list[ServiceDefinition]) -> Iterator[str]:
    yield f"Prefetch templates for {ehr.title}"
    for alike in _alike(services):
        yield ""
        yield f"For {', '.join(service.id for service in alike)}:"
        yield from _templates(ehr, alike)
    if ehr.notes:
        yield ""
        yield from (f"- {note}" for note in ehr.notes)


def _alike(services: list[ServiceDefinition]) -> list[list[ServiceDefinition]]:
    """Services with the same templates together."""
    groups: list[list[ServiceDefinition]] = []
    for service in services:
        group = next((g for g in groups if g[0].prefetch == service.prefetch), None)
        if group is None:
            groups.append([service])
        else:
            group.append(service)
    return groups


def _templates(ehr: Ehr, services: list[ServiceDefinition]) -> Iterator[str]:
    from cds_service.packs.prefetch_templates import encoded_length

    for key, template in services[0].prefetch.items():
        if key in ehr.leaves_out:
            continue
        needed = [service.id for service in services if key in service.required]
        mark = f", required by {', '.join(needed)}" if needed else ""
        yield ""
        yield f"{key}  ({encoded_length(template)} bytes{mark})"
        yield f"  {template}"
