"""The questionnaire as a form: its answers become a QuestionnaireResponse, and feed Try."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, request

from cds_service.errors import ServiceError
from cds_service.sources.questionnaire import questionnaire_of
from cds_service.workbench import bench, views
from cds_service.workbench.chart import ChartState, Resource, dump

Json = Any
NAME = "leg-symptoms"


def add(blueprint: Blueprint) -> None:
    """Add the page and its file."""
    blueprint.add_url_rule("/questionnaire", "questionnaire", form)
    blueprint.add_url_rule(
        "/questionnaire/answers", "questionnaire_answers", answers, methods=["POST"]
    )
    blueprint.add_url_rule(
        "/questionnaire/answers.json", "questionnaire_file", file, methods=["POST"]
    )


def form() -> Response:
    """The form."""
    return views.page("questionnaire.html", "questionnaire", resource=_resource(), shown=None)


def answers() -> Response:
    """The answers as FHIR, and the chart that has them."""
    given = response_of(_resource(), request.form)
    person: Resource = {"resourceType": "Patient", "id": "patient-1", "birthDate": "1965-05-05"}
    state = ChartState(({**person, "gender": "female"}, given))
    shown = orjson.dumps(given, option=orjson.OPT_INDENT_2).decode()
    return views.page(
        "questionnaire.html",
        "questionnaire",
        resource=_resource(),
        shown=shown,
        chart_text=dump(state),
    )


def file() -> Response:
    """The QuestionnaireResponse."""
    content = orjson.dumps(response_of(_resource(), request.form), option=orjson.OPT_INDENT_2)
    return views.download(content, "answers.json", "application/fhir+json")


def _resource() -> Mapping[str, Json]:
    resource = questionnaire_of(bench.current().runtime().pack, NAME)
    if resource is None:
        raise ServiceError(404, "not-found", "The pack has no such questionnaire.", "not-found")
    return resource


def response_of(resource: Mapping[str, Json], given: Any) -> Resource:
    """The QuestionnaireResponse of a form's fields, named by `linkId`."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "answers-1",
        "status": "completed",
        "questionnaire": resource["url"],
        "subject": {"reference": "Patient/patient-1"},
        "authored": bench.current().now().isoformat(timespec="seconds"),
        "item": list(_items(resource, given)),
    }


def _items(parent: Mapping[str, Json], given: Any) -> Iterator[Resource]:
    for item in parent.get("item", ()):
        answered = [
            answer for text in given.getlist(item["linkId"]) for answer in _answer(item, text)
        ]
        inner = list(_items(item, given))
        if inner and not answered:
            yield from inner
        elif answered:
            if inner:
                answered[0]["item"] = inner
            yield {"linkId": item["linkId"], "text": item["text"], "answer": answered}


def _answer(item: Mapping[str, Json], text: str) -> Iterator[Resource]:
    if item["type"] == "boolean" and text in ("yes", "no"):
        yield {"valueBoolean": text == "yes"}
    for option in item.get("answerOption", ()):
        if option.get("valueCoding", {}).get("code") == text:
            yield {"valueCoding": option["valueCoding"]}
    if item["type"] in ("string", "text") and text.strip():
        yield {"valueString": text.strip()}
