"""From a source without errors to the pack as the engine reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.facts.catalogue import Catalogue
from cds_service.packs import prefetch_templates
from cds_service.packs.check.facts import without_notes
from cds_service.packs.effective import changed_rule, effective_settings, rule_changes
from cds_service.packs.revision import revision
from cds_service.packs.sign_off import signature
from cds_service.packs.site_mark import marked
from cds_service.packs.source import PackSource, RuleFile, obj
from cds_service.packs.translations import translations
from cds_service.rules.model import Group, Pack, Rule, ServiceDefinition
from cds_service.terminology.index import Terminology
from cds_service.terminology.vocabulary import LISTS

Json = Any
# Files that are compared as what they are read into.
_PARTS = frozenset({
    "pack", "site", "facts", "definitions", "orders", "rule", "rule-test", "service", "valueset",
    "units", "clients", "language", *LISTS,
})  # fmt: skip


def build(source: PackSource, terminology: Terminology, profiles: tuple[str, ...]) -> Pack:
    """The effective pack. `source` must have passed all checks."""
    if source.pack is None:
        raise ValueError("a pack without pack.json cannot be built")
    frame = source.pack.data
    rules = tuple(_rule(file) for file in sorted(source.rules, key=lambda rule: rule.id))
    now = revision(source, profiles)
    pack = Pack(
        name=frame["name"],
        version=frame["version"],
        revision=now.digest,
        signed_off=signature(source, now.digest),
        root=source.hooks.root,
        profiles=profiles,
        settings={},
        groups={name: _group(name, data) for name, data in frame["groups"].items()},
        catalogue=Catalogue.from_json(
            {"facts": {name: without_notes(e.data) for name, e in source.facts.items()}}
        ),
        definitions={name: entry.data for name, entry in source.definitions.items()},
        terminology=terminology,
        rules=rules,
        services=tuple(_service(source, s.data, terminology) for s in source.services),
        exclusions=tuple(frame.get("exclusions", ())),
        conditional=frame["conditional"],
        links=frame["links"],
        override_reasons=frame["overrideReasons"],
        translations=translations(source),
        orders={name: _plain(entry.data) for name, entry in source.orders.items()},
        raw={
            **_as_written(source),
            "rules": {rule.id: rule for rule in rules},
            "words": {**_words(source), **terminology.vocabulary.told()},
            "files": now.files,
        },
    )
    return with_profiles(pack, profiles)


def _as_written(source: PackSource) -> dict[str, Json]:
    """What comparisons and pages read from the files themselves."""
    return {
        "pack": source.pack,
        "site": source.site,
        "facts": {name: entry.data for name, entry in source.facts.items()},
        "terminology": {
            "version": source.terminology_version,
            "from": "wheel" if source.data_folder else "program",
        },
    }


def _words(source: PackSource) -> dict[str, Json]:
    """The files that belong to no other part of the pack, by name, the site's laid over the
    shipped ones entry by entry: for comparisons."""
    words: dict[str, Json] = {}
    for name, document in source.documents:
        if name not in _PARTS:
            words[name] = _laid_over(words.get(name), document.data)
    return words


def _laid_over(below: Json, above: Json) -> Json:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}


def with_profiles(pack: Pack, profiles: Sequence[str]) -> Pack:
    """The same pack under other profiles: settings and rules change, all else is shared.

    For test runs and comparisons; the revision names the profiles it was asked for.
    """
    frame, site = pack.raw["pack"], pack.raw["site"]
    chosen = tuple(profiles)
    changes = rule_changes(frame, site, chosen)
    shipped = pack.raw["rules"].items()
    rules = tuple(changed_rule(rule, changes.get(name, {})) for name, rule in shipped)
    same = chosen == pack.profiles
    changed = replace(
        pack,
        profiles=chosen,
        revision=pack.revision if same else f"{pack.revision}+{','.join(chosen)}",
        signed_off=pack.signed_off if same else {},
        settings=effective_settings(frame, site, chosen),
        rules=rules,
    )
    return replace(changed, rules=marked(changed, obj(site.data) if site else {}))


def _rule(file: RuleFile) -> Rule:
    data = file.data
    review = data.get("reviewBy")
    return Rule(
        id=data["id"],
        version=data["version"],
        status=data["status"],
        hooks=tuple(data["hooks"]),
        group=data["group"],
        rank=data.get("rank", 100),
        title=data["title"],
        when=data["when"],
        unless=data.get("unless"),
        when_unknown=data["whenUnknown"],
        card=data["card"],
        variants=tuple(data.get("variants", ())),
        about=tuple(data.get("about", ())),
        claims=tuple(data["claims"]),
        sources=tuple(data["sources"]),
        supersedes=tuple(data.get("supersedes", ())),
        when_exclusion_unknown=data.get("whenExclusionUnknown", "soften"),
        alone=data.get("alone", True),
        joins=data.get("joins", "group"),
        tier=data.get("tier", ""),
        review_by=date.fromisoformat(review) if review else None,
        path=file.document.path,
        raw=data,
    )


def _group(name: str, data: Mapping[str, Json]) -> Group:
    return Group(
        id=name,
        title=data["title"],
        order=data["order"],
        compose=data["compose"],
        many=data.get("many", ""),
        merge=data.get("merge", False),
    )


def _service(
    source: PackSource, data: Mapping[str, Json], terminology: Terminology
) -> ServiceDefinition:
    site = obj(obj(source.site.data).get("services")) if source.site else {}
    change = obj(site.get(data["id"]))
    return ServiceDefinition(
        id=data["id"],
        hook=data["hook"],
        title=data["title"],
        description=data["description"],
        usage_requirements=data.get("usageRequirements", ""),
        prefetch=prefetch_templates.in_force(data["prefetch"], source.facts.values(), terminology),
        required=frozenset(data["required"]),
        groups=tuple(data["groups"]),
        max_cards=change.get("maxCards", data["maxCards"]),
        enabled=change.get("enabled", data.get("enabled", True)),
    )


def _plain(value: Json) -> Json:
    """A template that any JSON writer takes: Decimals as int or float."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
