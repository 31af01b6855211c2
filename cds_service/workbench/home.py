"""Home: the state of the service, how to connect to it, and where to read on."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Blueprint, Response

from cds_service.errors import ServiceError
from cds_service.rules.model import Pack
from cds_service.service.runtime import public_url
from cds_service.store.in_force import InForce
from cds_service.store.store import Store
from cds_service.workbench import bench, views

SANDBOX = "https://sandbox.cds-hooks.org/"
R4_SERVER = "https://launch.smarthealthit.org/v/r4/fhir"
MOST_HISTORY = 10  # packs that were in force; `cds audit` tells them all
_STATUSES = ("active", "shadow", "draft", "retired")


def add(blueprint: Blueprint) -> None:
    """Add the page."""
    blueprint.add_url_rule("", "home", home)


def home() -> Response:
    """The page."""
    current = bench.current()
    runtime = current.runtime()
    address = public_url(current.settings)
    return views.page(
        "home.html",
        "home",
        health=runtime.health(),
        rules=_rules(runtime.pack),
        services=runtime.services,
        address=address,
        sandbox=_sandbox(address),
        history=_history(runtime.store),
    )


def _history(store: Store | None) -> Sequence[InForce]:
    """What was put in force lately, the newest first; nothing where it cannot be read."""
    try:
        return list(store.history())[: -MOST_HISTORY - 1 : -1] if store else ()
    except ServiceError:
        return ()  # the state above says that the database is away


def _rules(pack: Pack) -> list[tuple[str, int]]:
    counts = Counter[str](rule.status for rule in pack.rules)
    return [(status, counts[status]) for status in _STATUSES if counts[status]]


def _sandbox(address: str) -> str:
    asked = {
        "fhirServiceUrl": R4_SERVER,
        "serviceDiscoveryURL": f"{address}/cds-services",
    }
    return f"{SANDBOX}?{urlencode(asked)}"
