"""`cds config show`: everything in force, and the file and line that each value came from."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.cli.tables import table
from cds_service.packs.origins import Value
from cds_service.rules.model import Pack, Setting

Json = Any
COLUMNS = ("setting", "value", "unit", "default", "origin")
_KINDS = (
    "rule", "service", "fact", "word list", "definition", "order", "value set", "units",
    "order names", "names", "drug dictionary", "list", "language",
)  # fmt: skip
_WIDEST = 60  # of a value in a table; --format json has all of it


@click.group()
def config() -> None:
    """Look at the configuration in force."""


@config.command()
@click.option("--profile", "profiles", multiple=True, help="Instead of those of site.json.")
@click.option("--changes", is_flag=True, help="Only what is not as shipped.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@for_people
def show(profiles: tuple[str, ...], changes: bool, style: str) -> None:
    """Every value in force with its file and line: settings, rules, services, facts, value sets.

    A star marks what a profile or the site changed; a plus what the site added.
    """
    from cds_service.packs.load import load_pack
    from cds_service.packs.origins import values
    from cds_service.packs.source import read_source

    hooks, site = context.folders()
    pack = load_pack(hooks, site, profiles or None, thorough=False)
    in_force = values(read_source(hooks, site, tests=False), pack.profiles)
    added = _added(in_force, site.absolute() if site else None)
    if changes:
        in_force = [value for value in in_force if value.overridden or value in added]
    click.echo(as_json(pack, in_force) if style == "json" else as_text(pack, in_force, added))


def as_text(pack: Pack, listed: Sequence[Value] | None = None, added: Sequence[Value] = ()) -> str:
    """A table of settings (all of the pack's without `listed`), then one of each other kind."""
    shown = {v.name for v in listed if v.kind == "setting"} if listed is not None else pack.settings
    listed = listed or ()
    settings = [_row(setting) for name, setting in pack.settings.items() if name in shown]
    lines = [
        f"Pack {pack.name} {pack.version}, revision {pack.revision}",
        f"Folder {pack.root}",
        f"Terminology {_terminology(pack)}",
        f"Profiles {', '.join(pack.profiles) or 'none'}",
    ]
    if settings:
        marks = {v.name: _mark(v, added) for v in listed if v.kind == "setting"}
        rows = [(*row, marks.get(row[0], "")) for row in settings]
        lines += ["", *table([(*COLUMNS, ""), *rows])]
    for kind in _KINDS:
        rows_of = [_line(value, added) for value in listed if value.kind == kind]
        if rows_of:
            lines += ["", *table([(kind, "value", "shipped", "origin", ""), *rows_of])]
    changed = sum(value.overridden for value in listed)
    if not any(value.kind == "rule" and (value.overridden or value in added) for value in listed):
        lines += ["", "All rules are as shipped."]
    lines += ["", f"{changed} value(s) not as shipped, {len(added)} added by the site."]
    return "\n".join(lines)


def _terminology(pack: Pack) -> str:
    """Which value sets and drug dictionary are in force."""
    told = pack.raw.get("terminology", {})
    version, source = told.get("version"), told.get("from", "program")
    shipped = "as shipped" if source == "program" else "from the installed wheel"
    return f"{version or 'of no version'}, {shipped}"


def as_json(pack: Pack, listed: Sequence[Value]) -> str:
    """The same for programs."""
    shown = {value.name for value in listed if value.kind == "setting"}
    rows = [_row(setting) for setting in pack.settings.values() if setting.name in shown]
    content = {
        "pack": {"name": pack.name, "version": pack.version, "revision": pack.revision},
        "folder": str(pack.root),
        "terminology": pack.raw.get("terminology", {}),
        "profiles": list(pack.profiles),
        "settings": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
        "rulesOverridden": _rules_overridden(listed),
        "values": [_as_object(value) for value in listed],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2, default=_plain).decode()


def _rules_overridden(in_force: Iterable[Value]) -> dict[str, str]:
    """By rule: what is in force and what was shipped."""
    told: dict[str, list[str]] = {}
    for value in in_force:
        if value.kind == "rule" and value.overridden:
            rule, _, field = value.name.partition(" ")
            told.setdefault(rule, []).append(f"{field} {value.value} (shipped: {value.shipped})")
    return {rule: ", ".join(changes) for rule, changes in told.items()}


def _as_object(value: Value) -> dict[str, Json]:
    content = {"kind": value.kind, "name": value.name, "value": value.value}
    content |= {"origin": value.origin, "overridden": value.overridden}
    if value.overridden:
        content |= {"shipped": value.shipped, "shippedOrigin": value.shipped_origin}
    return content


def _added(in_force: Iterable[Value], site: Path | None) -> list[Value]:
    """What has no shipped counterpart: rules, facts, value sets of the site."""
    return [
        value
        for value in in_force
        if site
        and not value.overridden
        and Path(value.origin.rpartition(":")[0]).absolute().is_relative_to(site)
    ]


def _mark(value: Value, added: Sequence[Value]) -> str:
    return "*" if value.overridden else "+" if value in added else ""


def _line(value: Value, added: Sequence[Value]) -> tuple[str, ...]:
    shipped = _shown(value.shipped) or value.shipped_origin if value.overridden else ""
    mark = _mark(value, added)
    return (value.name, _shown(value.value), shipped, value.origin, mark)


def _shown(value: Json) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        value = orjson.dumps(value, default=_plain).decode()
    return value if len(value) <= _WIDEST else f"{value[: _WIDEST - 3]}..."


def _plain(value: Json) -> Json:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError


def _row(setting: Setting) -> tuple[str, ...]:
    value, default = _words(setting.value), _words(setting.default)
    return (setting.name, value, setting.unit, default, setting.origin)


def _words(value: Decimal | bool | str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:f}" if isinstance(value, Decimal) else value
