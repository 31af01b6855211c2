"""How many resources a request may hold.

Above the limit the answer is 413, not a chart cut short: what is cut may be the newest result, and
a card would then rest on a value that is out of date.
"""

from collections.abc import Mapping
from typing import Any

from cds_service.errors import ServiceError

_DEEPEST = 4  # Bundles inside Bundles, as far as they are read


def refuse_too_many(prefetch: Mapping[str, Any], most: int) -> None:
    """Raises ServiceError 413 where the prefetch values hold more than `most` entries."""
    if sum(_entries(value) for value in prefetch.values()) > most:
        raise ServiceError(
            413,
            "too-many-resources",
            f"The request holds more than {most} resources.",
            "too-costly",
            "prefetch",
        )


def _entries(value: Any, depth: int = 0) -> int:
    if not isinstance(value, dict):
        return 0
    if value.get("resourceType") != "Bundle":
        resource = value.get("resource")  # an entry of a batch answer in place of a resource
        return _entries(resource, depth + 1) if isinstance(resource, dict) and depth < 2 else 1
    entries = value.get("entry")
    if not isinstance(entries, list):
        return 0
    if depth >= _DEEPEST:
        return len(entries)
    inner = [
        resource
        for entry in entries
        if type(entry) is dict
        and type(resource := entry.get("resource")) is dict
        and resource.get("resourceType") == "Bundle"
    ]
    return len(entries) + sum(_entries(bundle, depth + 1) for bundle in inner)
