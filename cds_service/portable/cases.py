"""The rule tests as FHIR: each chart a Bundle, with what the rules must say of it."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cds_service.facts.chart import Chart
from cds_service.ruletests.sketch_values import SketchError
from cds_service.ruletests.testfile import Case, read_test_file
from cds_service.ruletests.testing import benches

Json = Any
Resource = dict[str, Any]
_WORDS = {"known-empty": "empty"}


def chart_bundle(chart: Chart) -> Resource:
    """All resources of a chart, drafts last; a Patient without content where none was sent."""
    resources = [entry.body for slot in chart.slots.values() for entry in slot.resources]
    resources += [entry.body for entry in chart.others]
    if not any(resource.get("resourceType") == "Patient" for resource in resources):
        resources.insert(0, {"resourceType": "Patient", "id": "nobody"})
    entries = [{"resource": resource} for resource in (*resources, *drafts_of(chart))]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def drafts_of(chart: Chart) -> list[Resource]:
    """The draft orders, each with an id: the parameters name them by it."""
    drafts = [copy.deepcopy(dict(draft.resource)) for draft in chart.drafts]
    for number, resource in enumerate(drafts, 1):
        resource.setdefault("id", f"draft-without-id-{number}")
    return drafts


def parameters_of(chart: Chart, draft: int | None) -> Mapping[str, Json]:
    """The values of the parameters of `LegCrampsReading` for a chart, `Now` aside."""
    states = {key: slot.supply.value for key, slot in chart.slots.items()}
    references = [
        f"{draft_order['resourceType']}/{draft_order['id']}" for draft_order in drafts_of(chart)
    ]
    return {
        **{f"{key} Supply": _WORDS.get(state, state) for key, state in states.items()},
        "Draft Orders": references,
        "Draft Order": None if draft is None else references[draft],
    }


def bundles(hooks: Path, site: Path | None) -> Iterator[tuple[str, Resource]]:
    """The tests of the rules as Bundles, by file name. Only those on the pack's own settings."""
    for files, bench in benches(hooks, site, ()):
        for file in files:
            stem = file.name.removesuffix(".test.json")
            for number, case in enumerate(read_test_file(file).cases, 1):
                if case.settings or case.profiles not in (None, ("seed-default",)):
                    continue
                try:
                    chart = bench.trial(case).chart
                except SketchError:
                    continue
                yield f"{stem}-{number}", _bundle(f"{stem}-{number}", case, chart)


def _bundle(identifier: str, case: Case, chart: Chart) -> Resource:
    """The chart behind a Parameters resource: the test's name, parameters and outcomes."""
    bundle = chart_bundle(chart)
    selected = [number for number, order in enumerate(chart.drafts) if order.selected]
    draft = selected[0] if selected else None
    head = {"resourceType": "Parameters", "id": "test", "parameter": _told(case, chart, draft)}
    bundle["id"] = identifier[:64]
    bundle["entry"] = [{"resource": head}, *bundle["entry"]]
    for number, entry in enumerate(bundle["entry"]):
        entry["fullUrl"] = _address(entry["resource"], number)
    return bundle


def _address(resource: Resource, number: int) -> str:
    identifier = resource.get("id") or f"without-id-{number}"
    return f"https://cds.legcramps.example/tests/{resource['resourceType']}/{identifier}"


def _told(case: Case, chart: Chart, draft: int | None) -> Sequence[Resource]:
    now = case.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    given = parameters_of(chart, draft)
    outcomes = [{"name": rule, "valueCode": outcome} for rule, outcome in case.expect.items()]
    parameters = [
        {"name": name, "valueString": part}
        for name, value in given.items()
        for part in (value if isinstance(value, list) else [value])
        if part is not None
    ]
    parts = {"parameters": parameters, "expected": outcomes}
    return [
        {"name": "test", "valueString": case.name},
        {"name": "service", "valueString": case.service},
        {"name": "Now", "valueDateTime": now},
        *({"name": name, "part": part} for name, part in parts.items() if part),  # FHIR: none empty
    ]
