"""Rows for `cds rules list`: each rule of a pack with what an administrator asks of it first."""

from dataclasses import asdict, dataclass
from typing import Any

from cds_service.rules.conditions import Compiler
from cds_service.rules.model import Pack, Rule
from cds_service.rules.rule_index import leaves
from cds_service.rules.ruleset import serves
from cds_service.rules.words import with_unit

Json = Any


@dataclass(frozen=True)
class Row:
    """One rule. `file_status` is set where a profile or the site changed the file's status."""

    id: str
    version: str
    status: str
    group: str
    hooks: tuple[str, ...]
    services: tuple[str, ...]
    indicator: str
    title: str
    settings: tuple[str, ...]  # "ferritin.low=50 ng/mL"
    facts: tuple[str, ...]
    claims: tuple[str, ...]
    review_by: str = ""
    file: str = ""
    file_status: str = ""

    def as_json(self) -> dict[str, Json]:
        """The row as JSON, without what is empty."""
        return {key: value for key, value in asdict(self).items() if value not in ("", (), [])}


def rows(pack: Pack) -> list[Row]:
    """All rules of the pack, drafts and retired ones too, in pack order."""
    compiler = Compiler(pack.catalogue, pack.settings, pack.definitions, pack.terminology.units)
    return [_row(rule, pack, compiler) for rule in pack.rules]


def _row(rule: Rule, pack: Pack, compiler: Compiler) -> Row:
    conditions = [rule.when, *([rule.unless] if rule.unless else [])]
    conditions += [variant["when"] for variant in rule.variants]
    nodes = [compiler.condition(condition, rule.id) for condition in conditions]
    read = leaves(nodes)
    sources = [node.source for root in nodes for node in root.descend()]
    file_status = str(rule.raw.get("status", rule.status))
    return Row(
        id=rule.id,
        version=rule.version,
        status=rule.status,
        group=rule.group,
        hooks=rule.hooks,
        services=tuple(service.id for service in pack.services if serves(service, rule)),
        indicator=str(rule.card.get("indicator", "")),
        title=rule.title,
        settings=tuple(_settings(sources, pack)),
        facts=tuple(dict.fromkeys(leaf.fact for leaf in read)),
        claims=rule.claims,
        review_by=rule.review_by.isoformat() if rule.review_by else "",
        file=str(rule.path) if rule.path else "",
        file_status=file_status if file_status != rule.status else "",
    )


def _settings(sources: list[Json], pack: Pack) -> list[str]:
    named = (source.get(key) for source in sources for key in ("setting", "within"))
    known = dict.fromkeys(name for name in named if name in pack.settings)
    settings = [pack.settings[name] for name in known]
    return [f"{setting.name}={with_unit(setting.value, setting.unit)}" for setting in settings]
