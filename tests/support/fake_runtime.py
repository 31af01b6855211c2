"""A runtime without clinical content, for tests of the web layer alone."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from cds_service.facts.chart import Chart
from cds_service.protocol.model import Card, FeedbackEntry, HookRequest, Source
from cds_service.rules.model import Translation

CARD = Card(
    uuid="0b5c1f0e-6a3d-4a7b-9f0e-1d2c3b4a5968",
    summary="A card",
    indicator="info",
    source=Source("A source"),
)


def service(service_id: str = "review", hook: str = "patient-view", **changes: Any) -> Any:
    """A service definition; only what the web layer reads."""
    fields = {
        "id": service_id,
        "hook": hook,
        "title": "Review",
        "description": "Looks at the chart.",
        "usage_requirements": "",
        "prefetch": {"patient": "Patient/{{context.patientId}}"},
        "required": frozenset({"patient"}),
        "enabled": True,
    }
    return SimpleNamespace(**fields | changes)


class FakeRuntime:
    """Answers every call with `cards`, or raises `error`; remembers what it was given."""

    def __init__(self, *services: Any, cards: Sequence[Card] = (CARD,)) -> None:
        german = Translation("de", "Deutsch", {}, {})
        self.pack: Any = SimpleNamespace(services=services, translations={"de": german})
        self.cards = cards
        self.error: Exception | None = None
        self.calls: list[tuple[HookRequest, Chart]] = []
        self.stored: list[FeedbackEntry] = []
        self.hanging = 0
        self.report: Mapping[str, Any] = {"ready": True}

    def in_force(self) -> "FakeRuntime":
        return self

    def service(self, service_id: str) -> Any:
        return next((one for one in self.pack.services if one.id == service_id), None)

    def services_in(self, _language: str) -> Sequence[Any]:
        return list(self.pack.services)

    def answer(
        self, _service: Any, request: HookRequest, chart: Chart, _spent: Any = None, *_: Any
    ) -> Sequence[Card]:
        self._maybe_fail()
        self.calls.append((request, chart))
        return self.cards

    def record_feedback(self, _service: Any, entries: Sequence[FeedbackEntry]) -> None:
        self._maybe_fail()
        self.stored.extend(entries)

    def health(self) -> Mapping[str, Any]:
        return self.report

    def _maybe_fail(self) -> None:
        if self.error:
            raise self.error
