"""Two packs side by side: who gains or loses which card."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import ServiceError
from cds_service.population.judge import VIEW, Judge, Shared
from cds_service.population.replay import Moment
from cds_service.population.survey import read_charts
from cds_service.protocol.model import Card
from cds_service.protocol.request import parse_request
from cds_service.rules.model import Pack


@dataclass(frozen=True)
class CardChange:
    """A card that one pack gives and the other does not, or gives in other words."""

    chart: str  # the file, and the place of the chart in it
    service: str
    change: str  # gains, loses, changes
    indicator: str
    summary: str
    rules: tuple[str, ...]
    before: str = ""  # the summary before, for "changes"


def card_changes(
    before: Pack, after: Pack, files: Iterable[Path], now: datetime
) -> Iterator[list[CardChange]]:
    """The changes of each file in turn; a request of an EHR, or a Bundle of patients.

    Bundles are opened at their last visit, requests at `now`.
    """
    old, new = Judge(before, orders=False), Judge(after, orders=False)
    for file in files:
        yield [
            change
            for chart, service, ask in _calls(file, (old, new), now)
            for change in _compare(chart, service, ask(old), ask(new))
        ]


Ask = Callable[[Judge], tuple[Card, ...]]


def _calls(
    file: Path, judges: tuple[Judge, Judge], now: datetime
) -> Iterator[tuple[str, str, Ask]]:
    """Each call that both packs are asked: the chart, the service, and how to ask."""
    content = _request(file)
    if content is not None:
        hook = orjson.loads(content)["hook"]
        for service in _either(judges, hook):
            yield file.name, service, partial(_of_request, service, content, now)
        return
    charts = read_charts(file)
    for number, chart in enumerate(() if isinstance(charts, str) else charts):
        name = file.name if len(charts) == 1 else f"{file.name}[{number}]"
        opened = Moment(chart.opened_at() or now, chart)
        shared: Shared = {}
        for service in _either(judges, VIEW):
            yield name, service, partial(_of_chart, service, opened, shared)


def _either(judges: tuple[Judge, Judge], hook: str) -> dict[str, None]:
    """The services of a hook that either pack answers."""
    return {
        service.id: None
        for judge in judges
        for service in judge.services.values()
        if service.enabled and service.hook == hook
    }


def _of_request(name: str, content: bytes, now: datetime, judge: Judge) -> tuple[Card, ...]:
    service = judge.services.get(name)
    if service is None or not service.enabled:
        return ()
    try:
        request = parse_request(service.hook, content)
    except ServiceError:
        return ()  # both packs refuse the same request; `cds call` says why
    return judge.hear(service, request, now).cards


def _of_chart(name: str, opened: Moment, shared: Shared, judge: Judge) -> tuple[Card, ...]:
    service = judge.services.get(name)
    if service is None or not service.enabled:
        return ()
    return judge.ask(service, opened, shared).cards


def _request(file: Path) -> bytes | None:
    """The file's bytes if it is a CDS Hooks request."""
    if file.suffix != ".json":
        return None
    content = file.read_bytes()
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(parsed, dict) and isinstance(parsed.get("hook"), str) else None


def _compare(
    chart: str, service: str, before: tuple[Card, ...], after: tuple[Card, ...]
) -> Iterator[CardChange]:
    """Cards are the same card when the same rule heads them."""
    old = {_heads(before, card): card for card in before}
    new = {_heads(after, card): card for card in after}
    for key, card in old.items():
        if key not in new:
            yield _change(chart, service, "loses", card)
    for key, card in new.items():
        if key not in old:
            yield _change(chart, service, "gains", card)
        elif _seen(card) != _seen(old[key]):
            words = f"[{old[key].indicator}] {old[key].summary}"
            yield _change(chart, service, "changes", card, words)


def _heads(cards: tuple[Card, ...], card: Card) -> tuple[str, int]:
    """The heading rule and, of several cards of one rule, which."""
    head = _head(card)
    siblings = [sibling for sibling in cards if _head(sibling) == head]
    return head, siblings.index(card)


def _head(card: Card) -> str:
    return card.rules[0][0] if card.rules else card.summary


def _seen(card: Card) -> tuple[Any, ...]:
    offers = tuple(suggestion.label for suggestion in card.suggestions)
    return card.indicator, card.summary, card.detail, offers


def _change(chart: str, service: str, what: str, card: Card, before: str = "") -> CardChange:
    rules = tuple(rule for rule, _ in card.rules)
    return CardChange(chart, service, what, card.indicator, card.summary, rules, before)
