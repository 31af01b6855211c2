"""Tests of a drug that a site added, made of the shipped ones: where a shipped test has a drug of
the set and the rule says something else without it, the new drug must do the same.

So every rule that reads the set is asked, on each hook, by name and by code, and a case is kept
only if the drug decides it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cds_service.authoring.add.naming import Coded
from cds_service.authoring.rule_list import Row, rows
from cds_service.packs.build import with_profiles
from cds_service.packs.load import load_pack
from cds_service.rules.engine import evaluate
from cds_service.rules.model import Pack
from cds_service.ruletests.sketch_values import SketchError, concept
from cds_service.ruletests.testfile import Case, TestFileError, read_test_file
from cds_service.ruletests.testing import bundles_of
from cds_service.ruletests.trial import Bench
from cds_service.terminology.codings import names_of

Json = Any

_LISTS = ("statements", "requests", "drafts")
_MOST_TRIED = 12  # cases of one rule that are tried before it is said to have none


def tests_of(
    hooks: Path, site: Path, name: str, codes: Sequence[Coded], sets: Sequence[str]
) -> tuple[Json, tuple[str, ...]]:
    """The content of a test file (None without a case), and the sets that no case could be made
    for."""
    pack = load_pack(hooks, site, thorough=False)
    bench = Bench(lambda chosen: pack if chosen is None else with_profiles(pack, chosen),
                  bundles_of(hooks))  # fmt: skip
    maker = _Maker(pack, bench, [f"text:{name}", *codes])
    cases: list[Json] = []
    untested = []
    for set_id in sets:
        tried = list(maker.cases(set_id))
        cases += tried
        if not tried:
            untested.append(set_id)
    if not cases:
        return None, tuple(untested)
    unique = {case["name"]: case for case in cases}
    first = cases[0]
    content = {
        "$schema": "../schemas/rule-test.schema.json",
        "note": f"Written by cds add drug: {name} does what the shipped drugs of its sets do.",
        "now": first["now"],
        "service": first["service"],
        "cases": list(unique.values()),
    }
    return content, tuple(untested)


class _Maker:
    def __init__(self, pack: Pack, bench: Bench, forms: Sequence[str | Coded]) -> None:
        self._pack = pack
        self._bench = bench
        self._forms = forms

    def cases(self, set_id: str) -> Iterator[Json]:
        """One case for each rule that reads the set, each hook of it, and each form of the drug."""
        for row in rows(self._pack):
            reads = any(set_id in self._pack.catalogue.facts[fact].value_sets for fact in row.facts)
            if reads and row.status == "active" and row.file:
                yield from self._of_rule(row, set_id)

    def _of_rule(self, row: Row, set_id: str) -> Iterator[Json]:
        """The first case that serves, on each service that has the rule."""
        file = Path(row.file)
        try:
            tests = read_test_file(file.with_name(f"{file.stem}.test.json"))
        except TestFileError:
            return
        done: set[str] = set()
        places = [
            (case, place)
            for case in tests.cases
            if row.id in case.expect and (place := self._place(case, set_id))
        ]
        for case, place in places[:_MOST_TRIED]:
            for service in (case.service, *row.services):
                if service not in done:
                    there = replace(case, service=service)
                    written = [self._case(there, row.id, place, form) for form in self._forms]
                    if all(written):
                        done.add(service)
                        yield from written

    def _place(self, case: Case, set_id: str) -> tuple[str, int] | None:
        """The only entry of the chart that names a drug of the set, where it is plainly in use."""
        places = [
            (key, number)
            for key in _LISTS
            for number, entry in enumerate(case.sketch.get(key, ()))
            if set_id in self._sets_of(entry)
        ]
        if len(places) != 1:
            return None
        [(key, number)] = places
        entry = case.sketch[key][number]
        return None if isinstance(entry, dict) and "status" in entry else (key, number)

    def _sets_of(self, entry: Json) -> set[str]:
        drug = entry if isinstance(entry, str) else entry.get("drug", "")
        text = "" if isinstance(entry, str) else entry.get("text", "")
        try:
            drug_concept = concept(drug, "", text) if drug else {"text": text}
        except SketchError:
            return set()
        terminology = self._pack.terminology
        codings = terminology.vocabulary.systems.codings(drug_concept)
        sets = {s for system, code, _ in codings for s in terminology.sets_of(system, code)}
        for name in names_of(drug_concept):
            for ingredient in terminology.drugs.ingredients_in_text(name):
                sets.update(terminology.sets_of_ingredient(ingredient))
        return sets

    def _case(self, case: Case, rule: str, place: tuple[str, int], form: str | Coded) -> Json:
        """The case with the new drug; None where it says something else, or the same without."""
        key, number = place
        listed = list(case.sketch[key])
        old = listed.pop(number)
        without = {**case.sketch, key: listed}
        sketch = {**case.sketch, key: [*listed[:number], renamed(old, form, key), *listed[number:]]}
        wanted = case.expect[rule]
        if self._says(case, rule, sketch) != wanted or self._says(case, rule, without) == wanted:
            return None
        title = form if isinstance(form, str) else f"{form.system}|{form.code}"
        written: dict[str, Json] = {
            "name": f"{rule} on {case.service}: {title.removeprefix('text:')}",
            "now": case.now.isoformat().replace("+00:00", "Z"),
            "service": case.service,
            "chart": sketch,
            "expect": {rule: wanted},
            "others": "any",
        }
        if case.profiles is not None:
            written["profile"] = list(case.profiles)
        if case.settings:
            written["settings"] = dict(case.settings)
        if case.bundle:
            written["bundle"] = case.bundle
        return written

    def _says(self, case: Case, rule: str, sketch: Mapping[str, Json]) -> str:
        try:
            trial = self._bench.trial(replace(case, sketch=sketch))
        except SketchError:
            return ""
        return evaluate(trial.ruleset, trial.service, trial.facts).outcomes.get(rule, "no")


def renamed(entry: Json, form: str | Coded, key: str) -> Json:
    """An entry of a chart about another drug: all else in it stays."""
    kept = {} if isinstance(entry, str) else {k: v for k, v in entry.items() if k != "text"}
    kept.pop("drug", None)
    if isinstance(form, str):
        return {**kept, "drug": form} if kept or key == "drafts" else form
    if form.sketch:
        return {**kept, "drug": form.sketch} if kept or key == "drafts" else form.sketch
    coding = {"system": form.system, "code": form.code}
    resource = {"medicationCodeableConcept": {"coding": [coding]}, **kept.pop("resource", {})}
    return {**kept, "drug": f"text:{form.display or form.code}", "resource": resource}
