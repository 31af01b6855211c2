"""`cds workbench`: the workbench as a process of its own, on this machine, beside any service."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cds_service import config
from cds_service.cli.failures import for_people

PORT = 5006


@click.command()
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The site's folder; by default CDS_SITE_DIR.",
)
@click.option("--database-url", default="", help="For feedback; by default CDS_DATABASE_URL.")
@click.option("--edit", is_flag=True, help="Let pages write to the site's folder.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@for_people
def workbench(site: Path | None, database_url: str, edit: bool, port: int) -> None:
    """Open the workbench on 127.0.0.1: charts tried out, rules explained and edited.

    It answers no EHR. Beside a service that requires tokens this is the only way to it.
    """
    from cds_service.cli.serve import Server
    from cds_service.web.app import workbench_app

    settings = config.load(os.environ, serving=False)
    settings = replace(
        settings,
        site_dir=site or settings.site_dir,
        database_url=database_url or settings.database_url,
        workbench="local",
    )
    Server(workbench_app(settings, edit=edit), _options(port)).run()


def _options(port: int) -> dict[str, Any]:
    from cds_service.web.server_log import ServerLog

    def when_ready(_: Any) -> None:
        click.echo(f"The workbench is at http://127.0.0.1:{port}/ (Ctrl+C ends it).")

    return {
        "bind": f"127.0.0.1:{port}",
        "workers": 1,
        "threads": 4,
        "logger_class": ServerLog,
        "loglevel": "warning",
        "timeout": 120,
        "when_ready": when_ready,
    }
