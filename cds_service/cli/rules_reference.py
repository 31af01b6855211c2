"""`cds rules reference`: the clinical reference, written from the pack."""

from pathlib import Path

import click

from cds_service.cli import context
from cds_service.cli.failures import for_people


@click.command()
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file; by default the text is printed.",
)
@for_people
def reference(target: Path | None) -> None:
    """Write the clinical reference (Markdown) of the shipped pack, without a site's changes."""
    from cds_service.packs.load import load_pack
    from cds_service.sources.reference import reference as written

    hooks, _ = context.folders()
    text = written(load_pack(hooks, thorough=False))
    if target is None:
        click.echo(text, nl=False)
        return
    target.write_text(text, "utf-8")
    click.echo(f"{target} written.")
