"""The pack that a word on the command line stands for."""

from pathlib import Path

from cds_service.errors import ConfigurationError
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack

SHIPPED, CURRENT, BUNDLED = "shipped", "current", "bundled"


def pack_of(spec: str, hooks: Path, site: Path | None) -> Pack:
    """A pack by its name.

    "shipped", "bundled" (without the terminology wheel), "current" (with the site in force), a
    pack's folder, a site's folder, or profiles of the shipped pack
    ("aasm-2025" or "aasm-2025,demo"). Raises ConfigurationError.
    """
    folder = Path(spec)
    if spec == SHIPPED:
        return load_pack(hooks, thorough=False)
    if spec == BUNDLED:
        return load_pack(hooks, thorough=False, wheel=False)
    if spec == CURRENT:
        return load_pack(hooks, site, thorough=False)
    if (folder / "pack.json").is_file():
        return load_pack(folder, thorough=False)
    if (folder / "site.json").is_file():
        return load_pack(hooks, folder, thorough=False)
    if folder.exists() or "/" in spec:
        raise ConfigurationError(f"{spec} holds neither pack.json nor site.json.")
    return load_pack(hooks, None, spec.split(","), thorough=False)
