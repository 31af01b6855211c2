"""The shipped lists of routes and the like, for tests of what works without a pack's folder."""

import json
from functools import cache

from cds_service.packs.locate import CHECKOUT
from cds_service.terminology.vocabulary import LISTS, Vocabulary


@cache
def shipped() -> Vocabulary:
    """As `hooks/` has them."""
    return Vocabulary(
        {name: [json.loads((CHECKOUT / f"{name}.json").read_text("utf-8"))] for name in LISTS}
    )
