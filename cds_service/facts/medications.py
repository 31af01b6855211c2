"""What a medication resource is: its ingredients, value sets and route, whichever way it says so.

Codes count first (product dictionary, value sets); whole-word ingredient names in the text are the
fallback and make the entry one matched "by name".
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.fhir import objects, reference_of, string
from cds_service.protocol.identity import of_reference
from cds_service.terminology.codings import ATC, text_of
from cds_service.terminology.drugs import Product
from cds_service.terminology.index import Terminology
from cds_service.terminology.routes import Hint
from cds_service.terminology.vocabulary import Vocabulary

Find = Callable[[Any, Resource], Resource | None]

_CONCEPTS = ("medicationCodeableConcept", "medication", "medicationReference")
_MAX_DEPTH = 3
_DIGIT = re.compile(r"\d")


@dataclass(slots=True)
class _Wording:
    """Everything a resource says about its drug, in order."""

    codings: list[tuple[str, str]]
    names: list[str]
    forms: list[str]
    parts: "list[_Wording]"  # of each ingredient of a Medication


class _Drug(NamedTuple):
    """What codings and names were recognised as. `unknown`: systems of codes nobody knows.

    `known`: whether it is any drug at all that the pack knows, in a value set or not.
    `disputed`: the sets of a drug whose code and name are different drugs; it has no others.
    """

    products: list[Product]
    code: str
    ingredients: tuple[str, ...]
    sets: frozenset[str]
    via: str
    unknown: list[str]
    known: bool
    disputed: frozenset[str] = frozenset()


class Medication:
    """One medication entry of the chart or of a draft.

    `code` is the one that was recognised; `sets` are the drug value sets that the entry is in.
    """

    __slots__ = ("_drug", "_entry", "_local", "_wording", "_words")

    def __init__(
        self, entry: Entry | Resource, wording: _Wording, drug: _Drug, words: Vocabulary
    ) -> None:
        self._entry = entry
        self._wording = wording
        self._drug = drug
        self._words = words
        self._local: bool | None = None

    @property
    def resource(self) -> Resource:
        """The entry as a whole."""
        return self._entry.body if isinstance(self._entry, Entry) else self._entry

    @property
    def reference(self) -> str:
        """ "MedicationRequest/m1"."""
        return reference_of(self.resource)

    @property
    def text(self) -> str:
        """The drug in the chart's words, else the code."""
        wording = self._wording
        return wording.names[0] if wording.names else wording.codings[0][1]

    @property
    def code(self) -> str:
        """The code that was recognised, or ""."""
        return self._drug.code

    @property
    def name(self) -> str:
        """The drug in the chart's words; "" where it gives a code alone."""
        return self._wording.names[0] if self._wording.names else ""

    @property
    def known(self) -> bool:
        """Whether anything recognises it, be it as a drug that no rule asks for."""
        return self._drug.known

    @property
    def ingredients(self) -> tuple[str, ...]:
        """As the drug dictionary names them."""
        return self._drug.ingredients

    @property
    def sets(self) -> frozenset[str]:
        """The drug value sets that the entry is in."""
        return self._drug.sets

    @property
    def disputed(self) -> frozenset[str]:
        """The sets that its code or its name is in, where the two mean different drugs."""
        return self._drug.disputed

    @property
    def systems(self) -> list[str]:
        """The systems of its codes that nothing knows."""
        return self._drug.unknown

    @property
    def via(self) -> str:
        """What it was recognised by: "code" or "name"."""
        return self._drug.via

    @property
    def local(self) -> bool:
        """Whether it acts where it is put; found out when somebody asks, as few do."""
        if self._local is None:
            products = self._drug.products
            self._local = bool(self.sets or self.disputed) and _is_local(
                self._words, self.resource, products, self._wording
            )
        return self._local

    @property
    def injected(self) -> bool:
        """Whether it is injected or infused: by the order's route, the product, the words."""
        return _is_injected(self._words, self.resource, self._drug.products, self._wording)


# What drugs are called, as calls wrote it, with what it was recognised as. The same few hundred
# products come in every call. Kept in memory only, and only so many.
MOST_REMEMBERED = 2_000
_LONGEST_WORDS = 600  # bytes
_seen: WeakKeyDictionary[Terminology, dict[bytes, tuple[_Wording, _Drug]]] = WeakKeyDictionary()


class MedicationReader:
    """Reads medication resources; `find` resolves references, `unknown` counts codes by system."""

    def __init__(self, terminology: Terminology, find: Find, unknown: Counter[str]) -> None:
        self._terminology = terminology
        self._find = find
        self._unknown = unknown
        self._seen = _seen.setdefault(terminology, {})

    def read(self, entry: Entry | Resource) -> Medication | None:
        """The medication of an entry; None where it names none that can be read."""
        wording, drug = self._recognised(entry)
        if not wording.codings and not wording.names:
            return None
        if drug.unknown:
            self._unknown.update(drug.unknown)
        return Medication(entry, wording, drug, self._terminology.vocabulary)

    def _recognised(self, entry: Entry | Resource) -> tuple[_Wording, _Drug]:
        """What the entry says of its drug; remembered for what has been said before."""
        words = _plain_words(entry)
        known = self._seen.get(words) if words else None
        if known is None:
            known = self._recognise(entry.body if isinstance(entry, Entry) else entry)
            if words:
                if len(self._seen) >= MOST_REMEMBERED:
                    self._seen.clear()
                self._seen[words] = known
        return known

    def _recognise(self, resource: Resource) -> tuple[_Wording, _Drug]:
        wording = _Wording([], [], [], [])
        for key in _CONCEPTS:
            if key in resource:
                self._gather(resource[key], resource, wording, _MAX_DEPTH)
        single = sum(key in resource for key in _CONCEPTS) == 1
        drug = self._drug_of(wording, disputable=single)
        if not wording.parts or drug.disputed:
            return wording, drug
        parts = _Wording([], [], wording.forms, [])
        for part in wording.parts:
            parts.codings += part.codings
            parts.names += part.names
        if drug.ingredients or drug.sets:
            return wording, self._with_ingredients(drug, self._drug_of(parts))
        wording.codings += parts.codings
        wording.names += parts.names
        return wording, self._drug_of(wording)

    def _with_ingredients(self, drug: _Drug, parts: _Drug) -> _Drug:
        """A drug whose name gave less than its ingredients; disputed where it is another one."""
        both = tuple(dict.fromkeys((*drug.ingredients, *parts.ingredients)))
        if (
            drug.ingredients
            and parts.ingredients
            and len(both) == len(drug.ingredients) + len(parts.ingredients)
        ):
            sets = drug.sets | parts.sets | self._sets_of(both)
            return drug._replace(ingredients=both, sets=frozenset(), disputed=sets)
        return drug._replace(ingredients=both, sets=drug.sets | parts.sets)

    def _drug_of(self, wording: _Wording, *, disputable: bool = False) -> _Drug:
        """`disputable`: the codes are those of one drug, and not of the parts of a mixture."""
        products = self._products(wording)
        code, sets, unknown = self._by_code(wording, products)
        ingredients = tuple(dict.fromkeys(name for p in products for name in p.ingredients))
        named = self._by_name(wording)
        codes_differ = disputable and self._codes_contradict(wording)
        if codes_differ or self._contradict(wording, ingredients, sets, named):
            both = tuple(dict.fromkeys((*ingredients, *self._by_atc(wording), *named)))
            disputed = sets | self._sets_of(both)
            return _Drug(products, code, both, frozenset(), "code", unknown, True, disputed)
        via = "code"
        if not ingredients:
            ingredients = self._by_atc(wording) or named
            if not sets:
                via, sets = "name", self._sets_of(ingredients)
        known = bool(ingredients or sets) or self._is_another(wording, unknown)
        return _Drug(products, code, ingredients, sets, via, unknown, known)

    def _is_another(self, wording: _Wording, unknown: list[str]) -> bool:
        """Whether a code or a name is known as that of a drug that no rule asks for."""
        if len(unknown) < len(wording.codings):
            return True
        return self._names_another(wording)

    def _names_another(self, wording: _Wording) -> bool:
        return any(map(self._terminology.drugs.names_another_drug, wording.names))

    def _contradict(
        self,
        wording: _Wording,
        ingredients: tuple[str, ...],
        sets: frozenset[str],
        named: tuple[str, ...],
    ) -> bool:
        """Whether code and name are different drugs. A code of a group (ATC) has sets alone."""
        if not (ingredients or sets):
            return False
        if not named:
            return self._names_another(wording)
        if ingredients:
            return set(ingredients).isdisjoint(named)
        return sets.isdisjoint(self._sets_of(named))

    def _codes_contradict(self, wording: _Wording) -> bool:
        """Whether two codes name ingredients of which they have none in common."""
        drugs = self._terminology.drugs
        named = [frozenset(product.ingredients) for product in self._products(wording)]
        named += [
            frozenset(drugs.ingredients_of_atc(code)) for s, code in wording.codings if s == ATC
        ]
        known = [ingredients for ingredients in named if ingredients]
        return any(first.isdisjoint(other) for first, other in combinations(known, 2))

    def _gather(
        self,
        value: Any,
        owner: Resource,
        wording: _Wording,
        depth: int,
        outer: Resource | None = None,
    ) -> None:
        """Codings and names of a CodeableConcept, Reference, CodeableReference or Medication.

        `outer`: what the owner may be contained in, and with it what the owner refers to.
        """
        if isinstance(value, str):  # where FHIR has an object
            value = {"reference" if of_reference(value) or value[:1] == "#" else "text": value}
        if not isinstance(value, dict) or depth == 0:
            return
        _add(wording.names, value.get("text"))
        if isinstance(concept := value.get("concept"), dict):
            _add(wording.names, concept.get("text"))
        for system, code, display in self._terminology.vocabulary.systems.codings(value):
            wording.codings.append((system, code))
            _add(wording.names, display)
            if not code.isdigit() and (" " in code or not _DIGIT.search(code)):
                _add(wording.names, code)  # some systems write the name as the code
        for coding in objects(value.get("coding")):
            if "code" not in coding:
                _add(wording.names, coding.get("display"))
        reference = value.get("reference")
        if isinstance(reference, dict):
            self._gather(reference, owner, wording, depth - 1)
        elif isinstance(reference, str):
            target = self._find(value, owner) or (self._find(value, outer) if outer else None)
            kind = target.get("resourceType") if target else ""
            if target and kind == "Medication":
                self._gather_medication(target, outer or owner, wording, depth - 1)
            elif target and kind == "Substance":
                self._gather(target.get("code"), target, wording, depth - 1)
        if "coding" not in value:
            _add(wording.names, value.get("display"))

    def _gather_medication(
        self, medication: Resource, owner: Resource, wording: _Wording, depth: int
    ) -> None:
        self._gather(medication.get("code"), owner, wording, depth)
        product = medication.get("product")
        parts = (
            product if isinstance(product, dict) else medication
        )  # DSTU2 keeps them in `product`
        wording.forms.extend(_texts(parts.get("form")))
        for entry in objects(parts.get("ingredient")):
            part = _Wording([], [], [], wording.parts)
            for key in ("itemCodeableConcept", "itemReference", "item"):
                self._gather(entry.get(key), medication, part, depth, owner)
            wording.parts.append(part)
        for identifier in objects(medication.get("identifier")):
            _add(wording.names, identifier.get("value"))  # the only name in MIMIC's Medication

    def _products(self, wording: _Wording) -> list[Product]:
        products = (
            self._terminology.drugs.product(system, code) for system, code in wording.codings
        )
        return [product for product in products if product is not None]

    def _by_code(
        self, wording: _Wording, products: list[Product]
    ) -> tuple[str, frozenset[str], list[str]]:
        """The code that was recognised, the value sets by code, and systems of unknown codes."""
        sets: set[str] = set()
        unknown: list[str] = []
        known = products[0].code if products else ""
        for system, code in wording.codings:
            direct = self._terminology.sets_of(system, code)
            sets.update(direct)
            if direct:
                known = known or code
            elif not self._terminology.knows(system, code):
                unknown.append(system)
        return known, frozenset(sets), unknown

    def _by_atc(self, wording: _Wording) -> tuple[str, ...]:
        ingredients = (
            self._terminology.drugs.ingredients_of_atc(c) for s, c in wording.codings if s == ATC
        )
        return tuple(dict.fromkeys(name for names in ingredients for name in names))

    def _by_name(self, wording: _Wording) -> tuple[str, ...]:
        ingredients: dict[str, None] = {}
        for name in dict.fromkeys(wording.names):
            ingredients.update(dict.fromkeys(self._terminology.drugs.ingredients_in_text(name)))
        return tuple(ingredients)

    def _sets_of(self, ingredients: tuple[str, ...]) -> frozenset[str]:
        of_ingredient = self._terminology.sets_of_ingredient
        return frozenset(set_id for name in ingredients for set_id in of_ingredient(name))


def _plain_words(entry: Entry | Resource) -> bytes:
    """All that an entry says of its drug, as sent; empty where that leads elsewhere in the chart,
    or is so much that it is no drug's name."""
    if not isinstance(entry, Entry) or entry.head.medication or entry.head.medication_reference:
        return b""
    written = bytes(entry.head.medication_codeable_concept)
    if len(written) > _LONGEST_WORDS or b"reference" in written or b"\\u" in written:
        return b""
    return written


def _is_local(
    words: Vocabulary, resource: Resource, products: list[Product], wording: _Wording
) -> bool:
    """Whether the drug acts where it is put: by the dosage's route, the product, the words."""
    routes, texts = _dosage(words, resource)
    by_route = words.routes.route_of(*routes) if routes else "unknown"
    if by_route != "unknown":
        return by_route == "local"
    classes = {product.route_class for product in products}
    classes.discard("unknown")
    if classes:
        return classes == {"local"}
    return words.routes.route_of(*wording.forms, *wording.names, *texts) == "local"


def _is_injected(
    words: Vocabulary, resource: Resource, products: list[Product], wording: _Wording
) -> bool:
    """As for `_is_local`, the order's route counts before the product and the words."""
    routes, texts = _dosage(words, resource)
    if any(routes):
        return words.routes.is_injected(*routes)
    by_product = {product.route for product in products} - {""}
    if by_product:
        return by_product == {"injected"}
    return words.routes.is_injected(*wording.forms, *wording.names, *texts)


def _dosage(words: Vocabulary, resource: Resource) -> tuple[list[Hint], list[str]]:
    """Routes (codes, displays, texts) and free texts of all dosage instructions."""
    routes: list[Hint] = []
    texts: list[str] = []
    for key in ("dosageInstruction", "dosage"):
        for dosage in objects(resource.get(key)):
            if "route" in dosage:
                for system, code, display in words.systems.codings(dosage["route"]):
                    routes += [(system, code), display]
                routes.append(text_of(dosage["route"]))
            texts.append(string(dosage.get("text")))
    return routes, texts


def _texts(concept: Any) -> Iterator[str]:
    for element in objects(concept):
        yield string(element.get("text"))
        for coding in objects(element.get("coding")):
            yield string(coding.get("display"))


def _add(names: list[str], value: Any) -> None:
    text = string(value)
    if text:
        names.append(text)
