"""The discovery document (CDS Hooks 2.0.1, and 3.0 for who reads it: rows B1 to B16)."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson

# CDS Hooks 3.0 (rows B11 to B13): the specification that a service keeps to, and the version of its
# hook. All three hooks are at 1.0 in the published tables.
VERSION_3_0 = "3.0.0"
HOOK_VERSIONS = {"patient-view": "1.0", "order-select": "1.0", "order-sign": "1.0"}
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


def write(services: Iterable[Service], *, versions: bool = False) -> bytes:
    """The document as JSON; services that are switched off are left out.

    `versions`: with what only CDS Hooks 3.0 knows.
    """
    listed = [service for service in services if service.enabled]
    return orjson.dumps({"services": [_listed(service, versions) for service in listed]})


def _listed(service: Service, versions: bool) -> dict[str, Any]:
    if not versions:
        return entry(service)
    told = {"version": VERSION_3_0, "hookVersion": HOOK_VERSIONS.get(service.hook, "")}
    return {**entry(service), **{name: text for name, text in told.items() if text}}
