"""`cds config show`: every setting in force and where its value came from."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import click
import orjson

from cds_service.cli import context
from cds_service.cli.failures import for_people
from cds_service.cli.tables import table
from cds_service.rules.model import Pack, Rule, Setting

COLUMNS = ("setting", "value", "unit", "default", "origin")


@click.group()
def config() -> None:
    """Look at the configuration in force."""


@config.command()
@click.option("--profile", "profiles", multiple=True, help="Instead of those of site.json.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@for_people
def show(profiles: tuple[str, ...], style: str) -> None:
    """Every setting with its value, default and origin; profiles; rules that were changed."""
    from cds_service.packs.load import load_pack

    hooks, site = context.folders()
    pack = load_pack(hooks, site, profiles or None, thorough=False)
    click.echo(as_json(pack) if style == "json" else as_text(pack))


def as_text(pack: Pack) -> str:
    """A table of settings between what is loaded and what was changed about rules."""
    rows = [_row(setting) for setting in pack.settings.values()]
    changed = [f"  {rule.id}: {what}" for rule, what in overridden(pack)]
    return "\n".join(
        [
            f"Pack {pack.name} {pack.version}, revision {pack.revision}",
            f"Folder {pack.root}",
            f"Profiles {', '.join(pack.profiles) or 'none'}",
            "",
            *table([COLUMNS, *rows]),
            "",
            "Rules that are not as shipped:" if changed else "All rules are as shipped.",
            *changed,
        ]
    )


def as_json(pack: Pack) -> str:
    """The same for programs."""
    content = {
        "pack": {"name": pack.name, "version": pack.version, "revision": pack.revision},
        "folder": str(pack.root),
        "profiles": list(pack.profiles),
        "settings": [dict(zip(COLUMNS, _row(s), strict=True)) for s in pack.settings.values()],
        "rulesOverridden": {rule.id: what for rule, what in overridden(pack)},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def overridden(pack: Pack) -> list[tuple[Rule, str]]:
    """Rules that a profile or the site changed, with what is in force now.

    `Rule.raw` is the file as shipped, the other fields are what is in force.
    """
    found = []
    for rule in pack.rules:
        changes = [
            f"{name} {now} (shipped: {shipped})"
            for name, now, shipped in _differences(rule)
            if shipped is not None and now != shipped
        ]
        if changes:
            found.append((rule, ", ".join(changes)))
    return found


def _differences(rule: Rule) -> Iterable[tuple[str, Any, Any]]:
    yield "status", rule.status, rule.raw.get("status")
    yield "rank", rule.rank, rule.raw.get("rank")
    shipped = rule.raw.get("card", {}).get("indicator")
    yield "indicator", rule.card.get("indicator"), shipped


def _row(setting: Setting) -> tuple[str, ...]:
    value, default = _words(setting.value), _words(setting.default)
    return (setting.name, value, setting.unit, default, setting.origin)


def _words(value: Decimal | bool | str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:f}" if isinstance(value, Decimal) else value
