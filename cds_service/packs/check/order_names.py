"""Names of orders and entries: do they belong to a value set, and can they ever match?"""

from collections.abc import Iterator

from cds_service.errors import Problem
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import Entry, PackSource, obj, seq, word
from cds_service.terminology.names import Tokens, words


def check(source: PackSource) -> Iterator[Problem]:
    """Sets that do not exist, and names that a phrase under `not` always rules out."""
    known = {value_set.id for value_set in source.value_sets}
    for set_id, entry in source.order_names.items():
        if set_id not in known:
            message = f"There is no value set '{set_id}'."
            hint = did_you_mean(set_id, known)
            yield entry.document.problem(entry.path, "V603", message, hint, key=True)
        yield from _ruled_out(entry)
    for entry in source.names:
        set_id = str(entry.path[-1])
        if set_id not in known:
            message = f"There is no value set '{set_id}'."
            hint = did_you_mean(set_id, known)
            yield entry.document.problem(entry.path, "V603", message, hint, key=True)


def _ruled_out(entry: Entry) -> Iterator[Problem]:
    unwanted = [tokens for phrase in seq(obj(entry.data).get("not")) if (tokens := _words(phrase))]
    for key in ("names", "add"):
        for number, name in enumerate(seq(obj(entry.data).get(key))):
            if any(_holds(_words(name), phrase) for phrase in unwanted):
                path = (*entry.path, key, number)
                message = f"'{name}' can never match: a phrase under 'not' is part of it."
                yield entry.document.problem(path, "V604", message)


def _words(phrase: object) -> Tokens:
    return words(word(phrase))


def _holds(name: Tokens, phrase: Tokens) -> bool:
    return any(name[at : at + len(phrase)] == phrase for at in range(len(name)))
