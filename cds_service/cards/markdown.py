"""Chart text made safe for a card.

Names and notes come from other people's systems and may hold markup, HTML or links. A card's
detail is GitHub Flavored Markdown (spec H5, H6), so every character that could start any of
these is escaped. The pack's own sentences are trusted and pass unchanged.
"""

import re
import unicodedata

LONGEST_CHART_TEXT = 120
ELLIPSIS = "..."

_ESCAPED = re.compile(r"[\\`*_{}\[\]|#~!$]")
_LIST_START = re.compile(r"^(?:[-+](?=[\s-]|$)|[=:]|\d{1,9}[.)](?=\s|$))")
# Most chart text needs nothing: one word after another, and no list number at the start.
_HARMLESS = re.compile(r"(?!\d{1,9}[.)](?: |$))[A-Za-z0-9](?: ?[A-Za-z0-9,()%;'./-])*")
_LINK_SCHEME = re.compile(r":/")
_WWW = re.compile(r"\b(www)\.", re.IGNORECASE)
# Bidirectional controls can make a line read differently from what it says.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, longest: int = LONGEST_CHART_TEXT) -> str:
    """One line of visible characters, at most `longest` long; for summaries and labels."""
    if not text.isascii() or not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    return shorten(" ".join(text.split()), longest)


def escape(text: str, longest: int = LONGEST_CHART_TEXT) -> str:
    """`plain(text)` as Markdown that renders as exactly those characters, without links.

    An at sign becomes " at ": no escape keeps every renderer from making a mail link.
    """
    if len(text) <= longest and _HARMLESS.fullmatch(text) and not _names_a_site(text):
        return text
    text = plain(text.replace("@", " at "), longest)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _ESCAPED.sub(r"\\\g<0>", text)
    text = _WWW.sub(r"\1\\.", _LINK_SCHEME.sub(r":\\/", text))
    return _escape_list_start(text)


def _names_a_site(text: str) -> bool:
    return "." in text and _WWW.search(text) is not None


def shorten(text: str, longest: int) -> str:
    """`text`, cut at a word and ended with "..." when it is longer than `longest`."""
    if len(text) <= longest:
        return text
    room = longest - len(ELLIPSIS)
    head = text[: room + 1]
    cut = head.rfind(" ")
    # A single endless word is cut where the room ends.
    kept = head[:cut] if cut > room // 2 else text[:room]
    return kept.rstrip(" ,;:.(") + ELLIPSIS


def _escape_list_start(text: str) -> str:
    match = _LIST_START.match(text)
    if not match:
        return text
    end = match.end() - 1
    return f"{text[:end]}\\{text[end:]}"
