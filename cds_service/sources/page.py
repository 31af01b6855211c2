"""The source page of a rule as data: what the HTML shows and what the JSON holds are the same.

For the clinician who asks "says who?" (clinical section 5.1, criterion 4, and 5.3). Nothing of a
patient is in it. Texts are plain: whoever shows them escapes them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.cards.closing import sign_off
from cds_service.cards.values import setting_texts
from cds_service.packs.site_mark import MARK
from cds_service.rules.inputs import Inputs, definitions_of, exclusions_of, inputs_of
from cds_service.rules.model import Pack, Rule
from cds_service.rules.ruleset import serves
from cds_service.rules.words import with_unit
from cds_service.sources.attributes import attributes
from cds_service.sources.blind_spots import limits, listed_safeguards, when_unknown
from cds_service.sources.library import NOT_PROVIDED, Claim, Library, library_of
from cds_service.sources.logic import Logic

Json = Any
SIGN_OFF = (
    "No clinician has signed this content off. It is translated from source documents and has not"
    " been clinically validated."
)


def signed(pack: Pack) -> dict[str, Json]:
    """What the pages say of the sign-off, and the signature where there is one."""
    if not pack.signed_off:
        return {"signedOff": SIGN_OFF}
    return {
        "signedOff": f"{sign_off(pack)} Revision {pack.signed_off['revision']}.",
        "signature": dict(pack.signed_off),
    }


_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9.-]*)\}")
_WORDS = {"draft.name": "the order", "reason": "the order's reason", "shown": "value"}


class Texts:
    """Card templates for people who see no patient: settings filled in, others in brackets."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._settings = setting_texts(pack.settings)

    def shown(self, template: str) -> str:
        """ "RLS with ferritin [ferritin: value] ..., below 50"."""
        plain = template.replace("{?", "").replace("?}", "")
        return _PLACEHOLDER.sub(lambda match: self._placeholder(match[1]), plain)

    def _placeholder(self, name: str) -> str:
        if name in self._settings:
            return self._settings[name]
        if name in _WORDS:
            return f"[{_WORDS[name]}]"
        fact, _, prop = name.rpartition(".")
        known = self._pack.catalogue.facts.get(fact)
        title = known.title if known else fact
        return f"[{title}]" if prop in ("text", "names") else f"[{title}: {_WORDS.get(prop, prop)}]"


def rule_of(pack: Pack, rule_id: str) -> Rule | None:
    """The rule with this id, whatever its status."""
    return next((rule for rule in pack.rules if rule.id == rule_id), None)


def index(pack: Pack) -> dict[str, Json]:
    """All rules by group, in the order of the groups and of their ranks."""
    groups = []
    for group in sorted(pack.groups.values(), key=lambda group_of_pack: group_of_pack.order):
        rules = sorted((r for r in pack.rules if r.group == group.id), key=lambda r: (r.rank, r.id))
        if rules:
            groups.append({"title": group.title, "rules": [_entry(rule) for rule in rules]})
    return {**signed(pack), "pack": _pack(pack), "groups": groups}


def page(pack: Pack, rule: Rule) -> dict[str, Json]:
    """Everything there is to say about a rule."""
    library, used = library_of(pack), inputs_of(pack, rule)
    claims = [library.cited(name) for name in rule.claims]
    evidence = library.evidence.get("rules", {}).get(rule.id, {})
    facts = [pack.catalogue.facts[name] for name in used.facts]
    return {
        **_entry(rule),
        "hooks": list(rule.hooks),
        "services": [s.id for s in pack.services if s.enabled and serves(s, rule)],
        "group": pack.groups[rule.group].title,
        **signed(pack),
        "pendingReview": _pending(library, rule),
        "pack": _pack(pack),
        "claims": claims,
        "references": [dict(source) for source in rule.sources],
        "furtherReading": [dict(pack.links[name]) for name in _links(rule)],
        "logic": _logic(pack, rule),
        "cards": _cards(pack, rule),
        "thresholds": thresholds(pack, used),
        "inputs": [_input(pack, name) for name in used.facts],
        "evidence": _evidence(pack, rule, library, evidence),
        "guidelines": guidelines(pack, library, rule),
        "whenUnknown": when_unknown(rule),
        "limits": [
            *limits(facts, evidence.get("limits", ())),
            *listed_safeguards(pack, rule),
        ],
        "attributes": attributes(
            pack, library, used.facts, _citations(rule), _dates(library, rule)
        ),
        "history": history(library, rule),
    }


def thresholds(pack: Pack, used: Inputs) -> list[dict[str, str]]:
    """The settings that the rule reads: in force, as shipped, and who decided."""
    rows = []
    for name in used.settings:
        setting = pack.settings[name]
        rows.append(
            {
                "name": name,
                "description": setting.description,
                "inForce": with_unit(setting.value, setting.unit),
                "default": with_unit(setting.default, setting.unit),
                "setBy": _set_by(pack, name),
                "source": setting.source or NOT_PROVIDED,
            }
        )
    return rows


def guidelines(pack: Pack, library: Library, rule: Rule) -> list[dict[str, Json]]:
    """Where current guidelines and the rule's sources agree or differ."""
    verdicts = library.guidelines.get("verdicts", {})
    rows = []
    for name, entry in library.guidelines.get("guidelines", {}).items():
        if rule.id in entry["rules"]:
            links = [pack.links[link] for link in entry.get("links", ()) if link in pack.links]
            rows.append(
                {
                    "id": name,
                    "topic": entry["topic"],
                    "sources": entry["sources"],
                    "guidance": entry["guidance"],
                    "verdict": verdicts.get(entry["verdict"], entry["verdict"]),
                    "here": entry["here"],
                    "urls": [link["url"] for link in links] + list(entry.get("urls", ())),
                }
            )
    return rows


def history(library: Library, rule: Rule) -> list[dict[str, str]]:
    """Versions of the rule, the newest first; the one in force is always among them."""
    first = library.history.get("first", {})
    entries = [dict(entry) for entry in library.history.get("rules", {}).get(rule.id, ())]
    known = [*entries, *([dict(first)] if first else [])]
    if rule.version not in {entry["version"] for entry in known}:
        own = "Changed by this site." if rule.version.endswith(MARK) else NOT_PROVIDED
        known.insert(0, {"version": rule.version, "date": NOT_PROVIDED, "change": own})
    return known


def _entry(rule: Rule) -> dict[str, Json]:
    file_status = rule.raw.get("status", rule.status)
    changed = {"shippedStatus": file_status} if file_status != rule.status else {}
    return {
        "rule": rule.id,
        "title": rule.title,
        "version": rule.version,
        "status": rule.status,
        **changed,
    }


def _pack(pack: Pack) -> dict[str, Json]:
    profiles = pack.raw["pack"].data.get("profiles", {}) if "pack" in pack.raw else {}
    return {
        "name": pack.name,
        "version": pack.version,
        "revision": pack.revision,
        "profile": [{"id": name, **_titled(profiles.get(name, {}))} for name in pack.profiles],
    }


def _titled(profile: Mapping[str, Json]) -> dict[str, str]:
    return {key: profile[key] for key in ("title", "description") if key in profile}


def _cited(library: Library, rule: Rule) -> Iterable[str]:
    """The ids of the source documents behind the rule's claims."""
    claims = (library.claims.get(name) for name in rule.claims)
    return dict.fromkeys(claim.document for claim in claims if isinstance(claim, Claim))


def _pending(library: Library, rule: Rule) -> list[str]:
    """The cited documents that say themselves that they await review."""
    documents = (library.documents.get(name, {}) for name in sorted(_cited(library, rule)))
    return [
        f"{document['title']}: {document['review']}"
        for document in documents
        if "review" in document
    ]


def _logic(pack: Pack, rule: Rule) -> dict[str, Json]:
    logic = Logic(pack)
    written: dict[str, Json] = {"fires": logic.sentence(rule.when).as_json()}
    if rule.unless is not None:
        written["unless"] = logic.sentence(rule.unless).as_json()
    never = [
        str(exclusion.get("note") or logic.sentence(exclusion["when"]).text)
        for exclusion in exclusions_of(pack, rule)
    ]
    return {
        **written,
        "never": never,
        "supersedes": list(rule.supersedes),
        "definitions": [logic.definition(name).as_json() for name in definitions_of(pack, rule)],
    }


def _cards(pack: Pack, rule: Rule) -> list[dict[str, Json]]:
    """Indicator and summary of each variant, the first that applies, then of the rule itself."""
    logic, texts, headlines = Logic(pack), Texts(pack), []
    for variant in rule.variants:
        card = {**rule.card, **variant.get("card", {})}
        when = logic.sentence(variant["when"]).as_json()
        headlines.append({"when": when, **_headline(card, texts)})
    own = _headline(rule.card, texts)
    return [*headlines, {"when": "otherwise", **own} if headlines else own]


def _headline(card: Mapping[str, Json], texts: Texts) -> dict[str, str]:
    summary = card.get("summary") or card.get("line") or ""
    return {
        "indicator": str(card.get("indicator", "info")),
        "summary": texts.shown(summary) or NOT_PROVIDED,
    }


def _input(pack: Pack, name: str) -> dict[str, Json]:
    fact = pack.catalogue.facts[name]
    written: dict[str, Json] = {"fact": name, "title": fact.title, "kind": fact.kind}
    sets = [s for s in fact.value_sets if pack.terminology.has_set(s)]
    if sets:
        written["valueSets"] = [
            {"id": set_id, "version": pack.terminology.value_set(set_id).version} for set_id in sets
        ]
    if fact.lookback in pack.settings:
        setting = pack.settings[fact.lookback]
        written["lookback"] = with_unit(setting.value, setting.unit)
    return written


def _evidence(
    pack: Pack, rule: Rule, library: Library, evidence: Mapping[str, Json]
) -> dict[str, str]:
    strengths = library.evidence.get("strengths", {})
    caveat = rule.card.get("caveat", "")
    return {
        "strength": strengths.get(evidence.get("strength", ""), NOT_PROVIDED),
        **({"tier": rule.tier} if rule.tier else {}),
        "caveat": Texts(pack).shown(caveat) if caveat else NOT_PROVIDED,
    }


def _links(rule: Rule) -> list[str]:
    cards = [rule.card, *(variant.get("card", {}) for variant in rule.variants)]
    return list(dict.fromkeys(name for card in cards for name in card.get("links", ())))


def _citations(rule: Rule) -> list[str]:
    return [
        f"{source['label']} ({source['url']})" if source.get("url") else str(source["label"])
        for source in rule.sources
    ]


def _dates(library: Library, rule: Rule) -> list[str]:
    versions = [f"rule {entry['version']}: {entry['date']}" for entry in history(library, rule)]
    for name in sorted(_cited(library, rule)):
        document = library.documents.get(name, {})
        updated = document.get("updated", "undated")
        versions.append(f"{document.get('title', name)}: {updated}")
    return versions


def _set_by(pack: Pack, name: str) -> str:
    """The site, a profile, or the pack: never a path of the machine that serves the page."""
    site = pack.raw.get("site")
    if site is not None and name in (site.data.get("settings") or {}):
        return "the site"
    frame = pack.raw.get("pack")
    profiles = frame.data.get("profiles", {}) if frame is not None else {}
    for profile in reversed(pack.profiles):
        if name in profiles.get(profile, {}).get("settings", {}):
            return f"profile {profile}"
    return "the pack"
