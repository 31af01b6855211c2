"""Makes a test case ready to evaluate: its pack, its chart, its facts.

Facts depend on the pack's settings and catalogue but not on its rules, so a trial can be
evaluated again with changed rules at little cost (`mutate` does that thousands of times).
"""

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.facts.base import FactBase
from cds_service.facts.chart import Chart
from cds_service.facts.definitions import Answer
from cds_service.protocol.model import Card, DraftOrder, HookRequest
from cds_service.rules.context import Facts
from cds_service.rules.model import Evaluation, Pack, ServiceDefinition, Setting
from cds_service.rules.ruleset import RuleSet, compile_rules
from cds_service.ruletests.sketch import chart_of
from cds_service.ruletests.sketch_values import SketchError, did_you_mean
from cds_service.ruletests.testfile import Case

Json = Any
PackFor = Callable[[tuple[str, ...] | None], Pack]  # profiles, None for the default; may raise
Compose = Callable[[Pack, ServiceDefinition, Evaluation, Facts, HookRequest], Sequence[Card]]


@dataclass(frozen=True)
class Trial:
    """A case with all that it is evaluated on."""

    case: Case
    ruleset: RuleSet
    service: ServiceDefinition
    chart: Chart
    facts: FactBase


class Bench:
    """Prepares cases. Packs are kept by profiles and settings, compiled once.

    `bundles` is the folder that cases name FHIR Bundles in. `also` names draft rules to evaluate.
    """

    def __init__(
        self, pack_for: PackFor, bundles: Path | None = None, also: Collection[str] = ()
    ) -> None:
        self._pack_for = pack_for
        self._bundles = bundles
        self._also = frozenset(also)
        self._rulesets: dict[object, RuleSet] = {}

    def also(self, rules: Collection[str]) -> "Bench":
        """A bench for the same packs that evaluates these draft rules."""
        return Bench(self._pack_for, self._bundles, rules) if rules else self

    def ruleset(self, case: Case) -> RuleSet:
        """The compiled pack under the case's profiles and settings."""
        key = (case.profiles, tuple(sorted((k, str(v)) for k, v in case.settings.items())))
        if key not in self._rulesets:
            pack = with_settings(self._pack_for(case.profiles), case.settings)
            self._rulesets[key] = compile_rules(pack, self._also)
        return self._rulesets[key]

    def trial(self, case: Case) -> Trial:
        """The case made ready. SketchError says what in it means nothing."""
        ruleset = self.ruleset(case)
        pack = ruleset.pack
        service = service_of(pack, case.service)
        address = questionnaire_of(pack)
        bundle = self._bundle(case.bundle) if case.bundle else None
        chart = chart_of(case.sketch, case.now, service.hook, address, bundle)
        return Trial(case, ruleset, service, chart, facts_of(pack, chart, case))

    def _bundle(self, name: str) -> Mapping[str, Json]:
        if self._bundles is None:
            raise SketchError("bundle", "the pack has no folder patients/")
        path = (self._bundles / name).resolve()
        if not path.is_relative_to(self._bundles.resolve()) or not path.is_file():
            raise SketchError("bundle", f"no file '{name}' among the patients")
        bundle: Mapping[str, Json] = json.loads(path.read_bytes())
        return bundle


def service_of(pack: Pack, service_id: str) -> ServiceDefinition:
    """The service of that id; SketchError with the nearest name."""
    services = {service.id: service for service in pack.services}
    if service_id not in services:
        hint = did_you_mean(service_id, services)
        raise SketchError("service", f"no service '{service_id}'.{hint}")
    return services[service_id]


def questionnaire_of(pack: Pack) -> str:
    """The address of the questionnaire that the catalogue's answers come from."""
    facts = pack.catalogue.facts.values()
    addresses = (fact.questionnaire for fact in facts if isinstance(fact, Answer))
    return next(filter(None, addresses), "")


def facts_of(pack: Pack, chart: Chart, case: Case) -> FactBase:
    """The facts of a chart at the case's time."""
    settings = {name: setting.value for name, setting in pack.settings.items()}
    return FactBase(pack.catalogue, pack.terminology, chart, case.now, settings)


def with_settings(pack: Pack, changes: Mapping[str, Json]) -> Pack:
    """The pack with other values for some settings; SketchError for one that it does not have."""
    if not changes:
        return pack
    settings: dict[str, Setting] = dict(pack.settings)
    for name, value in changes.items():
        if name not in settings:
            raise SketchError("settings", f"no setting '{name}'.{did_you_mean(name, settings)}")
        number = value if isinstance(value, bool | str) else Decimal(str(value))
        settings[name] = dataclasses.replace(settings[name], value=number, origin="test")
    return dataclasses.replace(pack, settings=settings)


def request_of(trial: Trial) -> HookRequest:
    """The call that the case stands for, as far as the cards need it."""
    drafts = tuple(
        DraftOrder(draft.resource, draft.reference, draft.selected) for draft in trial.chart.drafts
    )
    return HookRequest(
        hook=trial.service.hook,
        hook_instance="00000000-0000-4000-8000-000000000000",
        patient_id="patient-1",
        user_id="Practitioner/test",
        drafts=drafts,
    )
