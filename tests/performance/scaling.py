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

RULES = 10_000
PROBLEMS = 500  # facts that the added rules are about
ROUNDS = 40
WARM_UP = 5
SERVICE = "leg-cramps-patient-view"


def show() -> None:
    """Measure and print both ratios."""
    source = hooks_dir(os.environ)
    with tempfile.TemporaryDirectory(prefix="cds-bench-") as folder:
        few = _runtime(source)
        many = _runtime(_with_more_rules(source, Path(folder) / "hooks"))
    typical, tenfold = charts.request("typical"), _tenfold()
    base, grown, larger = _milliseconds([(few, typical), (many, typical), (few, tenfold)])
    print(f"\n{len(few.ruleset.rules)} rules  {base:.2f} ms an answer, parsing included")
    print(f"{len(many.ruleset.rules)} rules  {grown:.2f} ms, ratio {grown / base:.2f}")
    print(f"ten times the resources  {larger:.2f} ms, ratio {larger / base:.2f}")


def _tenfold() -> bytes:
    charts.SIZES["tenfold"] = charts.SIZES["typical"] * 10
    return charts.request("tenfold")


def _runtime(hooks: Path) -> Runtime:
    now = datetime.fromisoformat(f"{charts.NOW}T09:00:00+00:00")
    return Runtime(load_pack(hooks, thorough=False), None, Clock(now))


def _milliseconds(cases: list[tuple[Runtime, bytes]]) -> list[float]:
    """CPU time of an answer in each case. The cases take turns, so that a machine that others
    use meanwhile treats them alike."""
    answers = [_answer(runtime, body) for runtime, body in cases]
    for _ in range(WARM_UP):
        for answer in answers:
            answer()
    gc.collect()
    gc.freeze()
    rounds = [[_timed(answer) for answer in answers] for _ in range(ROUNDS)]
    return [statistics.median(times) * 1000 for times in zip(*rounds, strict=True)]


def _answer(runtime: Runtime, body: bytes) -> Callable[[], None]:
    service = runtime.service(SERVICE)
    if service is None:
        raise SystemExit(f"The pack has no service {SERVICE}.")

    def answer() -> None:
        request = parse_request(service.hook, body)
        runtime.answer(service, request, gather(request, service))

    return answer


def _timed(do: Callable[[], None]) -> float:
    gc.collect()  # what the case before left behind
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
