"""Documents that a command writes: to a file, or on the screen for a pipe."""

from pathlib import Path

import click

TO = click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file; by default the text is printed.",
)


def deliver(text: str, target: Path | None) -> None:
    """Write a document to the file of `--to`; without one print it as it is."""
    if target is None:
        click.echo(text, nl=False)
        return
    target.write_text(text, "utf-8")
    click.echo(f"{target} written.")
