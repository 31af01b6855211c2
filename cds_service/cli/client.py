"""`cds client add`: an EHR that may call, written into the site's clients.json."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from cds_service.cli import context
from cds_service.cli.failures import fail, for_people

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def client() -> None:
    """Look after the EHRs that may call (clients.json)."""


@client.command()
@click.option("--pem", type=FILE, default=None, help="Its key; only the public part is written.")
@click.option("--jku", "addresses", multiple=True, help="Address of its JWK Set; repeatable.")
@click.option("--issuer", required=True, help="The iss of its tokens, to the letter.")
@click.option("--name", default="", help="Name for logs; by default the issuer's host.")
@click.option("--kid", default="", help="Id of the key; its thumbprint by default.")
@click.option("--tenant", "tenants", multiple=True, help="A tenant that is accepted; repeatable.")
@for_people
def add(
    pem: Path | None,
    addresses: tuple[str, ...],
    issuer: str,
    name: str,
    kid: str,
    tenants: tuple[str, ...],
) -> None:
    """Let an EHR call that signs with this key, or with those at these addresses. With both nothing
    is fetched. An issuer that is listed is not touched."""
    from cds_service.callers import trial_tokens
    from cds_service.callers.add_client import add_client
    from cds_service.callers.book import strictness

    loaded = context.settings()
    if loaded.site_dir is None:
        fail("CDS_SITE_DIR names no site folder.", "Make one with: cds init FOLDER")
    if not (pem or addresses):
        raise click.UsageError("Name its key with --pem, or where its keys are with --jku.")
    jwk = trial_tokens.read_public(pem.read_bytes(), kid) if pem else None
    more = {"tenants": list(tenants)} if tenants else {}
    named = name or urlsplit(issuer).hostname or issuer
    entry = trial_tokens.entry(named, issuer, jwk, addresses, more)
    path = add_client(loaded.site_dir, entry, strictness(loaded))
    with_kid = f" and kid {jwk['kid']}" if jwk else ""
    click.echo(f"{path}: {named} may call; its tokens have iss {issuer}{with_kid}")
