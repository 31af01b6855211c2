"""Everything that `cds rules check` judges without running a test.

Each module here has a `check(source)` that yields problems and never stops at the first. All of
them expect files of any shape: the schema check has reported it, they only must not fail.
The codes: P files and JSON, S schemas, R rules, F facts and settings, C cards, T tests, V value
sets, L languages, W warnings. Each has a paragraph in docs/administrators-guide.md.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from cds_service.errors import Problem
from cds_service.packs.check import (
    cards,
    codes,
    conditions,
    displays,
    facts,
    form,
    laid_over,
    languages,
    markup,
    names,
    order_names,
    resources,
    rules,
    safeguards,
    services,
    settings,
    terminology,
    tests,
    texts,
    unused,
    vocabulary,
)
from cds_service.packs.schema import check_schema
from cds_service.packs.source import PackSource

Check = Callable[[PackSource], Iterable[Problem]]

# What can make a pack unfit to run.
CHECKS: tuple[Check, ...] = (
    rules.check, conditions.check, facts.check, settings.check, texts.check, cards.check,
    form.check, languages.check, markup.check, services.check, order_names.check,
    safeguards.check, vocabulary.check, tests.missing,
)  # fmt: skip
# What is slow, or concerns only those who edit the pack.
THOROUGH: tuple[Check, ...] = (
    tests.check, resources.check, terminology.strictly, displays.check, unused.check,
    codes.check, names.check, laid_over.check, tests.slips, vocabulary.slips,
)  # fmt: skip


def run(
    source: PackSource, profiles: tuple[str, ...], today: date | None, *, thorough: bool
) -> Iterator[Problem]:
    """All problems of a source, in no order and maybe twice."""
    yield from source.problems
    for name, document in source.documents:
        yield from check_schema(name, document)
    for check in (*CHECKS, *(THOROUGH if thorough else ())):
        yield from check(source)
    yield from settings.check_profiles(source, profiles)
    if today:
        yield from rules.overdue(source, today)
