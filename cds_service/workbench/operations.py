"""What the buttons of Try do: an entry more or less, another chart, a rule made to fire."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from flask import request

from cds_service.errors import BadRequest
from cds_service.workbench import bench, entries, imports, make_fire, ready, rows, testcase, what_if
from cds_service.workbench.chart import ChartState
from cds_service.workbench.chart_answers import judge
from cds_service.workbench.try_request import Work, judgements, received

Json = Any


def current_work() -> Work:
    """The work of the present request, after what its button asked for."""
    return _done(received(), _operation(request.form), bench.current().now())


def op(**values: Json) -> str:
    """The value of a button: what it does, as JSON."""
    return orjson.dumps(values).decode()


def _operation(form: Mapping[str, str]) -> Mapping[str, Json]:
    text = form.get("op", "")
    if not text:
        return {}
    try:
        operation = orjson.loads(text)
    except orjson.JSONDecodeError:
        operation = None
    if not isinstance(operation, dict):
        raise BadRequest("operation-invalid", "The page asked for something unknown.", "op")
    return operation


def _done(work: Work, operation: Mapping[str, Json], clock: datetime) -> Work:
    """The work after what a button asked for."""
    match operation.get("do"):
        case "add":
            return _added(work, operation)
        case "remove":
            return replace(work, state=rows.without(work.state, str(operation.get("key"))))
        case "clear":
            person = work.state.of_type("Patient")
            return replace(work, state=ChartState(tuple(person[:1]), (), work.state.now))
        case "fire":
            return _fired(work, operation)
        case "set":
            return _set(work, str(operation.get("name")), str(operation.get("value")))
        case "reset":
            return replace(work, change=what_if.Change(), after=work.before)
        case "patient":
            state = ready.chart_of(str(operation.get("id")), work.pack, clock)
            return replace(work, state=state, clock=state.moment(clock))
        case "read":
            return _brought(work, str(operation.get("patient", "")), clock)
        case "accept":
            return _accepted(work, operation)
    return work


def _brought(work: Work, patient: str, clock: datetime) -> Work:
    """The chart that was pasted or dropped; of several patients the one asked for."""
    text = request.form.get("text", "")
    state, others = imports.read(text, work.pack, clock, patient)
    words = f"Read: {len(state.resources)} entries, {len(state.drafts)} draft orders."
    moment = state.moment(clock)
    return replace(work, state=state, clock=moment, flash=words, others=others)


def _added(work: Work, operation: Mapping[str, Json]) -> Work:
    kind = operation.get("kind")
    if kind not in entries.KINDS:
        raise BadRequest("operation-invalid", "There is no such kind of entry.", "op")
    coded = tuple(str(operation.get(name, "")) for name in ("system", "code", "name"))
    state = entries.add(
        work.state,
        kind,
        (coded[0], coded[1], coded[2]),
        work.clock,
        str(operation.get("value", "")),
    )
    return replace(work, state=state, flash=f"Added: {coded[2]}.")


def _set(work: Work, name: str, text: str) -> Work:
    """Another value for one setting."""
    pack = work.before.ruleset.pack
    form = {"profile.was": ",".join(work.pack.profiles), f"set.{name}": text}
    settings = {**work.change.settings, **what_if.read(form, work.pack, ()).settings}
    change = replace(work.change, settings=settings)
    after = bench.current().packs.active(pack, change)
    return replace(work, change=change, after=after, flash=f"{name} is {text} in “What if”.")


def _fired(work: Work, operation: Mapping[str, Json]) -> Work:
    """The chart changed so that a rule fires, and whether it does."""
    rule, number = str(operation.get("rule")), operation.get("draft")
    judged = next(
        (
            judgement
            for judgement in judgements(work, work.after)
            if judgement.service.id == operation.get("service")
        ),
        None,
    )
    if judged is None or judged.facts is None:
        return work
    ways = make_fire.ways(work.after.ruleset, judged.service.id, judged.facts)
    if (rule, number) not in ways:
        return work
    _, context, way = ways[rule, number]
    changer = make_fire.Changer(work.pack, context, work.clock)
    state = changer.apply(work.state, way)
    if state is None:
        return replace(work, flash="No entry of a chart can bring that about: see its tree.")
    again = judge(work.after, state, judged.service, work.clock, why=False)
    fires = again.outcomes().get(rule) == "fires"
    words = (
        f"{rule} fires now." if fires else f"Done, and {rule} still does not fire: see its tree."
    )
    return replace(work, state=state, flash=words)


def _accepted(work: Work, operation: Mapping[str, Json]) -> Work:
    """The chart after a suggestion was accepted: orders made and taken away."""
    for judged in judgements(work, work.after):
        for card in judged.cards:
            for suggestion in card.suggestions:
                key = [judged.service.id, card.summary, suggestion.label]
                if key == operation.get("offer"):
                    return replace(
                        work,
                        state=testcase.after_actions(work.state, suggestion.actions),
                        flash=f"Accepted: {suggestion.label}. The chart is as it would be then.",
                    )
    return work
