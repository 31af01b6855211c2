"""FHIR Bundles as searches answer with them."""

from typing import Any

Json = Any


def next_link(value: Json) -> str | None:
    """The address of the next page of a Bundle; None without one, "" where it cannot be read."""
    links = value.get("link") if isinstance(value, dict) else None
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return url if isinstance(url, str) else ""
    return None
