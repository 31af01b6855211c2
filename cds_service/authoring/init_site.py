"""`cds init DIR`: a site's folder to begin with, which changes nothing yet."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from cds_service.authoring.terminology.build import readable
from cds_service.errors import ConfigurationError

Json = Any

SCHEMAS = "schemas"
_SUFFIX = ".schema.json"
_README = """# Changes of this site

The shipped rules stay as they are; this folder holds what is different here. Set CDS_SITE_DIR to
it. An upgrade of the program never touches it, so keep it under version control.

| file | holds |
|---|---|
| `site.json` | profile, settings, rules switched off or reworded, services |
| `rules/` | rules of this site, each with its tests beside it (`NAME.json`, `NAME.test.json`) |
| `valuesets/` | value sets: FHIR R4 ValueSet resources; the same id replaces a shipped one |
| `languages/` | what cards say in other languages, or otherwise (`cds rules texts`) |
| `facts.json` | what more to read from charts |
| `units.json` | units of laboratory tests, added to the shipped ones |
| `order-names.json`, `names.json` | words by which orders and entries without a code are told |
| `routes.json`, `sides.json`, `statuses.json` | words for routes of medicines, legs and statuses |
| `code-systems.json` | addresses under which your systems send known code systems |
| `tests/` | tests that belong to no rule of this site (`NAME.test.json`) |
| `definitions.json`, `orders.json` | conditions and order templates, if you need any |
| `drugs.json` | written by `cds terminology import-rxnorm`, never by hand |
| `clients.json` | the EHRs that may call; begin with a copy of `clients.json.example` |
| `schemas/` | for editors: names, explanations and completion (`cds schemas export` renews them) |

After each change: `cds rules check`, then `cds rules test`. A running service notices the change
within seconds and takes it live only if both pass. The administrator's guide shows each step.
"""
_CLIENTS: Json = {
    "$schema": f"{SCHEMAS}/clients.schema.json",
    "clients": [
        {
            "name": "hospital-ehr",
            "issuer": "https://ehr.example.org",
            "keys": {"jku": ["https://ehr.example.org/.well-known/jwks.json"]},
        }
    ],
}


def init_site(folder: Path) -> list[Path]:
    """Make the folder; the files written, relative to it.

    Raises ConfigurationError where a site's folder stands already: nothing is overwritten.
    """
    if (folder / "site.json").exists():
        raise ConfigurationError(
            f"{folder} has a site.json already; nothing was changed.", "Name another folder."
        )
    texts = {
        "site.json": readable(_schema("site", {"settings": {}, "rules": {}, "services": {}})),
        "facts.json": readable(_schema("facts", {"facts": {}})),
        "clients.json.example": readable(_CLIENTS),
        "README.md": _README,
    }
    for name in ("rules", "valuesets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, "utf-8")
            written.append(Path(name))
    return [*written, *(Path(SCHEMAS) / file for file in export_schemas(folder / SCHEMAS))]


def export_schemas(folder: Path) -> list[str]:
    """Write the JSON Schemas; the names of their files. They refer to each other by these names."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = files("cds_service") / "schemas"
    names = sorted(file.name for file in shipped.iterdir() if file.name.endswith(_SUFFIX))
    for name in names:
        (folder / name).write_bytes((shipped / name).read_bytes())
    return names


def _schema(name: str, content: Json) -> Json:
    return {"$schema": f"{SCHEMAS}/{name}{_SUFFIX}", **content}
