"""What a run asks: the pack, the moments, and the variants that are counted beside it.

A plan is plain data, so that any process on any machine can make the same judge of it.
How the moments are found in a chart: `population.replay`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cds_service.errors import ConfigurationError
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack, Setting

ENCOUNTERS, LAST = "encounters", "last"
MOST_RESOURCES = 20_000  # of one patient; more are refused and counted, as by the service


@dataclass(frozen=True)
class RunPlan:
    """One run. `at` is "encounters" or "last"; `sweeps` are setting=value pairs, one a variant.

    `packs` are further packs to compare with, as `cds rules diff` names them. `salt` makes hashes
    of patients that nobody can undo; two runs with one salt can be joined.
    """

    hooks: str
    site: str = ""
    profiles: tuple[str, ...] = ()
    at: str = ENCOUNTERS
    orders: bool = True
    sweeps: tuple[tuple[str, str], ...] = ()
    packs: tuple[str, ...] = ()
    salt: str = ""
    most_resources: int = MOST_RESOURCES
    fallback_now: str = ""  # for `last` where nothing has a date

    def pack(self) -> Pack:
        """The pack of the run. Raises ConfigurationError."""
        return load_pack(Path(self.hooks), self._site(), self.profiles or None, thorough=False)

    def variants(self, pack: Pack) -> Mapping[str, Pack]:
        """The packs beside it, by name. Raises ConfigurationError for what cannot be."""
        from cds_service.authoring.named_pack import pack_of

        swept = {f"{name}={value}": with_setting(pack, name, value) for name, value in self.sweeps}
        others = {spec: pack_of(spec, Path(self.hooks), self._site()) for spec in self.packs}
        return {**swept, **others}

    def _site(self) -> Path | None:
        return Path(self.site) if self.site else None


def sweeps_of(options: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`ferritin.low=30,50,75` as pairs. Raises ConfigurationError."""
    pairs: list[tuple[str, str]] = []
    for option in options:
        name, equals, values = option.partition("=")
        if not equals or not values.strip(", "):
            raise ConfigurationError(
                f"'{option}' is no sweep.", "Write: --sweep ferritin.low=30,50,75,100"
            )
        pairs += [(name.strip(), value.strip()) for value in values.split(",") if value.strip()]
    return tuple(dict.fromkeys(pairs))


def with_setting(pack: Pack, name: str, value: str) -> Pack:
    """The pack with one number changed. Raises ConfigurationError outside the setting's bounds."""
    setting = pack.settings.get(name)
    if setting is None or not isinstance(setting.value, Decimal):
        numbers = sorted(n for n, s in pack.settings.items() if isinstance(s.value, Decimal))
        raise ConfigurationError(
            f"There is no number named '{name}' in the pack.", f"Numbers are: {', '.join(numbers)}"
        )
    changed = replace(setting, value=_number(setting, value), origin="sweep")
    return replace(pack, settings={**pack.settings, name: changed})


def _number(setting: Setting, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ConfigurationError(f"{setting.name}: '{text}' is no number.") from None
    low, high = setting.minimum, setting.maximum
    if not number.is_finite() or (low is not None and number < low) or (high and number > high):
        raise ConfigurationError(
            f"{setting.name}: {text} is outside its bounds.", f"From {low} to {high}."
        )
    return number
