"""`cds schemas export DIR`: the JSON Schemas for an editor."""

from pathlib import Path

import click

from cds_service.cli.failures import for_people


@click.group()
def schemas() -> None:
    """Look after the JSON Schemas that editors use."""


@schemas.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@for_people
def export(folder: Path) -> None:
    """Write all schemas into FOLDER; a file names one as "$schema": "schemas/rule.schema.json"."""
    from cds_service.authoring.init_site import export_schemas

    for name in export_schemas(folder):
        click.echo(f"{folder / name}")
