"""Try: a chart, the cards that it earns, and why. Everything comes with the request and goes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, request

from cds_service.errors import BadRequest
from cds_service.live.active import Active
from cds_service.rules.model import Pack, Setting
from cds_service.service.runtime import public_url
from cds_service.workbench import (
    bench,
    card_view,
    compare,
    draft,
    dropped,
    entries,
    imports,
    make_fire,
    picker,
    ready,
    rows,
    supply,
    testcase,
    views,
    what_if,
    why,
)
from cds_service.workbench.chart import STATES, ChartState, dump, load
from cds_service.workbench.judge import Judgement, asked, judge

Json = Any
WARNINGS = ("warning", "critical")
MOST_OTHERS = 20  # further patients of a file that are offered
FIRST_KNOBS = 6  # settings that stand open; the others are behind a fold
MOST_SHOWN = 200_000  # characters of a request on the page


def add(blueprint: Blueprint) -> None:
    """Add the page and what it asks for."""
    blueprint.add_url_rule("/try", "try_chart", try_chart, methods=["GET", "POST"])
    blueprint.add_url_rule("/try/pick", "pick", pick)
    blueprint.add_url_rule("/try/departures", "departures", departures, methods=["POST"])
    blueprint.add_url_rule("/try/site.json", "site_patch", site_patch, methods=["POST"])
    blueprint.add_url_rule("/try/save-site", "save_site", save_site, methods=["POST"])
    blueprint.add_url_rule("/try/compare", "compare_charts", compare_charts, methods=["POST"])
    blueprint.add_url_rule("/try/chart.json", "chart_file", chart_file, methods=["POST"])
    blueprint.add_url_rule("/try/request.json", "request_file", request_file, methods=["POST"])
    blueprint.add_url_rule("/try/case.test.json", "case_file", case_file, methods=["POST"])


@dataclass(frozen=True)
class Work:
    """What one request of the page is about: the chart, the change, the packs, the moment."""

    state: ChartState
    change: what_if.Change
    before: Active
    after: Active
    clock: datetime
    service: str = ""
    flash: str = ""
    others: tuple[str, ...] = ()  # ids of further patients in what was read

    @property
    def pack(self) -> Pack:
        """The pack with the change in it."""
        return self.after.ruleset.pack


def try_chart() -> Response:
    """The page; asked by its script only the parts that change."""
    work = _work()
    values = _shown(work)
    if views.by_script():
        return views.part("try_parts.html", keep=request.form.getlist("keep"), oob=True, **values)
    return views.page("try.html", "try", keep=[], oob=False, **values)


def pick() -> Response:
    """Entries to add, under the letters typed."""
    pack = bench.current().runtime().pack
    asked_for = request.args.get("q", "")[:100]
    found = picker.picks(pack, asked_for)
    return views.part("picks.html", picks=found, asked=asked_for, op=_op)


def _work() -> Work:
    current = bench.current()
    pack, clock = current.runtime().pack, current.now()
    form = request.form
    if request.method == "GET":
        name = request.args.get("patient", ready.patients()[0].id)
        state, change = ready.chart_of(name, pack, clock), what_if.Change()
    else:
        state = _read_state(form, pack)
        change = what_if.read(form, pack, tuple(form.getlist("profile")))
    before = current.packs.active(pack, what_if.Change())
    work = Work(
        state,
        change,
        before,
        current.packs.active(pack, change),
        state.moment(clock),
        form.get("service", ""),
    )
    return _done(work, _operation(form), clock)


def _read_state(form: Mapping[str, str], pack: Pack) -> ChartState:
    state = rows.edited(load(form.get("chart", "{}")), form, pack)
    if "now" in form:
        state = imports.at(state, form["now"].strip())
    pretended = {
        name.removeprefix("supply."): value
        for name, value in form.items()
        if name.startswith("supply.") and value in STATES and value != "sent"
    }
    shown = {name.removeprefix("supply.") for name in form if name.startswith("supply.")}
    kept = {key: mode for key, mode in state.supply.items() if key not in shown}
    return replace(state, supply={**kept, **pretended})


def _op(**values: Json) -> str:
    """The value of a button: what it does, as JSON."""
    return orjson.dumps(values).decode()


def _operation(form: Mapping[str, str]) -> Mapping[str, Json]:
    text = form.get("op", "")
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise BadRequest("operation-invalid", "The page asked for something unknown.", "op")
    return found


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
            one
            for one in _judgements(work, work.after)
            if one.service.id == operation.get("service")
        ),
        None,
    )
    if judged is None or judged.facts is None:
        return work
    found = make_fire.ways(work.after.ruleset, judged.service.id, judged.facts)
    if (rule, number) not in found:
        return work
    _, context, way = found[rule, number]
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
    for judged in _judgements(work, work.after):
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


def _judgements(work: Work, active: Active, *, explained: bool = False) -> list[Judgement]:
    address = public_url(bench.current().settings)
    return [
        judge(active, work.state, service, work.clock, public_url=address, why=explained)
        for service in asked(active, work.state, work.service)
    ]


@dataclass(frozen=True)
class Side:
    """One service's answer ready to be drawn; `changes` by card uuid."""

    judged: Judgement
    cards: list[card_view.CardView]
    changes: Mapping[str, compare.Difference]


@dataclass(frozen=True)
class Knob:
    """A setting that can be turned."""

    setting: Setting
    value: what_if.Value
    changed: bool
    rules: tuple[str, ...]


def _shown(work: Work) -> dict[str, Any]:
    judged = _judgements(work, work.after, explained=True)
    before = _judgements(work, work.before) if work.change.any else judged
    pairs = _sides(before, judged)
    whys = [(one, why.views(work.after.ruleset, one)) for one in judged]
    return {
        "work": work,
        "most_others": MOST_OTHERS,
        "state": work.state,
        "chart_text": dump(work.state),
        "groups": rows.rows(work.state, work.pack),
        "most_rows": rows.MOST_ROWS,
        "drafts": rows.drafts(work.state, work.pack),
        "person": next(iter(work.state.of_type("Patient")), None),
        "ready": ready.patients(),
        "services": [one for one in work.after.services.values() if one.enabled],
        "pairs": pairs,
        "whys": whys,
        "nearest": {one.service.id: _nearest(one, rules) for one, rules in whys},
        "knobs_list": _knobs(work, whys),
        "first_knobs": max(FIRST_KNOBS, len(work.change.settings)),
        "profiles": work.pack.raw["pack"].data.get("profiles", {}),
        "profile_was": ",".join(work.pack.profiles),
        "statuses": what_if.STATUSES,
        "patch_text": _pretty(what_if.site_json(work.before.ruleset.pack, work.change)),
        "supply_list": [
            (one, supply.keys(work.after, work.state, one, work.clock)) for one in judged
        ],
        "modes": STATES,
        "raw_list": [(one, _shortened(one.request), _pretty(one.response)) for one in judged],
        "address": public_url(bench.current().settings),
        "op": _op,
    }


def _nearest(judged: Judgement, rules: list[why.RuleView]) -> why.RuleView | None:
    """The rule nearest to firing where there is no card; where all cards are information, the
    nearest that would warn."""
    silent = [one for one in rules if one.steps and one.rule.status == "active"]
    if judged.cards:
        silent = [one for one in silent if one.rule.card.get("indicator") in WARNINGS]
        if any(card.indicator in WARNINGS for card in judged.cards):
            return None
    return min(silent, key=lambda one: one.price, default=None)


def _sides(before: list[Judgement], after: list[Judgement]) -> list[tuple[Side, Side]]:
    old = {one.service.id: one for one in before}
    pairs = []
    for one in after:
        other = old.get(one.service.id, one)
        pairing = compare.paired(other.cards, one.cards)
        pairs.append((_side(other, pairing.before), _side(one, pairing.after)))
    return pairs


def _side(judged: Judgement, changes: Mapping[str, compare.Difference]) -> Side:
    return Side(judged, [card_view.view(card) for card in judged.cards], changes)


def _knobs(work: Work, whys: list[tuple[Judgement, list[why.RuleView]]]) -> list[Knob]:
    """The settings in use, those of rules that fired or are near first."""
    used: dict[str, list[str]] = {}
    for _, rules in whys:
        for view in sorted(rules, key=lambda one: one.price):
            for name in what_if.settings_of(work.after.ruleset, view.rule.id):
                used.setdefault(name, []).append(view.rule.id)
    changed = dict.fromkeys(work.change.settings)
    names = [*changed, *(name for name in used if name not in changed)]
    return [
        Knob(
            work.pack.settings[name],
            work.pack.settings[name].value,
            name in changed,
            tuple(dict.fromkeys(used.get(name, ()))),
        )
        for name in names
    ]


def _pretty(content: Json) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode()


def _shortened(content: bytes) -> str:
    text = _pretty(orjson.loads(content))
    if len(text) <= MOST_SHOWN:
        return text
    return f"{text[:MOST_SHOWN]}\n… {len(text) - MOST_SHOWN} more characters: take the file"


def departures() -> Response:
    """What in the request departs from CDS Hooks and FHIR R4."""
    from cds_service.authoring.departures import departures as found

    work = _work()
    judged = _foremost(work)
    parsed = orjson.loads(judged.request)
    return views.part("departures.html", found=found(judged.request, parsed))


def site_patch() -> Response:
    """`site.json` with the change."""
    work = _work()
    return views.download(
        _pretty(what_if.site_json(work.before.ruleset.pack, work.change)) + "\n", "site.json"
    )


def save_site() -> Response:
    """Write the change into `site.json` of the site's folder, where that is allowed."""
    work, current = _work(), bench.current()
    text = _pretty(what_if.site_json(work.before.ruleset.pack, work.change)) + "\n"
    draft.save(current, draft.find(current, "site/site.json"), text)
    words = "site.json is saved. A running service takes it live when its tests pass."
    return views.part("edit_said.html", text=words)


def compare_charts() -> Response:
    """Whose cards the change brings, takes away or words differently."""
    work, clock = _work(), bench.current().now()
    charts = list(dropped.charts(work.before.ruleset.pack, clock))
    found = list(compare.over(work.before, work.after, charts, clock))
    return views.part("edit_cards.html", found=found, charts=len(charts))


def chart_file() -> Response:
    """The chart, to be opened here again."""
    return views.download(dump(_work().state), "chart.json")


def request_file() -> Response:
    """The call as a service would get it."""
    return views.download(_foremost(_work()).request, "request.json")


def case_file() -> Response:
    """A test file with the chart as its case, as the rules answer it now."""
    work = _work()
    judged = _foremost(work)
    case = testcase.file_of(work.state, work.clock, judged, work.pack, work.change)
    return views.download(_pretty(case) + "\n", testcase.name_of(judged))


def _foremost(work: Work) -> Judgement:
    """The answer that the chart is about: of the orders where there are drafts."""
    found = _judgements(work, work.after)
    if not found:
        raise BadRequest("service-unknown", "No service answers this chart.")
    orders = [one for one in found if one.service.hook == "order-select"]
    return (orders or found)[0]
