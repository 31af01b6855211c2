"""CDS Hooks 2.0.1 requests and cards as typed data. No HTTP, no clinical meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from cds_service.protocol.entries import Entry, Resource, Sent
from cds_service.values import value

Json = Any


@value
class FhirAuthorization:
    """The token for the EHR's FHIR server (spec: Passing the Access Token). Never logged."""

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_in: int = 0
    scope: str = ""
    subject: str = ""
    patient: str = ""


@value
class DraftOrder:
    """An order of `context.draftOrders` as sent; `reference` is "Type/id" or "" without an id."""

    resource: Resource
    reference: str
    selected: bool


@value
class HookRequest:
    """One service call after parsing. `warnings` says what was put right, without values."""

    hook: str
    hook_instance: str
    patient_id: str  # bare id
    user_id: str
    encounter_id: str = ""
    fhir_server: str = ""
    fhir_authorization: FhirAuthorization | None = None
    prefetch: Mapping[str, Sent] = field(default_factory=dict)
    drafts: tuple[DraftOrder, ...] = ()
    others: tuple[Entry, ...] = ()  # Medication and the like inside draftOrders
    warnings: tuple[str, ...] = ()


@value
class Action:
    """`resource` for create, `resource_id` ("Type/id") for delete."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: Mapping[str, Json] | None = None
    resource_id: str = ""


@value
class Suggestion:
    label: str
    uuid: str
    actions: tuple[Action, ...] = ()
    is_recommended: bool = False


class Coding(Struct, frozen=True):
    system: str
    code: str
    display: str = ""


@value
class Source:
    label: str
    url: str = ""
    topic: Coding | None = None


class Link(Struct, frozen=True):
    label: str
    url: str
    type: Literal["absolute", "smart"] = "absolute"


@value
class Card:
    """A card before writing. `rules` ties it to rule id and version; it is not written to the EHR
    except inside `extension`."""

    uuid: str
    summary: str  # at most 139 characters, one line
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: Literal["any", "at-most-one", ""] = ""
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: Mapping[str, Json] = field(default_factory=dict)
    rules: tuple[tuple[str, str], ...] = ()  # (rule id, version), the head first


@dataclass(frozen=True)
class FeedbackEntry:
    """What became of one card. `at` is RFC 3339 as sent, with an offset.

    `suggestions` are the uuids of accepted suggestions. A reason that the EHR made itself may have
    only a display. `comment` is the user's free text: stored only where a site says so.
    """

    card: str
    outcome: Literal["accepted", "overridden"]
    at: str
    suggestions: tuple[str, ...] = ()
    reason: Coding | None = None
    comment: str = field(default="", repr=False)
