"""Two packs side by side: what changed about each rule, and who gains or loses which card."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service.authoring.chart_calls import request_for
from cds_service.authoring.stats import read_charts, services_asked
from cds_service.cards.compose import compose_cards
from cds_service.errors import ConfigurationError, ServiceError
from cds_service.gather.chart import gather
from cds_service.live.active import Active, activate
from cds_service.packs.load import load_pack
from cds_service.protocol.model import Card, HookRequest
from cds_service.protocol.request import parse_request
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Pack, ServiceDefinition

Json = Any
SHIPPED, CURRENT = "shipped", "current"


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


def pack_of(spec: str, hooks: Path, site: Path | None) -> Pack:
    """The pack that a word on the command line stands for.

    "shipped", "current" (with the site in force), a pack's folder, a site's folder, or profiles of
    the shipped pack ("aasm-2025" or "aasm-2025,demo"). Raises ConfigurationError.
    """
    folder = Path(spec)
    if spec == SHIPPED:
        return load_pack(hooks, thorough=False)
    if spec == CURRENT:
        return load_pack(hooks, site, thorough=False)
    if (folder / "pack.json").is_file():
        return load_pack(folder, thorough=False)
    if (folder / "site.json").is_file():
        return load_pack(hooks, folder, thorough=False)
    if folder.exists() or "/" in spec:
        raise ConfigurationError(f"{spec} holds neither pack.json nor site.json.")
    return load_pack(hooks, None, spec.split(","), thorough=False)


def card_changes(
    before: Pack, after: Pack, files: Iterable[Path], now: datetime
) -> Iterator[list[CardChange]]:
    """The changes of each file in turn; a request of an EHR, or a Bundle of patients.

    Bundles are opened at their last visit, requests at `now`.
    """
    old, new = activate(before), activate(after)
    for file in files:
        yield [
            change
            for chart, asked, moment in _calls(file, (before, after), now)
            for change in _compare(
                chart, asked, _cards(old, asked, moment), _cards(new, asked, moment)
            )
        ]


@dataclass(frozen=True)
class _Asked:
    """One call, which both packs are asked."""

    service: str
    make: Any  # ServiceDefinition -> HookRequest


def _calls(
    file: Path, packs: tuple[Pack, Pack], now: datetime
) -> Iterator[tuple[str, _Asked, datetime]]:
    content = _request(file)
    ids: dict[str, None] = {}
    if content is not None:
        hook = orjson.loads(content)["hook"]
        for pack in packs:
            ids |= {s.id: None for s in pack.services if s.enabled and s.hook == hook}
        for name in ids:
            yield file.name, _Asked(name, lambda s: parse_request(s.hook, content)), now
        return
    charts = read_charts(file)
    if isinstance(charts, str):
        return
    for pack in packs:
        ids |= {service.id: None for service in services_asked(pack, orders=False)}
    for number, chart in enumerate(charts):
        name = file.name if len(charts) == 1 else f"{file.name}[{number}]"
        for service in ids:
            moment = chart.opened_at() or now
            yield name, _Asked(service, lambda s, c=chart: request_for(s, c)), moment


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


def _cards(active: Active, asked: _Asked, now: datetime) -> tuple[Card, ...]:
    service = active.services.get(asked.service)
    if service is None or not service.enabled:
        return ()
    try:
        return tuple(_answer(active, service, asked.make(service), now))
    except ServiceError:
        return ()  # both packs refuse the same request; `cds call` says why


def _answer(
    active: Active, service: ServiceDefinition, request: HookRequest, now: datetime
) -> Iterable[Card]:
    facts = active.facts(gather(request, service), now)
    evaluation = evaluate(active.ruleset, service, facts)
    return compose_cards(active.pack, service, evaluation, facts, request).cards


def _compare(
    chart: str, asked: _Asked, before: tuple[Card, ...], after: tuple[Card, ...]
) -> Iterator[CardChange]:
    """Cards are the same card when the same rule heads them."""
    old = {_heads(before, card): card for card in before}
    new = {_heads(after, card): card for card in after}
    for key, card in old.items():
        if key not in new:
            yield _change(chart, asked, "loses", card)
    for key, card in new.items():
        if key not in old:
            yield _change(chart, asked, "gains", card)
        elif _seen(card) != _seen(old[key]):
            words = f"[{old[key].indicator}] {old[key].summary}"
            yield _change(chart, asked, "changes", card, words)


def _heads(cards: tuple[Card, ...], card: Card) -> tuple[str, int]:
    """The heading rule and, of several cards of one rule, which."""
    head = card.rules[0][0] if card.rules else card.summary
    same = [one for one in cards if (one.rules[0][0] if one.rules else one.summary) == head]
    return head, same.index(card)


def _seen(card: Card) -> tuple[Any, ...]:
    offers = tuple(suggestion.label for suggestion in card.suggestions)
    return card.indicator, card.summary, card.detail, offers


def _change(chart: str, asked: _Asked, what: str, card: Card, before: str = "") -> CardChange:
    rules = tuple(rule for rule, _ in card.rules)
    return CardChange(chart, asked.service, what, card.indicator, card.summary, rules, before)
