"""The chart on the page: FHIR resources, draft orders, the state of each prefetch key, and `now`.

It lives in the page alone and comes along with each request; nothing here keeps it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from cds_service.errors import BadRequest

Json = Any
Resource = dict[str, Json]

SENT = "sent"
MISSING, FAILED, NOT_FOUND, TIMEOUT, INCOMPLETE = (
    "missing", "failed", "404", "time-out", "incomplete",
)  # fmt: skip
STATES = (SENT, MISSING, FAILED, NOT_FOUND, TIMEOUT, INCOMPLETE)


@dataclass(frozen=True)
class Order:
    """A draft order of the call."""

    resource: Resource
    selected: bool = True


@dataclass(frozen=True)
class ChartState:
    """One chart. `now` is a date and time with an offset, or "" for the clock of the service.

    `supply` names the prefetch keys that are not sent as they are.
    """

    resources: tuple[Resource, ...] = ()
    drafts: tuple[Order, ...] = ()
    now: str = ""
    supply: Mapping[str, str] = field(default_factory=dict)

    def moment(self, clock: datetime) -> datetime:
        """The moment at which the chart is opened."""
        if not self.now:
            return clock
        try:
            moment = datetime.fromisoformat(self.now)
        except ValueError:
            raise BadRequest(
                "now-invalid", "“Now” is written 2026-11-21 or 2026-11-21T09:00:00Z.", "now"
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    @property
    def patient_id(self) -> str:
        """The id of the patient whose chart it is."""
        people = self.of_type("Patient")
        identifier = people[0].get("id") if people else None
        return identifier if isinstance(identifier, str) and identifier else "patient-1"

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of one type."""
        return [resource for resource in self.resources if resource.get("resourceType") == kind]

    def with_resource(self, resource: Resource) -> "ChartState":
        """The chart with one more resource."""
        return replace(self, resources=(*self.resources, resource))

    def without(self, references: Iterable[str]) -> "ChartState":
        """The chart without the resources so named."""
        gone = set(references)
        kept = tuple(resource for resource in self.resources if reference_of(resource) not in gone)
        return replace(self, resources=kept)

    def new_id(self, kind: str) -> str:
        """An id that no resource of the type has."""
        taken = {resource.get("id") for resource in self.resources}
        taken |= {order.resource.get("id") for order in self.drafts}
        number = 1
        while f"{kind.lower()}-{number}" in taken:
            number += 1
        return f"{kind.lower()}-{number}"


def reference_of(resource: Mapping[str, Json]) -> str:
    """ "Observation/o1"; "" without an id."""
    name = resource.get("id")
    return f"{resource.get('resourceType')}/{name}" if isinstance(name, str) and name else ""


def dump(state: ChartState) -> str:
    """The chart as the page holds it."""
    drafts = [{"resource": order.resource, "selected": order.selected} for order in state.drafts]
    content = {"now": state.now, "resources": state.resources, "drafts": drafts}
    return orjson.dumps({**content, "supply": dict(state.supply)}).decode()


def load(text: str) -> ChartState:
    """What `dump` wrote. Raises BadRequest."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest("chart-malformed", f"The chart is not JSON: {error.msg}.") from None
    return state_of(data)


def state_of(data: Json) -> ChartState:
    """The chart of parsed JSON, tolerantly: what is no object is left out."""
    if not isinstance(data, dict):
        raise BadRequest("chart-malformed", "The chart is no JSON object.")
    supply = data.get("supply")
    drafts = [
        draft for draft in _objects(data.get("drafts")) if isinstance(draft.get("resource"), dict)
    ]
    return ChartState(
        resources=tuple(_objects(data.get("resources"))),
        drafts=tuple(
            Order(draft["resource"], draft.get("selected") is not False) for draft in drafts
        ),
        now=data["now"] if isinstance(data.get("now"), str) else "",
        supply={k: v for k, v in supply.items() if v in STATES} if isinstance(supply, dict) else {},
    )


def _objects(value: Json) -> list[Resource]:
    return (
        [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
    )
