"""What `cds serve --sample` shows: how to call the service, and what comes back.

Nothing in these calls ages (no result, no date of an order), so that they give the same cards in
any year.

Runs as a process of its own beside the server: `python -m cds_service.cli.sample ADDRESS`.
"""

import sys
import time
from pathlib import Path

import click

from cds_service.cli import http, present
from cds_service.cli.call import cards_at
from cds_service.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent / "fixtures" / "requests"
REQUESTS = _CHECKOUT if _CHECKOUT.is_dir() else _PACKAGE / "_samples"  # that of a wheel
SAMPLES = (
    ("leg-cramps-patient-view", REQUESTS / "patient-view" / "any-year.json"),
    ("leg-cramps-order-select", REQUESTS / "order-select" / "quinine.json"),
)
PATIENCE = 20.0  # seconds until the service must answer
PAUSE = 0.1


def show(address: str) -> None:
    """Print each sample's command and its cards."""
    _wait_for(address)
    for service, path in SAMPLES:
        url = f"{address}/cds-services/{service}"
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        click.echo(
            f"\n$ curl -s -H 'Content-Type: application/json' --data @{shown} \\\n    {url}\n"
        )
        click.echo(present.cards_text(service, cards_at(url, path.read_bytes())))
    click.echo(f"\nNow open {address}/ in a browser, or {address}/cds-services. Ctrl+C stops it.")


def _wait_for(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            http.get(f"{address}/healthz")
            return
        except ConfigurationError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)


if __name__ == "__main__":
    try:
        show(sys.argv[1])
    except ConfigurationError as error:
        sys.exit(f"The sample calls were not answered. {error.message}")
