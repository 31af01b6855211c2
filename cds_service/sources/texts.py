"""Card templates for people who see no patient: settings filled in, the rest named in brackets."""

import re

from cds_service.cards.values import setting_texts
from cds_service.rules.model import Pack

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9.-]*)\}")
_WORDS = {"draft.name": "the order", "reason": "the order's reason", "shown": "value"}


class Texts:
    """Shows the templates of one pack."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._settings = setting_texts(pack.settings)

    def shown(self, template: str) -> str:
        """ "RLS with ferritin [ferritin: value] ..., below 50"."""
        plain = template.replace("{?", "").replace("?}", "")
        return _PLACEHOLDER.sub(lambda match: self._placeholder(match[1]), plain)

    def _placeholder(self, name: str) -> str:
        if name in self._settings:
            return self._settings[name]
        if name in _WORDS:
            return f"[{_WORDS[name]}]"
        fact, _, prop = name.rpartition(".")
        known = self._pack.catalogue.facts.get(fact)
        title = known.title if known else fact
        return f"[{title}]" if prop in ("text", "names") else f"[{title}: {_WORDS.get(prop, prop)}]"
