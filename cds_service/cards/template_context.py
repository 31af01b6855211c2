"""What a finding's templates may see: the call's facts, the pack's settings, the draft."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from cds_service.cards import markdown, values, wording
from cds_service.cards.language import ENGLISH, Language
from cds_service.cards.render import Lookup, compile_template
from cds_service.facts.model import Item
from cds_service.rules.context import Facts
from cds_service.rules.model import Finding

Json = Any


class Scene(Struct, frozen=True):
    """One finding's surroundings.

    `holds` says whether a condition of the card (on a sentence or a suggestion) is YES for it;
    `items` gives the chart entries that such a condition rests on.
    """

    finding: Finding
    facts: Facts
    settings: Mapping[str, str]
    holds: Callable[[Json], bool]
    items: Callable[[Json], tuple[Item, ...]] = lambda _: ()
    draft_name: str = ""
    reason: str = ""
    language: Language = ENGLISH

    def plain(self, template: str, longest: int) -> str:
        """The template as one line of plain text. Raises `MissingValue`."""
        return markdown.plain(self._render(template, markdown.plain), longest)

    def markdown(self, template: str) -> str:
        """The template as Markdown with the chart's words escaped. Raises `MissingValue`."""
        return self._render(template, markdown.escape)

    def _render(self, template: str, clean: Callable[[str], str]) -> str:
        """Every text begins with a capital, also where it begins with the name of a drug."""
        compiled = compile_template(self.language.text(template))
        text = compiled.render(self._lookup(clean))
        return wording.opening(text) if compiled.opens_with_value else text

    def _lookup(self, clean: Callable[[str], str]) -> Lookup:
        def lookup(placeholder: str) -> str | None:
            text = self.settings.get(placeholder)
            if text is not None:
                return text
            value = self._from_chart(placeholder)
            return clean(value) if value else None

        return lookup

    def _from_chart(self, placeholder: str) -> str | None:
        if placeholder == "draft.name":
            return self.draft_name
        if placeholder == "reason":
            return self.reason
        fact, _, prop = placeholder.rpartition(".")
        read = self.facts.get(fact, None, self.finding.draft)
        return values.fact_property(read, prop, self.language)
