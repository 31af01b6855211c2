"""The commands put together. A command's module loads when the command runs."""

from importlib import import_module

import click

import cds_service

# Command to where its click object is: (module, attribute).
COMMANDS = {
    "add": ("add", "add"),
    "audit": ("audit", "audit"),
    "call": ("call", "call"),
    "client": ("client", "client"),
    "config": ("config", "config"),
    "db": ("db", "db"),
    "feedback": ("feedback", "feedback"),
    "init": ("init", "init"),
    "population": ("population", "population"),
    "prefetch": ("prefetch", "prefetch"),
    "request": ("request", "request"),
    "rules": ("rules", "rules"),
    "schemas": ("schemas", "schemas"),
    "serve": ("serve", "serve"),
    "terminology": ("terminology", "terminology"),
    "token": ("token", "token"),
    "workbench": ("workbench", "workbench"),
}


class LazyGroup(click.Group):
    """Finds its commands by name and imports them only then."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"cds_service.cli.{module}"), attribute)
        return command


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"cds, version {cds_service.version()}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Leg cramps decision support over CDS Hooks: serve it, try it, look after its rules."""
