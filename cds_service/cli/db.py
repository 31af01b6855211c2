"""`cds db`: the database's schema, and what is too old to keep."""

import click

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.clock import Clock
from cds_service.store import database
from cds_service.store.store import Store, retention


@click.group()
def db() -> None:
    """Look after the database (CDS_DATABASE_URL)."""


@db.command()
@for_people
def upgrade() -> None:
    """Make or change the tables as this program needs them. Make a copy of the database first."""
    before, after = database.upgrade(context.settings().database_url)
    if before == after:
        click.echo(f"The schema is {after} already.")
    else:
        click.echo(f"The schema was {before or 'not there'}, and is {after} now.")


@db.command()
@for_people
def purge() -> None:
    """Delete what is older than CDS_KEEP_CALLS_DAYS and CDS_KEEP_FEEDBACK_DAYS say.

    The service does the same by itself, once a day.
    """
    settings = context.settings()
    store = Store(settings.database_url, retention(settings))
    purged = store.purge(Clock(settings.now).now().date())
    click.echo(
        f"Deleted: {purged.calls} calls, {purged.feedback} pieces of feedback, "
        f"{purged.cards} rows of cards, {purged.rule_days} daily counts."
    )
