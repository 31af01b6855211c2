"""What one request of Try is about: the chart, the change, and the packs before and after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask import request

from cds_service.errors import BadRequest
from cds_service.live.active import Active
from cds_service.rules.model import Pack
from cds_service.service.runtime import public_url
from cds_service.workbench import bench, cases, imports, ready, rows, what_if
from cds_service.workbench.chart import STATES, ChartState, load
from cds_service.workbench.chart_answers import Judgement, asked, judge


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


def received() -> Work:
    """The work that the present request brings, before what its button asks for."""
    current = bench.current()
    pack, clock = current.runtime().pack, current.now()
    form, service, words = request.form, request.form.get("service", ""), ""
    if request.method == "POST":
        state = _read_state(form, pack)
        change = what_if.read(form, pack, tuple(form.getlist("profile")))
    elif "case" in request.args:
        case = cases.find(pack, request.args["case"], request.args.get("number", "1"))
        state, change = cases.chart_of(case, pack), cases.change_of(case, pack)
        service, words = case.service, cases.words(case)
    else:
        name = request.args.get("patient", ready.patients()[0].id)
        state, change = ready.chart_of(name, pack, clock), what_if.Change()
    return Work(
        state,
        change,
        current.packs.active(pack, what_if.Change()),
        current.packs.active(pack, change),
        state.moment(clock),
        service,
        words,
    )


def _read_state(form: Mapping[str, str], pack: Pack) -> ChartState:
    held = load(form.get("chart", "{}"))
    if "undo" in form:  # the rows on the page are those of the chart that goes
        return held
    state = rows.edited(held, form, pack)
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


def judgements(work: Work, active: Active, *, explained: bool = False) -> list[Judgement]:
    """What the services say of the chart under a pack; `explained` with a tree for each rule."""
    address = public_url(bench.current().settings)
    return [
        judge(active, work.state, service, work.clock, public_url=address, why=explained)
        for service in asked(active, work.state, work.service)
    ]


def foremost(work: Work) -> Judgement:
    """The answer that the chart is about: of the orders where there are drafts."""
    judged = judgements(work, work.after)
    if not judged:
        raise BadRequest("service-unknown", "No service answers this chart.")
    orders = [judgement for judgement in judged if judgement.service.hook == "order-select"]
    return (orders or judged)[0]
