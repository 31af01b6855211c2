"""`cds rules review`: the text of a request for approval, for somebody who saw no file of it."""

from pathlib import Path
from typing import Any

import click

from cds_service.cli import context
from cds_service.cli.documents import TO, deliver
from cds_service.cli.failures import for_people
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
    "units": "Units",
}
_OTHERS = "Words, orders and the frame of the pack"


@click.command()
@click.argument("before", default="shipped")
@click.argument("after", default="current")
@TO
@for_people
def review(before: str, after: str, target: Path | None) -> None:
    """Everything that AFTER changes about BEFORE, in words, as Markdown to be approved.

    BEFORE and AFTER as for `cds rules diff`: "shipped", "current", the folder of a pack or of a
    site (for example the checkout of the revision that was signed last), or profiles.
    """
    from cds_service.authoring.named_pack import pack_of
    from cds_service.authoring.pack_changes import pack_changes

    hooks, site = context.folders()
    old, new = pack_of(before, hooks, site), pack_of(after, hooks, site)
    deliver(as_markdown(old, new, pack_changes(old, new)), target)


def as_markdown(old: Pack, new: Pack, changes: list[str]) -> str:
    """The request: what is to be approved, what it changes by kind, and who approves."""
    lines = ["# Request for approval", "", *_packs(old, new), ""]
    if not changes:
        lines += ["Nothing that decides an answer differs.", ""]
    for title, told in _by_kind(changes).items():
        lines += [f"## {title}", "", *(f"- {line}" for line in told), ""]
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


def _by_kind(changes: list[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {title: [] for title in (*_KINDS.values(), _OTHERS)}
    for change in changes:
        first = change.partition(" ")[0].rstrip(":")
        kinds[_KINDS.get(first, _OTHERS)].append(change)
    return {title: told for title, told in kinds.items() if told}
