"""`cds terminology find`: what a pack knows of a code or a name, and which rules it would touch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cds_service.authoring.rule_list import rows
from cds_service.facts.definitions import FactDefinition
from cds_service.rules.model import Pack
from cds_service.terminology.codings import CANONICAL, INGREDIENT, RXNORM
from cds_service.terminology.drugs import Product

LIMIT = 50
_IN_FORCE = ("active", "shadow")


@dataclass(frozen=True)
class Hit:
    """One code, product or ingredient that the pack knows, and what hangs on it."""

    kind: str  # code, product, ingredient, order name
    system: str
    code: str
    name: str
    ingredients: tuple[str, ...] = ()
    form: str = ""
    route: str = ""
    sets: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # rules in force by hook


def find(pack: Pack, asked: str) -> list[Hit]:
    """What is known of a code ("5487", "G47.62") or of words in a name; at most `LIMIT` hits.

    A code counts in every system in which some set or the drug dictionary has it, by a listed
    prefix too. Words are read as a call reads them, as a drug's text (generic names, brands) and
    as an order's, and are looked for in the names of codes and products, any case.
    """
    asked = asked.strip()
    uses = _Uses(pack)
    hits = list(_by_code(pack, asked)) or list(_by_text(pack, asked))
    return [uses.complete(hit) for hit in hits[:LIMIT]]


def _by_code(pack: Pack, asked: str) -> Iterator[Hit]:
    system, _, code = asked.rpartition("|")
    for name in [system] if system else sorted(CANONICAL):
        product = pack.terminology.drugs.product(name, code)
        if product:
            yield _product_hit(pack, product)
            continue
        sets = pack.terminology.sets_of(name, code)
        if sets:
            display = next((d for s in sets if (d := pack.terminology.display(s, name, code))), "")
            yield Hit("code", name, code, display, sets=sets)


def _by_text(pack: Pack, asked: str) -> Iterator[Hit]:
    terminology, wanted = pack.terminology, asked.casefold()
    for name in terminology.drugs.ingredients_in_text(asked):
        sets = terminology.sets_of_ingredient(name)
        yield Hit("ingredient", INGREDIENT, name, name, (name,), sets=sets)
    orders = terminology.sets_of_order([asked])
    if orders:
        yield Hit("order name", "order-names.json", asked, sets=orders, name="")
    seen: set[tuple[str, str]] = set()
    for set_id in terminology.set_ids():
        value_set = terminology.value_set(set_id)
        for (system, code), display in {**value_set.below, **value_set.concepts}.items():
            if wanted in display.casefold() and (system, code) not in seen:
                seen.add((system, code))
                yield Hit("code", system, code, display, sets=terminology.sets_of(system, code))
    for product in terminology.drugs.products():
        if wanted in product.name.casefold() and (RXNORM, product.code) not in seen:
            yield _product_hit(pack, product)


def _product_hit(pack: Pack, product: Product) -> Hit:
    return Hit(
        "product",
        RXNORM,
        product.code,
        product.name,
        product.ingredients,
        product.form,
        product.route,
        pack.terminology.sets_of(RXNORM, product.code),
    )


class _Uses:
    """Which facts read a value set, and which rules read a fact."""

    def __init__(self, pack: Pack) -> None:
        self._facts: dict[str, list[str]] = {}
        for name, fact in pack.catalogue.facts.items():
            for set_id in _sets_of(fact):
                self._facts.setdefault(set_id, []).append(name)
        self._rules: dict[str, list[str]] = {}
        self._hooks: dict[str, tuple[str, ...]] = {}
        for row in rows(pack):
            self._hooks[row.id] = row.hooks if row.status in _IN_FORCE else ()
            for fact_name in row.facts:
                self._rules.setdefault(fact_name, []).append(row.id)

    def complete(self, hit: Hit) -> Hit:
        """The hit with facts and rules, and on which hooks these run."""
        facts = _each(fact for set_id in hit.sets for fact in self._facts.get(set_id, ()))
        rules = _each(rule for fact in facts for rule in self._rules.get(fact, ()))
        hooks: dict[str, list[str]] = {}
        for rule in rules:
            for hook in self._hooks[rule]:
                hooks.setdefault(hook, []).append(rule)
        seen = {hook: tuple(named) for hook, named in hooks.items()}
        return replace(hit, facts=facts, rules=rules, hooks=seen)


def _sets_of(fact: FactDefinition) -> tuple[str, ...]:
    return (*fact.value_sets, *filter(None, [fact.cleared_by]))


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
