"""In which language an answer is written: as the site says for the client, else as the call asks.

The site's word stands first: an EHR's HTTP library may send a language that nobody chose.
"""

from collections.abc import Mapping

from flask import Response, request

from cds_service.cards.language import ENGLISH_TAG, closest
from cds_service.rules.model import Translation
from cds_service.web import auth

_HEADER = "Accept-Language"


def chosen(known: Mapping[str, Translation]) -> str:
    """The tag of a language of the pack, or of English."""
    own = auth.dialect().language
    if own:
        return closest((own,), known)
    if not known or _HEADER not in request.headers:
        return ENGLISH_TAG
    asked = request.accept_languages  # by quality, the best first
    refused = {tag.lower() for tag, quality in asked if quality <= 0}
    offered = [tag for tag in known if tag.lower() not in refused]
    return closest((tag for tag, quality in asked if quality > 0), offered)


def told(answer: Response, tag: str) -> Response:
    """The answer, with the language that it is in and what that depends on."""
    answer.headers["Content-Language"] = tag
    answer.vary.add(_HEADER)
    return answer
