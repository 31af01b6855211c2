"""Which rules a site changed: their version says so, "1.1.0+site"."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cds_service.packs.source import obj
from cds_service.rules.inputs import inputs_of
from cds_service.rules.model import Pack, Rule

Json = Any
MARK = "+site"


def marked(pack: Pack, site: Mapping[str, Json]) -> tuple[Rule, ...]:
    """The pack's rules; those that the site changed, or whose numbers it set, carry the mark.

    A rule of the site's own is no changed one.
    """
    numbers = {setting.name for setting in pack.settings.values() if setting.by_site}
    changed = obj(site.get("rules")).keys()
    if not numbers and not changed:
        return pack.rules
    return tuple(
        replace(rule, version=f"{rule.version}{MARK}")
        if rule.id in changed or not numbers.isdisjoint(inputs_of(pack, rule).settings)
        else rule
        for rule in pack.rules
    )
