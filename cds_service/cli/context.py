"""What several commands need: settings, folders, a runtime in this process."""

import os
from pathlib import Path
from typing import Any

import orjson

from cds_service import config
from cds_service.errors import ConfigurationError
from cds_service.packs.locate import hooks_dir
from cds_service.service.runtime import Runtime


def settings() -> config.Settings:
    """The environment for a command that answers no calls from outside."""
    return config.load(os.environ, serving=False)


def folders() -> tuple[Path, Path | None]:
    """The pack's folder and the site's, as the environment says."""
    loaded = settings()
    return loaded.hooks_dir or hooks_dir(os.environ), loaded.site_dir


def local_runtime(loaded: config.Settings) -> Runtime:
    """A runtime that records nothing: trying a request must not count as a call."""
    from cds_service.clock import Clock
    from cds_service.packs.load import load_pack
    from cds_service.service.runtime import public_url

    folder = loaded.hooks_dir or hooks_dir(os.environ)
    pack = load_pack(folder, loaded.site_dir, thorough=False)
    return Runtime(pack, None, Clock(loaded.now), public_url=public_url(loaded))


def read_request(path: Path) -> tuple[bytes, dict[str, Any]]:
    """A request file as bytes and as JSON. Raises ConfigurationError with the place."""
    content = path.read_bytes()
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(
            f"{path}:{error.lineno}:{error.colno} is not JSON: {error.msg}."
        ) from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"{path} holds no JSON object.")
    return content, parsed
