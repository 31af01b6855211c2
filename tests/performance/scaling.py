"""What 10,000 rules cost instead of the shipped ones, and ten times the resources.

In this process, without a server: the ratio is about the rules and not about HTTP. The added rules
are like the shipped ones (a complaint and a problem of their own) and about problems that the
patient does not have, as in a pack for a whole hospital.
"""

import gc
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cds_service.clock import Clock
from cds_service.gather.chart import gather
from cds_service.packs.load import load_pack
from cds_service.packs.locate import hooks_dir
from cds_service.protocol.request import parse_request
from cds_service.service.runtime import Runtime
from tests.performance import charts
from tests.performance.goals import judged

Answer = Callable[[], None]

RULES = 10_000
PROBLEMS = 500  # facts that the added rules are about
ROUNDS = 40
IN_A_ROW = 4
MORE_RULES = 1.5  # goals: at most this many times as long
TENFOLD = 10.0
SERVICE = "leg-cramps-patient-view"


def show() -> None:
    """Measure and print both ratios."""
    source = hooks_dir(os.environ)
    with tempfile.TemporaryDirectory(prefix="cds-bench-") as folder:
        few = _runtime(source)
        many = _runtime(_with_more_rules(source, Path(folder) / "hooks"))
    typical, tenfold = charts.request("typical"), _tenfold()
    gc.collect()
    gc.freeze()
    base, grown = _milliseconds(_answer(few, typical), _answer(many, typical), ROUNDS)
    print(f"\n{len(few.ruleset.rules)} rules  {base:.2f} ms CPU an answer, parsing included")
    told = f"{len(many.ruleset.rules)} rules  {grown:.2f} ms"
    print(told, judged(grown / base, MORE_RULES), sep=", ")
    base, larger = _milliseconds(_answer(few, typical), _answer(few, tenfold), ROUNDS // 2)
    print(f"ten times the resources  {larger:.2f} ms", judged(larger / base, TENFOLD), sep=", ")


def _tenfold() -> bytes:
    charts.SIZES["tenfold"] = charts.SIZES["typical"] * 10
    return charts.request("tenfold")


def _runtime(hooks: Path) -> Runtime:
    now = datetime.fromisoformat(f"{charts.NOW}T09:00:00+00:00")
    return Runtime(load_pack(hooks, thorough=False), None, Clock(now))


def _milliseconds(one: Answer, other: Answer, rounds: int) -> tuple[float, float]:
    """CPU time of each, the median of many. They take turns, and each begins every second round,
    so that neither always finds the caches as the other left them."""
    times: dict[Answer, list[float]] = {one: [], other: []}
    for number in range(rounds):
        for answer in (one, other) if number % 2 else (other, one):
            answer()  # untimed: warms what this case needs
            times[answer] += [_timed(answer) for _ in range(IN_A_ROW)]
    return statistics.median(times[one]) * 1000, statistics.median(times[other]) * 1000


def _answer(runtime: Runtime, body: bytes) -> Answer:
    service = runtime.service(SERVICE)
    if service is None:
        raise SystemExit(f"The pack has no service {SERVICE}.")

    def answer() -> None:
        request = parse_request(service.hook, body)
        runtime.answer(service, request, gather(request, service))

    return answer


def _timed(do: Answer) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


def _with_more_rules(source: Path, to: Path) -> Path:
    shutil.copytree(source, to)
    facts = json.loads((to / "facts.json").read_text())
    model = json.loads((to / "valuesets" / "cond-insomnia.json").read_text())
    for n in range(PROBLEMS):
        name = f"cond-bench-{n}"
        (to / "valuesets" / f"{name}.json").write_text(json.dumps(_value_set(model, name, n)))
        facts["facts"][f"problem.bench-{n}"] = {
            "kind": "problem",
            "title": f"bench problem {n}",
            "valueSet": name,
        }
    (to / "facts.json").write_text(json.dumps(facts))
    for n in range(RULES):
        _write_rule(to / "patient-view" / "bench", n)
    return to


def _value_set(model: dict[str, object], name: str, n: int) -> dict[str, object]:
    concept = {"code": f"Y99.{n}", "display": f"Bench problem {n}"}
    include = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "concept": [concept]}
    kept = {k: v for k, v in model.items() if k not in ("compose", "expansion", "identifier")}
    url = f"{str(model['url']).rpartition('/')[0]}/{name}"
    title = {"id": name, "name": f"CondBench{n}", "title": name, "url": url}
    return kept | title | {"compose": {"include": [include]}}


def _write_rule(folder: Path, n: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rule = {
        "$schema": "/schemas/rule.schema.json",
        "id": f"bench.rule-{n}",
        "version": "1.0.0",
        "status": "active",
        "hooks": ["patient-view"],
        "group": "assoc",
        "rank": n,
        "title": f"Bench rule {n}",
        "claims": ["C1"],
        "sources": [{"label": "The bench"}],
        "about": [f"problem.bench-{n % PROBLEMS}"],
        "when": {
            "all": [
                {"is": "cramp-complaint"},
                {"fact": f"problem.bench-{n % PROBLEMS}", "op": "present"},
            ]
        },
        "whenUnknown": "silent",
        "card": {"indicator": "info", "summary": f"Bench rule {n}", "detail": ["Bench."]},
    }
    (folder / f"rule-{n}.json").write_text(json.dumps(rule))
    case = {"now": f"{charts.NOW}T09:00:00Z", "service": SERVICE, "cases": []}
    (folder / f"rule-{n}.test.json").write_text(json.dumps(case))
