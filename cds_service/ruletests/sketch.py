"""A chart from its sketch in a rule's test file, so that tests run through the whole facts layer.

Lists that the sketch does not give are known-empty. Errors are SketchError with the place.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cds_service.facts.chart import PREFETCH_KEYS, Chart, Draft, Resource, Slot, Supply
from cds_service.facts.fhir import reference_of
from cds_service.facts.prefetch_keys import KEY_OF_TYPE
from cds_service.protocol.entries import entry as sent
from cds_service.ruletests import sketch_entries as entries
from cds_service.ruletests.sketch_values import Json, SketchError, checked, did_you_mean, moment

# Key of a sketch: the prefetch key that its resources come under ("" for supporting resources).
_LISTS: Mapping[str, tuple[str, entries.Builder]] = {
    "conditions": ("conditions", entries.condition),
    "statements": ("medicationStatements", entries.statement),
    "requests": ("medicationRequests", entries.request),
    "observations": ("observations", entries.observation),
    "procedures": ("procedures", entries.procedure),
    "orders": ("serviceRequests", entries.order),
    "administrations": ("", entries.administration),
}
_GAPS = {"missing": Supply.MISSING, "failed": Supply.FAILED, "incomplete": Supply.INCOMPLETE}
_GAP_WORDS = {
    Supply.FAILED: "could not be read",
    Supply.INCOMPLETE: "is not complete",
}
KEYS = frozenset({*_LISTS, *_GAPS, "patient", "encounter", "answers", "drafts"})


def merged(base: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    """A case's sketch over the file's base: its keys replace those of the base, the patient's
    properties one by one."""
    together = {**base, **own}
    both = (base.get("patient"), own.get("patient"))
    if all(isinstance(patient, Mapping) for patient in both):
        together["patient"] = {**base["patient"], **own["patient"]}
    return together


def chart_of(
    sketch: Mapping[str, Json],
    now: datetime,
    hook: str = "patient-view",
    questionnaire: str = "",
    bundle: Mapping[str, Json] | None = None,
) -> Chart:
    """The chart that a sketch stands for at `now`.

    `questionnaire` is the address that sketched answers belong to. The resources of a FHIR `bundle`
    come first, the sketched ones after them.
    """
    checked(sketch, KEYS, "")
    by_slot, others = _from_bundle(bundle or {})
    for key, (slot, build) in _LISTS.items():
        resources = [
            build(entry, entries.Place(f"{key}[{n}]", n + 1, now))
            for n, entry in enumerate(_listed(sketch, key))
        ]
        (by_slot[slot] if slot else others).extend(resources)
    if "answers" in sketch:
        others.append(_answers(sketch["answers"], questionnaire, now))
    _person(sketch, by_slot, now, bundle is not None)
    return Chart(_slots(sketch, by_slot), _drafts(sketch, now), [*map(sent, others)], hook)


def _listed(sketch: Mapping[str, Json], key: str) -> Sequence[Json]:
    value = sketch.get(key, [])
    if not isinstance(value, list):
        raise SketchError(key, "must be a list")
    return value


def _person(
    sketch: Mapping[str, Json], by_slot: dict[str, list[Resource]], now: datetime, from_bundle: bool
) -> None:
    if sketch.get("patient") is not None or not ("patient" in sketch or from_bundle):
        place = entries.Place("patient", 1, now)
        by_slot["patient"] = [entries.patient(sketch.get("patient", {}), place)]
    if sketch.get("encounter") is not None:
        place = entries.Place("encounter", 1, now)
        by_slot["encounter"] = [entries.encounter(sketch["encounter"], place)]


def _slots(sketch: Mapping[str, Json], by_slot: Mapping[str, list[Resource]]) -> dict[str, Slot]:
    supply = {key: Supply.SUPPLIED if by_slot[key] else Supply.EMPTY for key in PREFETCH_KEYS}
    for gap, state in _GAPS.items():
        for key in _listed(sketch, gap):
            if key not in supply:
                hint = did_you_mean(key, PREFETCH_KEYS)
                raise SketchError(gap, f"no prefetch key '{key}'.{hint}")
            supply[key] = state
    return {key: _slot(key, supply[key], by_slot[key]) for key in PREFETCH_KEYS}


def _slot(key: str, supply: Supply, resources: Sequence[Resource]) -> Slot:
    if supply in (Supply.MISSING, Supply.FAILED):
        resources = ()  # what did not arrive is not in the chart, whatever the base sketches
    problem = _GAP_WORDS.get(supply, "")
    return Slot(supply, [*map(sent, resources)], f"{key} {problem}" if problem else "")


def _drafts(sketch: Mapping[str, Json], now: datetime) -> list[Draft]:
    drafts = []
    for n, entry in enumerate(_listed(sketch, "drafts")):
        resource = entries.draft(entry, entries.Place(f"drafts[{n}]", n + 1, now))
        drafts.append(Draft(resource, reference_of(resource), entry.get("selected", True)))
    return drafts


def _answers(answers: Json, questionnaire: str, now: datetime) -> Resource:
    """A QuestionnaireResponse: `{"Q7": true, "date": "-10d"}`."""
    if not isinstance(answers, Mapping):
        raise SketchError("answers", "must be an object of answers by linkId")
    items = []
    for link, answer in answers.items():
        if link == "date":
            continue
        kind = "valueBoolean" if isinstance(answer, bool) else "valueString"
        items.append({"linkId": link, "answer": [{kind: answer}]})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answers-1",
        "status": "completed",
        "questionnaire": questionnaire,
        "subject": {"reference": entries.PATIENT},
        "authored": moment(answers.get("date", "-10d"), now, "answers.date"),
        "item": items,
    }


def _from_bundle(
    bundle: Mapping[str, Json],
) -> tuple[dict[str, list[Resource]], list[Resource]]:
    by_slot: dict[str, list[Resource]] = {key: [] for key in PREFETCH_KEYS}
    others: list[Resource] = []
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource", {})
        slot = KEY_OF_TYPE.get(resource.get("resourceType", ""))
        (by_slot[slot] if slot else others).append(resource)
    return by_slot, others
