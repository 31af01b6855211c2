"""Medication entries: what drug each is, which value sets it is in, and whether it acts locally."""

from weakref import WeakKeyDictionary

from cds_service.facts.chart import Entry, Resource
from cds_service.facts.drug_recognition import Drug, DrugRecognition
from cds_service.facts.drug_wording import Find, Wording, WordingReader
from cds_service.facts.fhir import objects, reference_of, string
from cds_service.terminology.codings import text_of
from cds_service.terminology.drugs import Product
from cds_service.terminology.index import Terminology
from cds_service.terminology.routes import Hint
from cds_service.terminology.vocabulary import Vocabulary


class Medication:
    """One medication entry of the chart or of a draft.

    `code` is the one that was recognised; `sets` are the drug value sets that the entry is in.
    """

    __slots__ = ("_entry", "_local", "_wording", "_words", "drug")

    def __init__(
        self, entry: Entry | Resource, wording: Wording, drug: Drug, words: Vocabulary
    ) -> None:
        self._entry = entry
        self._wording = wording
        self.drug = drug  # what it was recognised as
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
        return self.drug.code

    @property
    def name(self) -> str:
        """The drug in the chart's words; "" where it gives a code alone."""
        return self._wording.names[0] if self._wording.names else ""

    @property
    def known(self) -> bool:
        """Whether anything recognises it, be it as a drug that no rule asks for."""
        return self.drug.known

    @property
    def ingredients(self) -> tuple[str, ...]:
        """As the drug dictionary names them."""
        return self.drug.ingredients

    @property
    def sets(self) -> frozenset[str]:
        """The drug value sets that the entry is in."""
        return self.drug.sets

    @property
    def disputed(self) -> frozenset[str]:
        """The sets that its code or its name is in, where the two mean different drugs."""
        return self.drug.disputed

    @property
    def systems(self) -> list[str]:
        """The systems of its codes that nothing knows."""
        return self.drug.unknown

    @property
    def via(self) -> str:
        """What it was recognised by: "code" or "name"."""
        return self.drug.via

    @property
    def about_the_list(self) -> str:
        """What it says of the list of medications in place of a drug (`Statuses`)."""
        return self._words.statuses.about_the_list(self._wording.codings, self._wording.names)

    @property
    def local(self) -> bool:
        """Whether it acts where it is put; found out when somebody asks, as few do."""
        if self._local is None:
            products = self.drug.products
            self._local = bool(self.sets or self.disputed) and _is_local(
                self._words, self.resource, products, self._wording
            )
        return self._local

    @property
    def injected(self) -> bool:
        """Whether it is injected or infused: by the order's route, the product, the words."""
        return _is_injected(self._words, self.resource, self.drug.products, self._wording)


# What drugs are called, as calls wrote it, with what it was recognised as. The same few hundred
# products come in every call. Kept in memory only, and only so many.
MOST_REMEMBERED = 2_000
_LONGEST_WORDS = 600  # bytes
_seen: WeakKeyDictionary[Terminology, dict[bytes, tuple[Wording, Drug]]] = WeakKeyDictionary()


class MedicationReader:
    """Reads medication resources; `find` resolves references."""

    def __init__(self, terminology: Terminology, find: Find) -> None:
        self._terminology = terminology
        self._wordings = WordingReader(terminology.vocabulary.systems, find)
        self._drugs = DrugRecognition(terminology)
        self._vocabulary = terminology.vocabulary
        self._seen = _seen.setdefault(terminology, {})

    def read(self, entry: Entry | Resource) -> Medication | None:
        """The medication of an entry; None where it names none that can be read."""
        words = _plain_words(entry)
        wording, drug = (self._seen.get(words) if words else None) or self._look(entry, words)
        if not wording.codings and not wording.names:
            return None
        return Medication(entry, wording, drug, self._vocabulary)

    def _look(self, entry: Entry | Resource, words: bytes) -> tuple[Wording, Drug]:
        """What the entry says of its drug, remembered by its `words` if it has any."""
        resource = entry.body if isinstance(entry, Entry) else entry
        known = self._drugs.recognise(self._wordings.read(resource))
        if words:
            if len(self._seen) >= MOST_REMEMBERED:
                self._seen.clear()
            self._seen[words] = known
        return known


def _plain_words(entry: Entry | Resource) -> bytes:
    """All that an entry says of its drug, as sent; empty where that leads elsewhere in the chart,
    or is so much that it is no drug's name."""
    if not isinstance(entry, Entry):
        return b""
    head = entry.head
    if head.medication or head.medication_reference:
        return b""
    written = bytes(head.medication_codeable_concept)
    if len(written) > _LONGEST_WORDS or b"reference" in written or b"\\u" in written:
        return b""
    return written


def _is_local(
    words: Vocabulary, resource: Resource, products: list[Product], wording: Wording
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
    words: Vocabulary, resource: Resource, products: list[Product], wording: Wording
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
