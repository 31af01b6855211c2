"""A pack as its files say it, before anything is believed: documents, and indexes by name.

Whatever an administrator may have written is still possible here: a list where an object belongs,
a number for a name. `obj`, `seq` and `word` read such data without failing; the schema check
reports it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import orjson

from cds_service.errors import Problem
from cds_service.packs.data_wheel import wheel_for
from cds_service.packs.fact_words import named_by, written_out
from cds_service.packs.folder import Folder, read_folder
from cds_service.packs.partial import over_shipped
from cds_service.packs.positions import Document, JsonPath, parse
from cds_service.terminology.index import Terminology
from cds_service.terminology.vocabulary import LISTS

Json = Any

HOOKS = ("patient-view", "order-select", "order-sign")
VALUE_SETS = "valuesets"
LANGUAGES = "languages"
TESTS = "tests"  # tests of a site that stand beside no rule
_OF_RULES = frozenset({"id", "when", "card", "hooks", "group", "status"})
_ADDITIONS = ("facts", "definitions", "orders")
# What may lie in a pack besides its JSON files.
OTHER_SUFFIXES = frozenset({".md", ".txt", ".tsv", ".csv", ".license", ""})


def obj(value: Json) -> Mapping[str, Json]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def seq(value: Json) -> Sequence[Json]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def word(value: Json) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


class Entry(NamedTuple):
    """A named thing inside a file: a fact, a setting, a definition."""

    document: Document
    path: JsonPath
    data: Json
    changed: tuple[str, ...] = ()  # of a shipped fact: properties that the site gave


@dataclass
class RuleFile:
    """A rule with the hook whose folder it lies in ("" in a site's folder)."""

    document: Document
    file: PurePosixPath
    hook: str
    test: "Document | None" = None
    test_exists: bool = False

    @property
    def data(self) -> Mapping[str, Json]:
        return obj(self.document.data)

    @property
    def id(self) -> str:
        return word(self.data.get("id"))


@dataclass
class ValueSetFile:
    """What the checks need of a value set; its codes are read by `terminology`."""

    name: str  # as problems call the file
    file: PurePosixPath
    data: Mapping[str, Json]

    @property
    def id(self) -> str:
        return word(self.data.get("id"))


@dataclass
class PackSource:
    """All files of the shipped pack and the site, parsed, and the problems met on the way."""

    hooks: Folder
    site_folder: Folder | None
    data_folder: Folder | None = None  # of the terminology wheel
    terminology_version: str = ""  # of the wheel where there is one, else of the shipped copy
    pack: Document | None = None
    site: Document | None = None
    documents: list[tuple[str, Document]] = field(default_factory=list)  # (schema, document)
    facts: dict[str, Entry] = field(default_factory=dict)
    words: dict[str, Entry] = field(default_factory=dict)  # lists that facts name
    named_lists: set[str] = field(default_factory=set)  # of `words`, by facts
    definitions: dict[str, Entry] = field(default_factory=dict)
    orders: dict[str, Entry] = field(default_factory=dict)
    order_names: dict[str, Entry] = field(default_factory=dict)  # by value set
    units: dict[str, Entry] = field(default_factory=dict)  # by analyte, the site's last
    names: list[Entry] = field(default_factory=list)  # of entries, by file and value set
    lists: list[Entry] = field(default_factory=list)  # of `vocabulary`, shipped ones first
    rules: list[RuleFile] = field(default_factory=list)
    services: list[Document] = field(default_factory=list)
    stray_tests: list[Document] = field(default_factory=list)
    free_tests: list[Document] = field(default_factory=list)  # of no rule: the site's tests/
    value_sets: list[ValueSetFile] = field(default_factory=list)
    languages: list[Document] = field(default_factory=list)  # the site's last
    replaced: list[Entry] = field(default_factory=list)  # shipped things that the site replaces
    ignored: list[str] = field(default_factory=list)
    terminology: Terminology = field(default_factory=lambda: Terminology({}))
    problems: list[Problem] = field(default_factory=list)

    def named(self, section: str) -> Mapping[str, Json]:
        """An object of pack.json by its name: settings, groups, links..."""
        return obj(obj(self.pack.data).get(section)) if self.pack else {}

    def contents(self, names: Iterable[str]) -> dict[str, list[Json]]:
        """What the files of these names say, shipped ones first."""
        return {
            name: [document.data for schema, document in self.documents if schema == name]
            for name in names
        }

    @property
    def rule_ids(self) -> dict[str, RuleFile]:
        return {rule.id: rule for rule in self.rules}

    @property
    def folders(self) -> Iterator[Folder]:
        yield self.hooks
        if self.data_folder:
            yield self.data_folder
        if self.site_folder:
            yield self.site_folder


def read_source(
    hooks_dir: Path, site_dir: Path | None, *, tests: bool = True, wheel: bool = True
) -> PackSource:
    """Read the shipped pack and, over it, the site's folder; test files only with `tests`.

    Value sets and drug dictionary of the program's own pack come from the terminology wheel, where
    one is installed, but for `wheel=False`.
    """
    source = PackSource(read_folder(hooks_dir), read_folder(site_dir) if site_dir else None)
    _Reader(source, source.hooks, site=False, tests=tests).read()
    _read_wheel(source, wheel=wheel)
    if source.site_folder:
        _Reader(source, source.site_folder, site=True, tests=tests).read()
    _write_words_out(source)
    for folder in source.folders:
        source.problems.extend(folder.problems)
    return source


def _write_words_out(source: PackSource) -> None:
    """Facts with their words in place of the names of lists, those that a site replaces too."""
    lists = {name: entry.data for name, entry in source.words.items()}

    def whole(entry: Entry) -> Entry:
        return entry._replace(data=written_out(entry.data, lists))

    for name, entry in source.facts.items():
        source.named_lists.update(asked for _, asked in named_by(entry.data))
        source.facts[name] = whole(entry)
    source.replaced[:] = map(whole, source.replaced)


def _read_wheel(source: PackSource, *, wheel: bool) -> None:
    frame = obj(source.pack.data) if source.pack else {}
    source.terminology_version = word(frame.get("terminology"))
    data = wheel_for(source.hooks, frame) if wheel else None
    if data is None:
        return
    source.problems.extend(data.problems)
    source.terminology_version = data.version
    if data.folder:
        source.data_folder = data.folder
        reader = _Reader(source, data.folder, site=False, tests=False)
        for file, content in data.folder.files.items():
            if source.hooks.files.get(file) != content and len(file.parts) > 1:
                reader.nested(file)


class _Reader:
    """Sorts one folder's files into the source."""

    def __init__(self, source: PackSource, folder: Folder, *, site: bool, tests: bool) -> None:
        self.source = source
        self.folder = folder
        self.site = site
        self.tests = tests

    def read(self) -> None:
        self.frame()
        for file in self.folder.files:
            if len(file.parts) > 1:
                self.nested(file)
        self.pair_tests()

    def frame(self) -> None:
        """The files at the top of the folder."""
        main = "site" if self.site else "pack"
        document = self.required(main)
        if self.site:
            self.source.site = document
        else:
            self.source.pack = document
        for name in _ADDITIONS:
            addition = (
                self.document(PurePosixPath(f"{name}.json"), name)
                if self.site
                else self.required(name)
            )
            if addition:
                changed: Mapping[str, tuple[str, ...]] = {}
                if self.site and name == "facts":
                    addition, changed = self.laid_over(addition, self.source.facts)
                self.entries(addition, name, changed)
                if name == "facts":
                    self.entries(addition, "words", {})
        self.order_names()
        self.units()
        self.names()
        self.lists()

    def entries(
        self, document: Document, section: str, changed: Mapping[str, tuple[str, ...]]
    ) -> None:
        """What a section has by name; a site's stands for the shipped one of its name."""
        index: dict[str, Entry] = getattr(self.source, section)
        for key, data in obj(obj(document.data).get(section)).items():
            if key in index:
                self.source.replaced.append(index[key])
            index[key] = Entry(document, (section, key), data, changed.get(key, ()))

    def laid_over(
        self, document: Document, shipped: Mapping[str, Entry]
    ) -> tuple[Document, Mapping[str, tuple[str, ...]]]:
        """The site's facts, those whole that only change properties of the shipped ones. Places
        stay those of the site's file, and the schema judges what is in force."""
        if not obj(obj(document.data).get("facts")):
            return document, {}
        facts, changed, problems = over_shipped(document, shipped)
        self.source.problems.extend(problems)
        whole = replace(document, data={**obj(document.data), "facts": facts})
        self.source.documents[-1] = ("facts", whole)
        return whole, changed

    def units(self) -> None:
        """units.json, which a pack may do without; a site's adds units to the shipped ones."""
        document = self.document(PurePosixPath("units.json"), "units")
        if document:
            for key, data in obj(obj(document.data).get("analytes")).items():
                self.source.units[key] = Entry(document, ("analytes", key), data)

    def names(self) -> None:
        """names.json, which a pack may do without; a site's adds to the shipped one."""
        document = self.document(PurePosixPath("names.json"), "names")
        if document:
            for key, data in obj(obj(document.data).get("names")).items():
                self.source.names.append(Entry(document, ("names", key), data))

    def lists(self) -> None:
        """routes.json and its sisters: a pack has them, a site's add to them."""
        for name in LISTS:
            file = PurePosixPath(f"{name}.json")
            document = self.document(file, name) if self.site else self.required(name)
            if document:
                for key, data in obj(obj(document.data).get(name)).items():
                    self.source.lists.append(Entry(document, (name, key), data))

    def order_names(self) -> None:
        """order-names.json, which a pack may do without."""
        document = self.document(PurePosixPath("order-names.json"), "order-names")
        if document:
            for key, data in obj(obj(document.data).get("orderNames")).items():
                self.source.order_names[key] = Entry(document, ("orderNames", key), data)

    def required(self, name: str) -> Document | None:
        file = PurePosixPath(f"{name}.json")
        if file not in self.folder.files:
            if not any(p.file == self.folder.name(file) for p in self.folder.problems):
                self.folder.refuse(file, "P009", f"{name}.json is missing.")
            return None
        return self.document(file, name)

    def document(self, file: PurePosixPath, schema: str) -> Document | None:
        raw = self.folder.files.get(file)
        if raw is None:
            return None
        document, problems = parse(self.folder.name(file), self.folder.root / file, raw)
        self.source.problems.extend(problems)
        if document:
            self.source.documents.append((schema, document))
        return document

    def nested(self, file: PurePosixPath) -> None:
        top = file.parts[0]
        rules_here = top == "rules" if self.site else top in HOOKS
        if top == VALUE_SETS and file.suffix == ".json":
            self.value_set(file)
        elif top == LANGUAGES and file.suffix == ".json":
            self.language(file)
        elif rules_here and file.suffix == ".json":
            self.rule_or_service(file, "" if self.site else top)
        elif rules_here and (
            file.suffix.lower() not in OTHER_SUFFIXES or ".json" in file.name.lower()
        ):
            self.source.ignored.append(self.folder.name(file))

    def language(self, file: PurePosixPath) -> None:
        document = self.document(file, "language")
        if document and isinstance(document.data, dict):
            self.source.languages.append(document)

    def rule_or_service(self, file: PurePosixPath, hook: str) -> None:
        if file.name.endswith(".service.json") and not self.site:
            if document := self.document(file, "service"):
                self.source.services.append(document)
        elif not file.name.endswith(".test.json") and (document := self.document(file, "rule")):
            if isinstance(document.data, dict) and not document.data.keys() & _OF_RULES:
                self.no_rule(document)
            else:
                self.source.rules.append(RuleFile(document, file, hook))

    def no_rule(self, document: Document) -> None:
        """One message for a file that is no rule at all, in place of one for each property."""
        self.source.documents.pop()
        test = "cases" in obj(document.data)
        message = "This is a test." if test else "This is no rule."
        hint = "Its name must end in .test.json." if test else "Move it out of this folder."
        self.source.problems.append(document.problem((), "R217", message, hint))

    def pair_tests(self) -> None:
        root = self.folder.root
        by_path = {rule.document.path: rule for rule in self.source.rules}
        for file in self.folder.files:
            if not file.name.endswith(".test.json") or len(file.parts) < 2:
                continue
            rule_file = file.with_name(file.name.removesuffix(".test.json") + ".json")
            rule = by_path.get(root / rule_file)
            if rule:
                rule.test_exists = True
            if not self.tests:
                continue
            document = self.document(file, "rule-test")
            if rule:
                rule.test = document
            elif document and file.parts[0] == TESTS:
                self.source.free_tests.append(document)
            elif document and rule_file not in self.folder.files:
                self.source.stray_tests.append(document)

    def value_set(self, file: PurePosixPath) -> None:
        """Value sets are large and many: read by the quick parser, strictly only if that fails."""
        raw = self.folder.files[file]
        name = self.folder.name(file)
        try:
            data = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError:
            document, problems = parse(name, self.folder.root / file, raw)
            self.source.problems.extend(problems)
            data = document.data if document else None
        if data is not None:
            self.source.value_sets.append(ValueSetFile(name, file, obj(data)))
