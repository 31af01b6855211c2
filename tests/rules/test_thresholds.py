"""Every number of the pack is held by the rules' tests: one step up or down makes a test fail."""

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest

from cds_service.authoring.mutation.run import reach
from cds_service.cards.compose import compose
from cds_service.packs.build import with_profiles
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack, Rule
from cds_service.ruletests import runner
from cds_service.ruletests.testing import bundles_of
from cds_service.ruletests.trial import Bench

HOOKS = Path(__file__).parents[2] / "hooks"

# A setting, and why no test can notice a step of it. None is excused without a reason.
EXCUSED: dict[str, str] = {
    "medication.dispensed-within": (
        "charts of rule tests hold no dispenses; tests/unit/test_facts_drugs.py has its edge"
    ),
}


@lru_cache
def shipped() -> Pack:
    return load_pack(HOOKS, None, None, thorough=False)


def numeric() -> list[str]:
    settings = shipped().settings
    return sorted(name for name, one in settings.items() if isinstance(one.value, Decimal))


def step_of(name: str) -> Decimal:
    step = shipped().settings[name].step
    assert step
    return step


def moved(name: str, by: Decimal) -> Bench:
    """The bench on a pack with the shipped value moved; a profile's own value stays."""

    def pack_for(profiles: tuple[str, ...] | None) -> Pack:
        pack = shipped() if profiles is None else with_profiles(shipped(), profiles)
        setting = pack.settings[name]
        if setting.value != shipped().settings[name].value:
            return pack
        value = shipped().settings[name].value
        assert isinstance(value, Decimal)
        changed = dataclasses.replace(setting, value=value + by)
        return dataclasses.replace(pack, settings={**pack.settings, name: changed})

    return Bench(pack_for, bundles_of(HOOKS))


def files_about(name: str) -> Iterator[Path]:
    """The test files of the rules that read the setting, those that name it themselves first."""
    about = [rule for rule in shipped().rules if name in settings_of(rule)]
    about.sort(key=lambda rule: name not in str((rule.when, rule.unless)))
    for rule in about or shipped().rules:  # one that the program reads concerns all rules
        assert rule.path is not None
        yield rule.path.with_name(rule.path.stem + ".test.json")


def settings_of(rule: Rule) -> str:
    pack = shipped()
    names = reach(rule, pack)
    read = [pack.definitions[one] for one in names if one in pack.definitions]
    facts = [pack.catalogue.facts[one] for one in names if one in pack.catalogue.facts]
    return str((rule.when, rule.unless, rule.card, rule.variants, read, facts, pack.exclusions))


def noticed(name: str, by: Decimal) -> bool:
    bench = moved(name, by)
    return any(not runner.run([path], bench, compose).passed for path in files_about(name))


@pytest.mark.parametrize("name", numeric())
@pytest.mark.parametrize("sign", [-1, 1], ids=["down", "up"])
def test_a_step_is_noticed(name: str, sign: int) -> None:
    assert noticed(name, sign * step_of(name)) is (name not in EXCUSED)
