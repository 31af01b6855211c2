"""Where the clinical pack lives."""

import os
from collections.abc import Mapping
from pathlib import Path

from cds_service.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent.parent
CHECKOUT = _PACKAGE.parent / "hooks"
PACKAGED = _PACKAGE / "_hooks"


def hooks_dir(environ: Mapping[str, str] | None = None) -> Path:
    """CDS_HOOKS_DIR where set, else the checkout's `hooks/`, else the copy inside the wheel."""
    named = (os.environ if environ is None else environ).get("CDS_HOOKS_DIR", "")
    for folder in [Path(named)] if named else [CHECKOUT, PACKAGED]:
        if (folder / "pack.json").is_file():
            return folder
    where = f"CDS_HOOKS_DIR={named}" if named else f"{CHECKOUT} or {PACKAGED}"
    raise ConfigurationError(
        f"There is no pack.json in {where}.",
        "Set CDS_HOOKS_DIR to the folder that holds pack.json.",
    )
