"""Who signed the content off: `signedOff` of site.json, else of pack.json, for one revision.

A signature is of the content in force, the site's changes and the profiles included. A changed
revision loses it; the signature itself is no part of the revision.
"""

from collections.abc import Mapping

from cds_service.packs.source import PackSource, obj, word

KEY = "signedOff"


def signature(source: PackSource, revision: str) -> Mapping[str, str]:
    """who, role, date and revision; empty where nobody signed this revision."""
    for document in (source.site, source.pack):
        signed = obj(obj(document.data).get(KEY)) if document else {}
        if word(signed.get("revision")) == revision:
            return {name: word(signed.get(name)) for name in ("who", "role", "date", "revision")}
    return {}
