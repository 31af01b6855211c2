"""The EHRs that may call, as data: who they are, which tokens they send, what they understand.

`callers.file` reads them from a site's `clients.json`; `web.auth` holds their tokens to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # cryptography is loaded only where tokens are checked
    from cds_service.callers.jwk import SigningKey

DEFAULT_ALGORITHMS = ("ES384", "RS384")  # spec row P20
DEFAULT_MAX_TOKEN_AGE = 3600  # seconds; best practices: no more than an hour
DEFAULT_LEEWAY = 60  # seconds
# The bounds of the schema. What is remembered of a token rests on them and not on the client's
# values, so that a later, laxer clients.json cannot make an old token valid again.
LONGEST_TOKEN_AGE = 86_400
LONGEST_LEEWAY = 300

SpecificationVersion = Literal["1.0", "1.1", "2.0", "2.0.1", "3.0"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an EHR understands of cards. The defaults are CDS Hooks 2.0.1 as it is written.

    `action_systems` renames code systems in actions; `action_codes` maps "system|code" to a coding
    that is put before the standard one; `input_systems` renames code systems of incoming data.
    `link_hosts` is None where every host is shown. What Epic wants of topics, descriptions and
    feedback (stable alphanumeric codes, description = label, `overrideReasons`) everyone gets.
    """

    specification_version: SpecificationVersion = "2.0.1"
    selection_behavior: Literal["any", "at-most-one", ""] = ""  # "": as the card was composed
    one_action_per_suggestion: bool = False
    action_systems: Mapping[str, str] = field(default_factory=dict)
    action_codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    input_systems: Mapping[str, str] = field(default_factory=dict)
    link_hosts: frozenset[str] | None = None
    language: str = ""  # of cards, whatever a call asks for; "": as it asks
    feedback: bool = True  # False: cards carry no uuid, so that the EHR reports nothing

    @property
    def reads_3_0(self) -> bool:
        """Whether discovery names the versions that CDS Hooks 3.0 added."""
        return self.specification_version == "3.0"


STANDARD = Dialect()


@dataclass(frozen=True, slots=True)
class Client:
    """One EHR organisation, known by the `iss` of its tokens.

    Where `keys` are given (by kid) nothing is fetched and `jku` only says which values the header
    of a token may have. `networks` are the address ranges that are not public and in which its
    servers may be. `audiences` are accepted beside the address of the endpoint.
    """

    name: str
    issuer: str
    jku: tuple[str, ...] = ()
    keys: "Mapping[str, SigningKey] | None" = None
    networks: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    typ_required: bool = True
    audiences: tuple[str, ...] = ()
    tenants: frozenset[str] | None = None
    subject: str = ""
    max_token_age: int = DEFAULT_MAX_TOKEN_AGE
    leeway: int = DEFAULT_LEEWAY
    fhir_servers: tuple[str, ...] = ()
    dialect: Dialect = STANDARD


Clients = Mapping[str, Client]  # by issuer
