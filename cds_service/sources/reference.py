"""The clinical reference: docs/clinical-reference.md, written from the pack and never by hand.

It holds nothing that depends on the machine, the site or the day, so a test can tell when it is
stale. The pack must be loaded without a site and with its default profile.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cds_service.rules.model import Pack, Rule
from cds_service.rules.words import with_unit
from cds_service.sources.library import Claim, Library, library_of
from cds_service.sources.page import SIGN_OFF, page

Json = Any
_INTRO = (
    "Written by `cds rules reference` from the pack (`hooks/`); do not edit it. How claims, rules"
    " and this page hang together: [decision 0006](decisions/0006-sources-and-traceability.md)."
)


def reference(pack: Pack) -> str:
    """The whole document."""
    library = library_of(pack)
    parts = [
        ["# Clinical reference", "", _INTRO, "", f"> **Not signed off.** {SIGN_OFF}"],
        _rules(pack),
        _settings(pack),
        _profiles(pack),
        _definitions(pack),
        _guidelines(library),
        _documents(library),
        _claims(library),
    ]
    return "\n\n".join("\n".join(part).strip() for part in parts) + "\n"


def _rules(pack: Pack) -> Iterator[str]:
    yield "## Rules"
    yield ""
    yield from table(
        ("rule", "title", "hooks", "status", "strongest card"),
        [
            (f"[{rule.id}](#{anchor(rule.id)})", rule.title, ", ".join(rule.hooks), rule.status, s)
            for rule in _ordered(pack)
            if (s := _strongest(rule))
        ],
    )
    for group in sorted(pack.groups.values(), key=lambda group_of_pack: group_of_pack.order):
        own = [rule for rule in _ordered(pack) if rule.group == group.id]
        for rule in own:
            yield ""
            yield from _rule(page(pack, rule), _special_limits(pack, rule))


def _special_limits(pack: Pack, rule: Rule) -> Sequence[str]:
    """The rule's own limits; those that follow from its facts are on its source page."""
    known = library_of(pack).evidence.get("rules", {}).get(rule.id, {})
    limits: Sequence[str] = known.get("limits", ())
    return limits


def _rule(entry: Json, limits: Sequence[str]) -> Iterator[str]:
    yield f"### {entry['rule']}"
    yield ""
    state = f"Version {entry['version']}, {entry['status']}"
    yield f"{entry['title']}. {state}, group {entry['group']}."
    yield ""
    rows = [("fires when", logic(entry["logic"]["fires"]))]
    if "unless" in entry["logic"]:
        rows.append(("silent when known", logic(entry["logic"]["unless"])))
    rows += [("never", line) for line in entry["logic"]["never"]]
    if entry["logic"]["supersedes"]:
        rows.append(("takes the place of", ", ".join(entry["logic"]["supersedes"])))
    rows += [(f"card: {card['indicator']}", _card(card)) for card in entry["cards"]]
    rows += [("when data are missing", entry["whenUnknown"][0])]
    rows += [
        ("thresholds", _lines(f"{s['inForce']} (`{s['name']}`)" for s in entry["thresholds"])),
        ("evidence", entry["evidence"]["strength"]),
        ("caveat", entry["evidence"]["caveat"]),
        ("guidelines", ", ".join(f"{g['id']} {g['topic']}" for g in entry["guidelines"])),
        ("limits", _lines(limits)),
        ("sources", _lines(_reference(source) for source in entry["references"])),
        ("claims", ", ".join(claim["id"] for claim in entry["claims"])),
    ]
    yield from table(("", ""), [(head, text) for head, text in rows if text])


def _settings(pack: Pack) -> Iterator[str]:
    yield "## Settings"
    yield ""
    yield from table(
        ("setting", "value", "bounds", "what it decides", "where it comes from"),
        [
            (
                f"`{name}`",
                with_unit(setting.default, setting.unit),
                f"{setting.minimum} to {setting.maximum}" if setting.minimum is not None else "",
                setting.description,
                setting.source,
            )
            for name, setting in sorted(pack.settings.items())
        ],
    )


def _profiles(pack: Pack) -> Iterator[str]:
    yield "## Profiles"
    yield ""
    profiles = pack.raw["pack"].data.get("profiles", {})
    yield from table(
        ("profile", "what it is", "settings", "rules"),
        [
            (
                f"`{name}`",
                profile.get("description", ""),
                _lines(f"`{key}`: {_plain(value)}" for key, value in profile["settings"].items()),
                _lines(f"{rule}: {_change(change)}" for rule, change in profile["rules"].items()),
            )
            for name, profile in profiles.items()
        ],
    )


def _definitions(pack: Pack) -> Iterator[str]:
    from cds_service.sources.logic import Logic

    written = Logic(pack)
    yield "## Definitions"
    yield ""
    rows = []
    for name in sorted(pack.definitions):
        sentence = written.definition(name).as_json()
        rows.append((f"`{name}`", sentence["text"], logic(sentence["parts"][0])))
    yield from table(("definition", "in words", "holds when"), rows)


def _guidelines(library: Library) -> Iterator[str]:
    verdicts = library.guidelines.get("verdicts", {})
    yield "## The sources and current guidelines"
    yield ""
    yield str(library.guidelines.get("read", ""))
    yield ""
    yield from table(
        ("", "topic", "the sources", "guidelines", "verdict", "here", "rules"),
        [
            (
                name,
                entry["topic"],
                entry["sources"],
                entry["guidance"],
                verdicts.get(entry["verdict"], ""),
                entry["here"],
                ", ".join(entry["rules"]),
            )
            for name, entry in library.guidelines.get("guidelines", {}).items()
        ],
    )


def _documents(library: Library) -> Iterator[str]:
    yield "## Source documents"
    yield ""
    yield from table(
        ("", "title", "updated", "what it says of its review"),
        [
            (
                name,
                document["title"],
                document.get("updated", "undated"),
                document.get("review", ""),
            )
            for name, document in library.documents.items()
        ],
    )
    for name, document in library.documents.items():
        yield ""
        yield f"{name}: {document['note']}"


def _claims(library: Library) -> Iterator[str]:
    yield "## Claims"
    yield ""
    yield f"All {len(library.claims)} claims of the source documents and what holds each."
    yield ""
    yield from table(
        ("claim", "document, line", "quote", "held by"),
        [
            (claim.id, f"{claim.document}:{claim.line}", f"“{claim.quote}”", _held(claim))
            for claim in library.claims.values()
        ],
    )


def _held(claim: Claim) -> str:
    held = claim.held
    parts = list(held.get("rules", ()))
    parts += [f"questionnaire {item}" for item in held.get("questionnaire", ())]
    if "text" in held:
        parts.append(f"card text of {held['text']['rule']}")
    if "documentation" in held:
        parts.append(f"here only: {held['documentation']}")
    return ", ".join(parts)


def logic(line: Json) -> str:
    """A condition on one line: "all of these: (a; b)"."""
    if isinstance(line, str):
        return line
    parts = "; ".join(logic(part) for part in line.get("parts", ()))
    return f"{line['text']}: ({parts})" if parts else str(line["text"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; cells are escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def anchor(heading: str) -> str:
    """The address that Markdown viewers give a heading."""
    return "".join(c for c in heading.lower() if c.isalnum() or c in "-_ ").replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<br\\>", "<br>")


def _ordered(pack: Pack) -> list[Rule]:
    return sorted(pack.rules, key=lambda r: (pack.groups[r.group].order, r.rank, r.id))


def _strongest(rule: Rule) -> str:
    cards = [rule.card, *({**rule.card, **v.get("card", {})} for v in rule.variants)]
    order = ("critical", "warning", "info")
    return min((str(card.get("indicator", "info")) for card in cards), key=order.index)


def _card(card: Json) -> str:
    if "when" not in card:
        return str(card["summary"])
    when = logic(card["when"])
    return (
        f"{when}: {card['summary']}" if when == "otherwise" else f"when {when}: {card['summary']}"
    )


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(texts)


def _reference(source: Json) -> str:
    label = f"[{source['label']}]({source['url']})" if source.get("url") else source["label"]
    return f"{label}, {source['topic']}" if source.get("topic") else str(label)


def _plain(value: Json) -> str:
    return with_unit(value, "")


def _change(change: Json) -> str:
    return ", ".join(f"{key} {value}" for key, value in change.items() if key != "card") or "card"
