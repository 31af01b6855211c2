"""What a finding's templates may see: the call's facts, the pack's settings, the draft."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.cards import markdown, values
from cds_service.cards.render import Lookup, compile_template
from cds_service.rules.context import Facts
from cds_service.rules.model import Finding

Json = Any


@dataclass(frozen=True)
class Scene:
    """One finding's surroundings.

    `holds` says whether a condition of the card (on a sentence or a suggestion) is YES for it.
    """

    finding: Finding
    facts: Facts
    settings: Mapping[str, str]
    holds: Callable[[Json], bool]
    draft_name: str = ""
    reason: str = ""

    def plain(self, template: str, longest: int) -> str:
        """The template as one line of plain text. Raises `MissingValue`."""
        text = compile_template(template).render(self._lookup(markdown.plain))
        return markdown.plain(text, longest)

    def markdown(self, template: str) -> str:
        """The template as Markdown with the chart's words escaped. Raises `MissingValue`."""
        return compile_template(template).render(self._lookup(markdown.escape))

    def _lookup(self, clean: Callable[[str], str]) -> Lookup:
        def lookup(placeholder: str) -> str | None:
            text = self.settings.get(placeholder)
            if text is not None:
                return text
            found = self._from_chart(placeholder)
            return clean(found) if found else None

        return lookup

    def _from_chart(self, placeholder: str) -> str | None:
        if placeholder == "draft.name":
            return self.draft_name
        if placeholder == "reason":
            return self.reason
        fact, _, prop = placeholder.rpartition(".")
        return values.fact_property(self.facts.get(fact, None, self.finding.draft), prop)
