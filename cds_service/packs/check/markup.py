"""Markup in the words of cards: what an EHR would show as it is written, or must not run."""

import re
from collections.abc import Iterator

from cds_service.errors import Problem
from cds_service.packs.check.texts import all_texts
from cds_service.packs.source import PackSource

_TAG = re.compile(r"<!--|</?[A-Za-z][^<>]*>|(?i:javascript|data|vbscript):\S")
_PLAIN = ("summary", "many", "label")  # shown without Markdown, as CDS Hooks says
_MARKDOWN = re.compile(r"\*\*|__|`|\]\(|^#{1,6} |^[-*] |\$\{|<<<<<<<|>>>>>>>")


def check(source: PackSource) -> Iterator[Problem]:
    """Problems of every text that may reach a card."""
    for text in all_texts(source):
        tag = _TAG.search(text.text)
        if tag:
            message = f"HTML does not belong into a card: '{tag.group(0)[:40]}'."
            hint = "Write it as plain words."
            yield text.document.problem(text.path, "C417", message, hint)
            continue
        mark = _MARKDOWN.search(text.text) if text.path[-1] in _PLAIN else None
        if mark:
            message = f"This is shown as it is written: '{mark.group(0)}' stays."
            hint = "Take it out: a summary and a label are plain text."
            yield text.document.problem(text.path, "C418", message, hint, severity="warning")
