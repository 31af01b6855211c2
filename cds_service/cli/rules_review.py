"""`cds rules review`: the text of a request for approval, for somebody who saw no file of it."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cds_service.cli import context
from cds_service.cli.documents import TO, deliver
from cds_service.cli.failures import for_people
from cds_service.cli.rules_diff import ALL
from cds_service.rules.model import Pack

Json = Any
_KINDS = {
    "profile": "Profile",
    "setting": "Numbers and switches",
    "rule": "Rules and texts",
    "service": "Services",
    "definition": "Conditions that rules share",
    "fact": "What is read from charts",
    "value": "Codes",
    "drug": "Drug dictionary",
    "terminology": "Terminology",
    "units": "Units",
    "code-systems": "Addresses of code systems",
    "routes": "Routes of medicines",
    "sides": "Sides and exercise",
    "statuses": "Statuses and answers in words",
    "language": "Texts in other languages",
}
_TESTS = "Tests that were changed or taken away"
_OTHERS = "Words, orders and the frame of the pack"
_MARKS = re.compile(r"[\\`*<~&]|(?<=\])\(")


@click.command()
@click.argument("before", default="shipped")
@click.argument("after", default="current")
@TO
@ALL
@for_people
def review(before: str, after: str, target: Path | None, every: bool) -> None:
    """Everything that AFTER changes about BEFORE, in words, as Markdown to be approved.

    BEFORE and AFTER as for `cds rules diff`: "shipped", "current", the folder of a pack or of a
    site (for example the checkout of the revision that was signed last), or profiles.
    """
    from cds_service.authoring.first_few import SHOWN
    from cds_service.authoring.named_pack import pack_of
    from cds_service.authoring.pack_changes import pack_changes

    hooks, site = context.folders()
    old, new = pack_of(before, hooks, site), pack_of(after, hooks, site)
    changes = pack_changes(old, new, sys.maxsize if every else SHOWN)
    deliver(as_markdown(old, new, changes), target)


def as_markdown(old: Pack, new: Pack, changes: list[str]) -> str:
    """The request: what is to be approved, what it changes by kind, and who approves."""
    lines = ["# Request for approval", "", *_packs(old, new), ""]
    if not changes:
        lines += ["Nothing that decides an answer differs.", ""]
    titles = _titles(old) | _titles(new)
    for kind, told in _by_kind(changes).items():
        lines += [f"## {kind}", "", *(f"- {_line(line, titles)}" for line in told), ""]
    lines += [
        "## Approval",
        "",
        f"By approving I answer for the content of revision `{new.revision[:12]}` at this site.",
        "",
        "Name, role and date: ",
    ]
    return "\n".join(lines) + "\n"


def _packs(old: Pack, new: Pack) -> list[str]:
    return [
        f"{word}: {pack.name} {pack.version}, revision `{pack.revision[:12]}`, "
        f"profile {', '.join(pack.profiles) or 'none'}  "
        for word, pack in (("From", old), ("To", new))
    ]


def _titles(pack: Pack) -> dict[str, str]:
    """What the things that a change may name are called, by their names in the files."""
    terminology = pack.terminology
    return {
        **{f"setting {setting.name}": setting.description for setting in pack.settings.values()},
        **{f"rule {rule.id}": rule.title for rule in pack.rules},
        **{f"service {service.id}": service.title for service in pack.services},
        **{f"fact {fact.name}": fact.title for fact in pack.catalogue.facts.values()},
        **{
            f"value set {name}": terminology.value_set(name).title for name in terminology.set_ids()
        },
    }


def _line(change: str, titles: Mapping[str, str]) -> str:
    """A change with the title of what it names, and as text: a card's words may hold Markdown, or
    the beginning of an HTML comment that would hide what follows."""
    subject, colon, rest = change.partition(": ")
    title = titles.get(subject, "")
    named = f"{subject} ({title.rstrip('.')})" if title and title not in rest else subject
    return _MARKS.sub(r"\\\g<0>", f"{named}{colon}{rest}").replace("\n", " ")


def _by_kind(changes: list[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {title: [] for title in (*_KINDS.values(), _OTHERS, _TESTS)}
    for change in changes:
        first = change.partition(" ")[0].rstrip(":")
        kinds[_TESTS if first == "tests" else _KINDS.get(first, _OTHERS)].append(change)
    return {title: told for title, told in kinds.items() if told}
