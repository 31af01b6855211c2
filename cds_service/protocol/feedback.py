"""Feedback of an EHR as typed entries (CDS Hooks 2.0.1: Feedback; rows N1 to N16).

Epic writes `overrideReasons` (an object) for `overrideReason` and puts reasons made in Epic in an
extension; both are read. An entry that breaks the specification refuses the whole batch, because a
200 means that all of it is stored. A reason may have any code, also one that no card
offered. A batch may hold as many entries as a body has room for.
"""

import re
from datetime import datetime
from typing import Any, Literal, cast

from cds_service.errors import BadRequest
from cds_service.protocol import body
from cds_service.protocol.model import Coding, FeedbackEntry

_EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason.reasonDisplay"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def parse_feedback(content: bytes) -> list[FeedbackEntry]:
    """The entries of a feedback call. Raises BadRequest that names the place."""
    data = body.decode_object(content)
    entries = data.get("feedback")
    if entries is None:
        raise _missing("feedback")
    if not isinstance(entries, list):
        raise _invalid("feedback", "an array")
    return [_entry(entry, f"feedback[{index}]") for index, entry in enumerate(entries)]


def _entry(entry: Any, place: str) -> FeedbackEntry:
    if not isinstance(entry, dict):
        raise _invalid(place, "an object")
    outcome = _outcome(entry, place)
    reason, comment = _override(entry, place) if outcome == "overridden" else (None, "")
    return FeedbackEntry(
        card=_text(entry, "card", place),
        outcome=outcome,
        at=_timestamp(entry, place),
        suggestions=_suggestions(entry, place) if outcome == "accepted" else (),
        reason=reason,
        comment=comment,
    )


def _outcome(entry: dict[str, Any], place: str) -> Literal["accepted", "overridden"]:
    outcome = _text(entry, "outcome", place)
    if outcome not in ("accepted", "overridden"):
        raise _invalid(f"{place}.outcome", "accepted or overridden")
    return cast(Literal["accepted", "overridden"], outcome)


def _timestamp(entry: dict[str, Any], place: str) -> str:
    text = _text(entry, "outcomeTimestamp", place)
    try:
        if not _RFC3339.fullmatch(text):
            raise ValueError
        datetime.fromisoformat(text.upper())
    except ValueError:
        raise _invalid(f"{place}.outcomeTimestamp", "a time such as 2026-11-21T09:00:00Z") from None
    return text


def _suggestions(entry: dict[str, Any], place: str) -> tuple[str, ...]:
    place = f"{place}.acceptedSuggestions"
    accepted = entry.get("acceptedSuggestions")
    if accepted is None or accepted == []:
        raise BadRequest("feedback-incomplete", f"{place} is required for accepted.", place)
    if not isinstance(accepted, list):
        raise _invalid(place, "an array")
    return tuple(_suggestion(item, f"{place}[{index}]") for index, item in enumerate(accepted))


def _suggestion(item: Any, place: str) -> str:
    if not isinstance(item, dict):
        raise _invalid(place, "an object")
    return _text(item, "id", place)


def _override(entry: dict[str, Any], place: str) -> tuple[Coding | None, str]:
    name = "overrideReasons" if entry.get("overrideReason") is None else "overrideReason"
    value = entry.get(name)
    if isinstance(value, list):  # the plural suggests an array
        value = value[0] if value else None
    if value is None:
        return None, ""
    if not isinstance(value, dict):
        raise _invalid(f"{place}.{name}", "an object")
    comment = value.get("userComment")
    given = value if "reason" not in value and "code" in value else value.get("reason")  # flat once
    reason = _reason(given, f"{place}.{name}.reason") or _extension_reason(value)
    return reason, comment if isinstance(comment, str) else ""


def _reason(reason: Any, place: str) -> Coding | None:
    if reason is None:
        return None
    if not isinstance(reason, dict):
        raise _invalid(place, "an object")
    system, display = reason.get("system"), reason.get("display")
    return Coding(
        system=system if isinstance(system, str) else "",
        code=_text(reason, "code", place),
        display=display if isinstance(display, str) else "",
    )


def _extension_reason(value: dict[str, Any]) -> Coding | None:
    extension = value.get("extension")
    display = extension.get(_EPIC_REASON) if isinstance(extension, dict) else None
    if not isinstance(display, str) or not display:
        return None
    return Coding(system="", code="", display=display)


def _text(holder: dict[str, Any], name: str, place: str) -> str:
    value = holder.get(name)
    if value is None or value == "":
        raise _missing(f"{place}.{name}")
    if not isinstance(value, str):
        raise _invalid(f"{place}.{name}", "a string")
    return value


def _missing(place: str) -> BadRequest:
    return BadRequest("field-missing", f"{place} is required.", place)


def _invalid(place: str, expected: str) -> BadRequest:
    return BadRequest("field-invalid", f"{place} must be {expected}.", place)
