"""`cds rules export`: the rules for other engines, as a FHIR package with ELM."""

import os
from pathlib import Path

import click

from cds_service.cli import context
from cds_service.cli.failures import for_people


@click.command()
@click.option(
    "--fhir",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Write package.tgz and its README.md into this folder.",
)
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The site's folder; by default the one of CDS_SITE_DIR.",
)
@for_people
def export(folder: Path, site: Path | None) -> None:
    """Write the active rules as a FHIR R4 package: ELM and CQL, value sets, plans, tests."""
    from cds_service.clock import Clock
    from cds_service.packs.load import load_pack
    from cds_service.packs.locate import hooks_dir
    from cds_service.portable.left_out import share
    from cds_service.portable.libraries import write
    from cds_service.portable.package import files_of, write_package

    loaded = context.settings()
    hooks = loaded.hooks_dir or hooks_dir(os.environ)
    own = site or loaded.site_dir
    libraries = write(load_pack(hooks, own, thorough=False))
    date = Clock(loaded.now).now().date().isoformat()
    files = files_of(libraries, hooks, own, date)
    target = write_package(folder, files)
    whole, count = share(libraries)
    click.echo(f"{target}: {len(files)} files; {whole} of {count} active rules are exported whole.")
    click.echo(f"{folder / 'README.md'} says what the others lack.")
