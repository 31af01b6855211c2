"""`cds init DIR`: a folder for a site's own changes."""

from pathlib import Path

import click

from cds_service.cli.failures import for_people


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@for_people
def init(folder: Path) -> None:
    """Make FOLDER for a site's own changes. Overwrites nothing."""
    from cds_service.authoring.init_site import init_site

    for file in init_site(folder):
        click.echo(f"{folder / file}")
    click.echo(f"\nSet CDS_SITE_DIR={folder.absolute()}, then run: cds rules check")
