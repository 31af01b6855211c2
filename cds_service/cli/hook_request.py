"""The file and the address that a command for one hook request is given, and what else they may be.

Whoever tries a service for the first time gives the address of discovery, or a chart.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cds_service.cli import context
from cds_service.errors import ConfigurationError

Json = Any
_DISCOVERY = "/cds-services"


class RequestFile(click.Path):
    """A readable file; an address in its place is told as such."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if urlsplit(str(value)).scheme in ("http", "https"):
            self.fail(
                "an address stands where the file of a request belongs: REQUEST.json "
                f"--url {_base(str(value))}",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


FILE = RequestFile(exists=True, dir_okay=False, path_type=Path)


def base_address(_ctx: click.Context, _param: click.Parameter, url: str) -> str:
    """The address as given. Raises click.BadParameter for one below the base address."""
    if _DISCOVERY in urlsplit(url).path:
        raise click.BadParameter(
            f"{url} is the address of discovery or of one service; --url wants the base address: "
            f"--url {_base(url)}"
        )
    return url


def read(path: Path) -> tuple[bytes, dict[str, Json]]:
    """A hook request as bytes and as JSON. Raises ConfigurationError that says what it is instead.

    Only what names no hook is refused here; the rest is for the service to judge.
    """
    content, parsed = context.read_request(path)
    if isinstance(parsed.get("hook"), str) and parsed["hook"]:
        return content, parsed
    raise ConfigurationError(
        f"{path} is no CDS Hooks request: {_what(parsed)}.",
        "A request names its hook, as fixtures/requests/ shows: "
        '{"hook": "patient-view", "hookInstance": ..., "context": {...}, "prefetch": {...}}',
    )


def _base(url: str) -> str:
    """The base address that a discovery address or one below it belongs to."""
    return url.partition(_DISCOVERY)[0].rstrip("/")


def _what(parsed: dict[str, Json]) -> str:
    kind = parsed.get("resourceType")
    if isinstance(kind, str) and kind.isalpha() and len(kind) < 50:
        return f"it is a FHIR {kind}"
    for name, words in (
        ("services", "it is a discovery document"),
        ("cards", "it is the answer to a request"),
        ("feedback", "it is feedback"),
    ):
        if isinstance(parsed.get(name), list):
            return words
    return "it has no hook"
