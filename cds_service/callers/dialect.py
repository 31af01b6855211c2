"""What one EHR's dialect changes, at two places: a request as it comes in, cards as they go out.

Nothing clinical is decided here: no card is added or left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from cds_service.callers.model import STANDARD, Dialect
from cds_service.protocol import body
from cds_service.protocol.model import Action, Card, Suggestion
from cds_service.protocol.raw import encoded
from cds_service.protocol.response import card_object
from cds_service.protocol.response import write as write_standard

Json = Any

_BEFORE_2 = ("1.0", "1.1")


def read(content: bytes, dialect: Dialect) -> bytes:
    """A call with the EHR's own names of code systems replaced. Raises BadRequest."""
    if not dialect.input_systems:
        return content
    body.decode_call(content)  # refuses what the renaming would hide
    call = body.decode(content)
    read_resources([call], dialect)
    return bytes(encoded(call))


def read_resources(resources: Iterable[Json], dialect: Dialect) -> None:
    """The same for FHIR data that came another way: code systems renamed in place."""
    if dialect.input_systems:
        _rename(resources, dialect.input_systems)


def write(
    cards: Sequence[Card], dialect: Dialect, own_host: str, new_uuid: Callable[[], str]
) -> bytes:
    """The response body. `own_host` is the service's, whose links are always shown; `new_uuid`
    names the suggestions that come of splitting one. Raises ValueError as `response.write` does."""
    if dialect == STANDARD:
        return write_standard(cards)
    written = [card_object(_adapted(card, dialect, own_host, new_uuid)) for card in cards]
    for card in written:
        if not dialect.feedback:
            del card["uuid"]
        if dialect.specification_version in _BEFORE_2:
            _name_deletes_in_resource(card)
    return orjson.dumps({"cards": written})


def _rename(nodes: Iterable[Json], systems: Mapping[str, str]) -> None:
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            system = node.get("system")
            if isinstance(system, str) and "code" in node and system in systems:
                node["system"] = systems[system]
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _adapted(card: Card, dialect: Dialect, own_host: str, new_uuid: Callable[[], str]) -> Card:
    suggestions = tuple(
        replace(part, actions=tuple(_action(action, dialect) for action in part.actions))
        for suggestion in card.suggestions
        for part in _split(suggestion, dialect, new_uuid)
    )
    behavior = _behavior(card, dialect) if suggestions else ""
    if behavior == "at-most-one":
        suggestions = _first_recommended(suggestions)
    card = replace(
        card,
        suggestions=suggestions,
        selection_behavior=behavior,
        links=tuple(link for link in card.links if _shown(link.url, dialect, own_host)),
        source=replace(
            card.source,
            url=card.source.url if _shown(card.source.url, dialect, own_host) else "",
        ),
    )
    return _without_2_0(card) if dialect.specification_version == "1.0" else card


def _behavior(card: Card, dialect: Dialect) -> Literal["any", "at-most-one", ""]:
    """What the site says; else the only value that 1.0 knows; else as composed."""
    if dialect.selection_behavior:
        return dialect.selection_behavior
    return "at-most-one" if dialect.specification_version == "1.0" else card.selection_behavior


def _split(
    suggestion: Suggestion, dialect: Dialect, new_uuid: Callable[[], str]
) -> Iterator[Suggestion]:
    """One suggestion for each action; the first keeps the uuid."""
    if not dialect.one_action_per_suggestion or len(suggestion.actions) < 2:
        yield suggestion
        return
    first, *others = suggestion.actions
    yield replace(suggestion, actions=(first,), label=first.description)
    for action in others:
        yield replace(suggestion, actions=(action,), label=action.description, uuid=new_uuid())


def _action(action: Action, dialect: Dialect) -> Action:
    if action.resource is None or not (dialect.action_systems or dialect.action_codes):
        return action
    return replace(action, resource=_coded(action.resource, dialect))


def _coded(node: Json, dialect: Dialect) -> Json:
    """A resource with the EHR's codings: its own order codes first, systems renamed."""
    if isinstance(node, Mapping):
        return {
            name: _codings(value, dialect) if name == "coding" else _coded(value, dialect)
            for name, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_coded(child, dialect) for child in node]
    return node


def _codings(codings: Sequence[Mapping[str, Json]], dialect: Dialect) -> list[Json]:
    own = [
        dict(dialect.action_codes[key])
        for coding in codings
        if (key := f"{coding.get('system')}|{coding.get('code')}") in dialect.action_codes
    ]
    renamed = [
        {**coding, "system": dialect.action_systems.get(coding["system"], coding["system"])}
        if "system" in coding
        else dict(coding)
        for coding in codings
    ]
    return own + renamed


def _shown(url: str, dialect: Dialect, own_host: str) -> bool:
    if dialect.link_hosts is None:
        return True
    return (urlsplit(url).hostname or "") in dialect.link_hosts | {own_host}


def _first_recommended(suggestions: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
    """With at-most-one only one suggestion may be recommended (spec row J4)."""
    taken = False
    kept = []
    for suggestion in suggestions:
        kept.append(replace(suggestion, is_recommended=suggestion.is_recommended and not taken))
        taken = taken or suggestion.is_recommended
    return tuple(kept)


def _without_2_0(card: Card) -> Card:
    """What CDS Hooks 1.0 does not know is left out."""
    return replace(
        card,
        override_reasons=(),
        source=replace(card.source, topic=None),
        suggestions=tuple(replace(s, is_recommended=False) for s in card.suggestions),
    )


def _name_deletes_in_resource(card: dict[str, Json]) -> None:
    """Before 2.0 a delete had its target in `resource` (spec row K7)."""
    for suggestion in card.get("suggestions", ()):
        for action in suggestion.get("actions", ()):
            if action["type"] == "delete":
                action["resource"] = action.pop("resourceId")
