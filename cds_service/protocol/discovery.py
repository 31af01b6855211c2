"""The discovery document (CDS Hooks 2.0.1: Discovery; rows B1 to B16)."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson

_MARKUP = "<>&"  # the public sandbox prints these texts as HTML


class Service(Protocol):
    """What discovery says of a service; `rules.model.ServiceDefinition` is one."""

    @property
    def id(self) -> str: ...
    @property
    def hook(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def usage_requirements(self) -> str: ...
    @property
    def prefetch(self) -> Mapping[str, str]: ...
    @property
    def enabled(self) -> bool: ...


def entry(service: Service) -> dict[str, Any]:
    """One service as discovery lists it. Raises ValueError for texts with markup characters."""
    fields = {
        "hook": service.hook,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "usageRequirements": service.usage_requirements,
    }
    for name, text in fields.items():
        if any(character in text for character in _MARKUP):
            raise ValueError(f"service {service.id}: {name} may not hold any of {_MARKUP}")
    written: dict[str, Any] = {name: text for name, text in fields.items() if text}
    if service.prefetch:
        written["prefetch"] = dict(service.prefetch)
    return written


def write(services: Iterable[Service]) -> bytes:
    """The document as JSON; services that are switched off are left out."""
    return orjson.dumps({"services": [entry(service) for service in services if service.enabled]})
