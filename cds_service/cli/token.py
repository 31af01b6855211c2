"""`cds token make` and `cds token explain`: the JWT by which an EHR says who it is."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.cli import bearer, context
from cds_service.cli.failures import FAILED, for_people

if TYPE_CHECKING:  # cryptography is loaded only where tokens are looked at
    from cds_service.callers.explain import Check
    from cds_service.callers.model import Clients

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MARKS = {True: "ok", False: "FAILS", None: "not checked"}


@click.group()
def token() -> None:
    """Make a token as an EHR would, or see which check one fails."""


@token.command()
@click.option("--key", type=FILE, required=True, help="The private key, PEM or JWK.")
@click.option("--issuer", required=True, help="iss, as in clients.json.")
@click.option("--audience", required=True, help="aud: the address that will be called.")
@click.option("--kid", default="", help="Id of the key; by default the JWK's, else its thumbprint.")
@click.option("--jku", default="", help="Address of the JWK Set, for the header.")
@click.option("--tenant", default="", help="tenant, where clients.json lists some.")
@click.option("--subject", default="", help="sub, where clients.json names one.")
@for_people
def make(
    key: Path, issuer: str, audience: str, kid: str, jku: str, tenant: str, subject: str
) -> None:
    """Print a JWT that is good for one call within five minutes."""
    from cds_service.callers import trial_tokens

    signer = trial_tokens.read_signer(key.read_bytes(), kid)
    moment = bearer.now()
    named = {"jku": jku, "tenant": tenant, "sub": subject}
    click.echo(trial_tokens.make_token(signer, issuer, audience, moment, **named))


@token.command()
@click.argument("text", metavar="TOKEN")
@click.option("--url", required=True, help="The address that was called with it.")
@click.option("--keys", type=FILE, default=None, help="The EHR's JWK Set: nothing is fetched.")
@for_people
def explain(text: str, url: str, keys: Path | None) -> None:
    """Print each check of TOKEN (- reads it from standard input): what was expected, what came.

    It is held to the clients.json of CDS_SITE_DIR. Exit code 1 where a check fails.
    """
    from cds_service.callers import explain as explainer

    clients = _clients()
    sent = sys.stdin.read() if text == "-" else text
    client = clients.get(explainer.issuer_of(sent))
    held = keys.read_text("utf-8") if keys else ""
    checks = explainer.explained(sent, client, sorted(clients), url, held, bearer.now())
    for check in checks:
        click.echo(_line(check))
    click.echo("Not looked at: whether the token was used before. Each is good for one call.")
    if any(check.passed is False for check in checks):
        sys.exit(FAILED)


def _clients() -> "Clients":
    """Those of the site's file; none where there is no file."""
    from cds_service.callers.book import ClientBook, strictness
    from cds_service.callers.file import FILE as CLIENTS

    loaded = context.settings()
    path = loaded.site_dir / CLIENTS if loaded.site_dir else None
    return ClientBook(path, strictness(loaded)).clients if path and path.exists() else {}


def _line(check: "Check") -> str:
    return (
        f"{MARKS[check.passed]:<12} {check.name}\n"
        f"             expected  {check.expected}\n             got       {check.got}"
    )
