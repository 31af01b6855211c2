"""Where data that an EHR did not send will be asked for: the seam, and the answer of today.

Reading from the EHR's FHIR server is not offered yet. `gather` hands every prefetch key that is
missing or failed to a `Fallback`, and reads what comes back as if it had been prefetched; a FHIR
client that implements it can be passed in place of `NoFallback`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from cds_service.protocol.model import HookRequest


class Fallback(Protocol):
    """Asks somewhere else for prefetch keys."""

    def fetch(self, request: HookRequest, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Prefetch values (Bundle, resource, OperationOutcome) of the keys that could be asked for.

        `wanted` maps keys to their prefetch templates, with the tokens unresolved.
        """
        ...


class NoFallback:
    """There is nowhere to ask: the request's prefetch is all there is."""

    def fetch(self, request: HookRequest, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Nothing, for any key."""
        return {}
