"""A call means the same to the program's reader, which reads as little as it can, and to a plain
one that reads everything at once: the same cards, the same refusals.

A short run by default; `make fuzz` runs 300,000 bodies (CDS_FUZZ_BODIES, CDS_FUZZ_SEED). Each body
follows from the seed and its number alone, so a run may be split, or taken up again, at any number
(CDS_FUZZ_FIRST).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cds_service.clock import Clock
from cds_service.errors import ServiceError
from cds_service.gather.chart import gather
from cds_service.packs.load import load_pack
from cds_service.protocol.request import parse_request
from cds_service.protocol.response import card_object
from cds_service.service.runtime import Runtime
from tests.support import plain_reader, progress, spelling
from tests.support.calls import NOW
from tests.support.odd_calls import CALLS, Json

BODIES = int(os.environ.get("CDS_FUZZ_BODIES", "600"))
FIRST = int(os.environ.get("CDS_FUZZ_FIRST", "0"))
SEED = int(os.environ.get("CDS_FUZZ_SEED", "20261127"))
HOOKS = Path(__file__).resolve().parents[2] / "hooks"
SERVICES = {
    "patient-view": "leg-cramps-patient-view",
    "order-select": "leg-cramps-order-select",
    "order-sign": "leg-cramps-order-sign",
}
Read = Callable[[Any, bytes], tuple[Any, Any]]


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(load_pack(HOOKS, thorough=False), None, Clock(NOW))


def by_program(service: Any, body: bytes) -> tuple[Any, Any]:
    request = parse_request(service.hook, body)
    return request, gather(request, service, most=20_000)


def answer(runtime: Runtime, hook: str, body: bytes, read: Read) -> Any:
    """The cards as written, without what is new in each answer; or the status of a refusal."""
    service = runtime.service(SERVICES[hook])
    assert service is not None
    try:
        request, chart = read(service, body)
        cards = [card_object(card) for card in runtime.answer(service, request, chart)]
    except plain_reader.Refused:
        return 400
    except ServiceError as error:
        return error.status
    for card in cards:
        for part in (card, *card.get("suggestions", ())):
            part.pop("uuid")
    return cards


def both(runtime: Runtime, hook: str, body: bytes) -> tuple[Any, Any]:
    readers = (by_program, plain_reader.chart_of)
    ours, plain = (answer(runtime, hook, body, read) for read in readers)
    return ours, plain


def same(runtime: Runtime, hook: str, body: bytes) -> Any:
    ours, plain = both(runtime, hook, body)
    assert ours == plain, body
    return ours


@pytest.mark.parametrize("name", CALLS)
def test_odd_calls(runtime: Runtime, name: str) -> None:
    call = CALLS[name]
    cards = same(runtime, call["hook"], json.dumps(call).encode())
    padded = json.dumps(call, indent=3).encode() + b" " * 20_000
    assert same(runtime, call["hook"], padded) == cards


def test_any_body(runtime: Runtime) -> None:
    names = sorted(CALLS)
    seen: dict[str, int] = {"cards": 0, "none": 0, "refused": 0}
    differ = []
    for number in progress.told(FIRST, BODIES):
        random = Random(f"{SEED}-{number}")
        call = json.loads(json.dumps(CALLS[random.choice(names)]))
        hook, body = call["hook"], body_of(call, random)
        ours, plain = both(runtime, hook, body)
        if ours != plain:
            differ.append((number, body, ours, plain))
        seen["refused" if isinstance(ours, int) else "cards" if ours else "none"] += 1
    assert not differ, ([number for number, *_ in differ], differ[0])
    assert all(seen.values()), seen  # or it would compare nothing with nothing


def body_of(call: Json, random: Random) -> bytes:
    hook = call["hook"]
    spelling.mutate(call["prefetch"], random, random.choice((0, 1, 2, 6)))
    if random.random() < 0.15:
        spelling.mutate(call, random, 1)
    if random.random() < 0.9:
        call["hook"] = hook
    twice = random.choice((0, 0, 0.02))
    body = spelling.spell(call, random, twice).encode("utf-8", "surrogatepass")
    if random.random() < 0.2:
        body = spelling.damage(body, random)
    return body + b" " * random.choice((0, 0, 20_000))
