"""The environment as typed settings. Every problem is found before any is reported."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from cds_service.errors import ConfigurationError

T = TypeVar("T")

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DEFAULT_DATABASE = "sqlite:///cds-service.sqlite3"
DEFAULT_MAX_BODY = 10_000_000  # bytes; a typical request has 200 kB, a large chart 2.8 MB
DEFAULT_MAX_RESOURCES = 20_000  # a typical request has 140, a large chart 2,000
DEFAULT_MAX_IN_FLIGHT = 32  # of each worker: eight times its threads
DEFAULT_READ_SECONDS = 20
DEFAULT_CALL_DAYS = 90
DEFAULT_FEEDBACK_DAYS = 730


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. `warnings` are for the log at start."""

    host: str = "127.0.0.1"
    port: int = 5005
    public_url: str = ""  # without a trailing slash; "" when unset
    auth: Literal["required", "off"] = "required"
    hooks_dir: Path | None = None  # None: the pack shipped with the program
    site_dir: Path | None = None
    database_url: str = DEFAULT_DATABASE
    cors_origins: tuple[str, ...] = ()
    log_level: str = "INFO"
    now: datetime | None = None
    max_body_bytes: int = DEFAULT_MAX_BODY
    max_resources: int = DEFAULT_MAX_RESOURCES
    max_in_flight: int = DEFAULT_MAX_IN_FLIGHT
    read_seconds: int = DEFAULT_READ_SECONDS
    keep_call_days: int = DEFAULT_CALL_DAYS  # 0: for ever
    keep_feedback_days: int = DEFAULT_FEEDBACK_DAYS  # 0: for ever
    workbench: Literal["on", "off", "local"] = "off"  # local: on, under loopback names alone
    warnings: tuple[str, ...] = ()

    @property
    def path_prefix(self) -> str:
        """The path under which a proxy shows the service: the path of `CDS_PUBLIC_URL`."""
        return urlsplit(self.public_url).path.rstrip("/")


def load(environ: Mapping[str, str], *, serving: bool = True) -> Settings:
    """Read the `CDS_*` variables.

    `serving=False` is for commands that answer no calls (`cds rules check`): they need no decision
    about authentication. Raises ConfigurationError with all problems, one a line.
    """
    reader = _Reader(environ)
    settings = _read(reader)
    problems = [*reader.problems, *_contradictions(settings, serving=serving)]
    if problems:
        raise ConfigurationError(
            "\n".join(problems),
            "Set the variables named above; docs/integrators-guide.md lists them.",
        )
    return settings


def _read(reader: "_Reader") -> Settings:
    wanted = reader.choice("CDS_AUTH", ("required", "off"), "required")
    auth: Literal["required", "off"] = "off" if wanted == "off" else "required"
    everyone = ("*",) if auth == "off" else ()
    host = reader.text("CDS_HOST") or "127.0.0.1"
    return Settings(
        host=host,
        port=reader.integer("CDS_PORT", 5005, 1, 65535),
        public_url=reader.parsed("CDS_PUBLIC_URL", _base_url, "") or "",
        auth=auth,
        hooks_dir=reader.parsed("CDS_HOOKS_DIR", _directory, None),
        site_dir=reader.parsed("CDS_SITE_DIR", _directory, None),
        database_url=reader.text("CDS_DATABASE_URL") or DEFAULT_DATABASE,
        cors_origins=reader.parsed("CDS_CORS_ORIGINS", _origins, everyone) or (),
        log_level=reader.choice("CDS_LOG_LEVEL", LEVELS, "INFO"),
        now=reader.parsed("CDS_NOW", _moment, None),
        max_body_bytes=reader.integer("CDS_MAX_BODY_BYTES", DEFAULT_MAX_BODY, 1_000, 1_000_000_000),
        max_resources=reader.integer("CDS_MAX_RESOURCES", DEFAULT_MAX_RESOURCES, 100, 1_000_000),
        max_in_flight=reader.integer("CDS_MAX_IN_FLIGHT", DEFAULT_MAX_IN_FLIGHT, 1, 10_000),
        read_seconds=reader.integer("CDS_READ_SECONDS", DEFAULT_READ_SECONDS, 1, 300),
        keep_call_days=reader.integer("CDS_KEEP_CALLS_DAYS", DEFAULT_CALL_DAYS, 0, 36_500),
        keep_feedback_days=reader.integer(
            "CDS_KEEP_FEEDBACK_DAYS", DEFAULT_FEEDBACK_DAYS, 0, 36_500
        ),
        workbench=_workbench(reader, auth, host),
        warnings=_warnings(auth, host),
    )


def _contradictions(settings: Settings, *, serving: bool) -> Iterator[str]:
    """What variables that are fine by themselves must not say together, or leave out."""
    tokens = serving and settings.auth == "required"
    if tokens and settings.workbench == "on":
        yield (
            "CDS_WORKBENCH is 'on', and a service that requires tokens never shows it: "
            "run `cds workbench` beside it instead."
        )
    if settings.now and settings.auth != "off":
        yield "CDS_NOW is for tests and demonstrations and needs CDS_AUTH=off."
    if tokens:
        yield from _missing_for_tokens(settings)


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def choice(self, name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = self.text(name) or default
        if value and value not in allowed:
            self.problems.append(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
            return default
        return value

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            self.problems.append(
                f"{name} is {value!r}; it must be a whole number from {least} to {most}."
            )
            return default
        return int(value)

    def parsed(self, name: str, parse: Callable[[str], T], default: T | None) -> T | None:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.problems.append(f"{name} is {value!r}; {error}.")
            return default


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "it must be an http or https address without a query, such as https://cds.example.org"
        )
    return value.rstrip("/")


def _directory(value: str) -> Path:
    path = Path(value)
    if not path.is_dir():
        raise ValueError("there is no such directory")
    return path


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in value.split(",") if part.strip())
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and (
            parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ValueError(
                "it must be * or a comma list of origins such as https://ehr.example.org"
            )
    return origins


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("it must be a time with an offset, such as 2026-11-21T09:00:00Z")
    return moment


def _missing_for_tokens(settings: Settings) -> Iterator[str]:
    """What a service that checks tokens cannot do without."""
    if not settings.public_url:
        yield (
            "CDS_PUBLIC_URL is not set, and the audience of a token cannot be checked without it."
        )
    if not settings.site_dir or not (settings.site_dir / "clients.json").is_file():
        yield (
            "CDS_AUTH is 'required' and no client is configured, so every call would be refused: "
            "list the EHRs that may call in clients.json in CDS_SITE_DIR. "
            "For a trial on this machine set CDS_AUTH=off."
        )


def _workbench(reader: _Reader, auth: str, host: str) -> Literal["on", "off", "local"]:
    """Without a word about it: there for whoever tries the service on this machine."""
    wanted = reader.choice("CDS_WORKBENCH", ("on", "off"))
    if wanted == "on":
        return "on"
    return "local" if not wanted and auth == "off" and _loopback(host) else "off"


def _warnings(auth: str, host: str) -> tuple[str, ...]:
    if auth == "off" and not _loopback(host):
        return ("CDS_AUTH=off on an address that other machines reach: anyone there may call it.",)
    return ()


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
