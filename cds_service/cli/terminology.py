"""`cds terminology build`: value sets, drug dictionary and units from their sources."""

from dataclasses import asdict
from pathlib import Path

import click

from cds_service.cli.failures import for_people


@click.group()
def terminology() -> None:
    """Look after value sets and the drug dictionary."""


@terminology.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to",
    "target",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The pack's folder.",
)
@for_people
def build(source: Path, target: Path) -> None:
    """Write valuesets/, drugs.json and units.json of a pack from SOURCE."""
    from cds_service.authoring.terminology_build import build as build_terminology

    for what, count in asdict(build_terminology(source, target)).items():
        name = what.replace("_", " ")
        if isinstance(count, dict):
            for system, codes in sorted(count.items()):
                click.echo(f"{name} of {system}: {codes}")
        else:
            click.echo(f"{name}: {count}")
