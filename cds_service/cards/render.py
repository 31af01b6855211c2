"""Templates of card texts: literal text, `{placeholders}` and `{? optional parts ?}`.

A template is compiled once and rendered against a lookup that answers each placeholder with a
text or None (docs/rule-format.md, Rules). Outside an optional part a missing value raises, so
that no card is ever shown with a hole in it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

Lookup = Callable[[str], str | None]

_TOKEN = re.compile(r"\{\?|\?\}|\{([A-Za-z][A-Za-z0-9.-]*)\}|[{}]")


class TemplateError(ValueError):
    """A template that cannot be compiled. The message quotes the pack's text, never the chart's."""


class MissingValue(LookupError):
    """A placeholder outside an optional part has no value; `placeholder` names it."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(f"no value for {{{placeholder}}}")
        self.placeholder = placeholder


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value to be looked up by name: "lab.ferritin.value", "ferritin.low.months"."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text. A nested Template is an optional part."""

    parts: tuple["str | Placeholder | Template", ...]
    literal: str | None = None  # the text of one without placeholders, as most are

    def render(self, lookup: Lookup) -> str:
        """The text with its values. Raises `MissingValue`."""
        if self.literal is not None:
            return self.literal
        out: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, Placeholder):
                out.append(_value(part, lookup))
            else:
                out.append(part._render_or_nothing(lookup))
        return "".join(out)

    @property
    def opens_with_value(self) -> bool:
        """Whether the text may begin with a value and not with words of its own."""
        return bool(self.parts) and not isinstance(self.parts[0], str)

    def placeholders(self) -> Iterator[tuple[str, bool]]:
        """Each placeholder's name, and whether its value may be missing. For `cds rules check`."""
        for part in self.parts:
            if isinstance(part, Placeholder):
                yield part.name, False
            elif isinstance(part, Template):
                yield from ((name, True) for name, _ in part.placeholders())

    def _render_or_nothing(self, lookup: Lookup) -> str:
        try:
            return self.render(lookup)
        except MissingValue:
            return ""


@lru_cache(maxsize=65536)
def compile_template(text: str) -> Template:
    """Compile a text of the pack. Raises `TemplateError` that says what is wrong and where."""
    outer: list[str | Placeholder | Template] = []
    inner: list[str | Placeholder | Template] | None = None
    end = 0
    for token in _TOKEN.finditer(text):
        here = outer if inner is None else inner
        if token.start() > end:
            here.append(text[end : token.start()])
        end = token.end()
        if token.group(1):
            here.append(Placeholder(token.group(1)))
        elif token.group() == "{?" and inner is None:
            inner = []
        elif token.group() == "?}" and inner is not None:
            outer.append(Template(tuple(inner)))
            inner = None
        else:
            raise TemplateError(f"{token.group()!r} at character {token.start() + 1} of {text!r}")
    if inner is not None:
        raise TemplateError(f"'{{?' is never closed in {text!r}")
    if end < len(text):
        outer.append(text[end:])
    return Template(tuple(outer), text if outer == [text] else None)


def _value(part: Placeholder, lookup: Lookup) -> str:
    value = lookup(part.name)
    if not value:
        raise MissingValue(part.name)
    return value
