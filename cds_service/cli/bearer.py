"""The token that a terminal's call carries: one that was given, or a new one for each call."""

from collections.abc import Callable
from pathlib import Path

import click

from cds_service.cli import context
from cds_service.clock import Clock

Bearer = Callable[[str], str]  # the address called, and the token for it; "" for none


def nobody(_address: str) -> str:
    """No token."""
    return ""


def chosen(
    token: str, key: Path | None, issuer: str, kid: str, audience: str, url: str, service: str
) -> Bearer:
    """What the options ask for. Raises click.UsageError where they do not fit together."""
    signing = key or issuer or kid or audience
    if not (token or signing):
        return nobody
    if not url:
        raise click.UsageError("A token is for a running service: name it with --url.")
    if token:
        if signing:
            raise click.UsageError("--token is ready made: leave out what is for making one.")
        if not service:
            raise click.UsageError("A token is good for one call: name the service with --service.")
        return lambda _address: token
    if not (key and issuer):
        raise click.UsageError("--key and --issuer go together.")
    return _signing(key, issuer, kid, url.rstrip("/"), (audience or url).rstrip("/"))


def _signing(key: Path, issuer: str, kid: str, url: str, public: str) -> Bearer:
    from cds_service.callers import trial_tokens

    signer = trial_tokens.read_signer(key.read_bytes(), kid)

    def signed(address: str) -> str:
        named = public + address.removeprefix(url)
        return trial_tokens.make_token(signer, issuer, named, now())

    return signed


def now() -> int:
    """The Unix second, or that of CDS_NOW."""
    return int(Clock(context.settings().now).now().timestamp())
