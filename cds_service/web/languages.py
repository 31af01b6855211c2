"""In which language an answer is written: as the site says for the client, else as the call asks.

The site's word stands first: an EHR's HTTP library may send a language that nobody chose.
"""

from collections.abc import Mapping

from flask import request

from cds_service.cards.language import ENGLISH_TAG, closest
from cds_service.rules.model import Translation


def chosen(known: Mapping[str, Translation], own: str) -> str:
    """The tag of a language of the pack, or of English. `own` is the client's, "" for none."""
    if own:
        return closest((own,), known)
    if not known or "HTTP_ACCEPT_LANGUAGE" not in request.environ:
        return ENGLISH_TAG
    asked = request.accept_languages  # by quality, the best first
    refused = {tag.lower() for tag, quality in asked if quality <= 0}
    offered = [tag for tag in known if tag.lower() not in refused]
    return closest((tag for tag, quality in asked if quality > 0), offered)


def headers(tag: str) -> dict[str, str]:
    """Headers of an answer: the language that it is in, and what that depends on."""
    return {"Content-Language": tag, "Vary": "Accept-Language"}
