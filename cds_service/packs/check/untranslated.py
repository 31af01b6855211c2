"""What a language lacks, and what it has for nothing: an English text that was changed leaves its
translation behind, and the card says it in English until the language has the new one.

A site is asked for its own texts once it has a file of the language, or a client of its speaks it.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from cds_service.errors import Problem
from cds_service.packs.positions import Document
from cds_service.packs.schema import did_you_mean
from cds_service.packs.source import PackSource, obj, word
from cds_service.packs.translations import asked_by_clients
from cds_service.packs.wordings import Wording, diagnoses, names, texts
from cds_service.rules.model import Pack, Translation

Json = Any
_MOST = 25  # problems of one sort; whoever has more has begun a language and wants their number
_SHOWN = 70  # characters of a text
_ALIKE = 0.6


def check(source: PackSource, pack: Pack) -> Iterator[Problem]:
    """Warnings about each language of a pack without errors."""
    if not pack.translations:
        return
    wanted, named = texts(source, pack), names(pack)
    known = named | diagnoses(pack)
    for tag, translation in pack.translations.items():
        files = [file for file in source.languages if word(file.data.get("language")) == tag]
        missing = {
            english: text for english, text in wanted.items() if english not in translation.texts
        }
        surplus = list(_surplus(files, wanted))
        if _cares(source, files):
            yield from _missing_texts(translation, missing, surplus, files)
            yield from _missing_names(translation, named, files)
        yield from _surplus_texts(surplus, missing, wanted)
        yield from _surplus_names(files, known)


def _cares(source: PackSource, files: Sequence[Document]) -> bool:
    if source.site_folder is None:
        return True
    root = source.site_folder.root
    asked = {tag.partition("-")[0] for tag in asked_by_clients(root)}
    own = any(document.path.is_relative_to(root) for document in files)
    return own or not asked.isdisjoint(word(file.data.get("language")) for file in files)


def _surplus(
    files: Sequence[Document], wanted: Mapping[str, Wording]
) -> Iterator[tuple[Document, str]]:
    for document in files:
        for english in obj(document.data.get("texts")):
            if english not in wanted:
                yield document, english


def _missing_texts(
    translation: Translation,
    missing: Mapping[str, Wording],
    surplus: Sequence[tuple[Document, str]],
    files: Sequence[Document],
) -> Iterator[Problem]:
    if len(missing) > _MOST:
        yield _many(translation, "texts", files)
        return
    places = {english: document for document, english in surplus}
    for english, wording in missing.items():
        near = get_close_matches(english, places, 1, _ALIKE)
        hint = f"Give it in a file of languages/: cds rules texts --language {translation.tag}."
        if near:
            at = places[near[0]]
            line = at.place(("texts", near[0]), key=True).line
            hint = f"{at.name}:{line} has '{_cut(near[0])}'. Did the English change?"
        message = f"'{_cut(english)}' has no text in '{translation.tag}'; cards say it in English."
        document = wording.document or files[-1]
        path = wording.path if wording.document else ("texts",)
        yield document.problem(path, "W721", message, hint, severity="warning")


def _missing_names(
    translation: Translation, named: Mapping[str, str], files: Sequence[Document]
) -> Iterator[Problem]:
    given = {name.casefold() for name in translation.names}
    missing = [name for key, name in named.items() if key not in given]
    if len(missing) > _MOST:
        yield _many(translation, "names", files)
        return
    for name in missing:
        message = f"'{name}' has no name in '{translation.tag}'; cards say it in English."
        yield files[-1].problem(("names",), "W721", message, severity="warning")


def _many(translation: Translation, what: str, files: Sequence[Document]) -> Problem:
    message = (
        f"More than {_MOST} {what} are not given in '{translation.tag}'; cards say them in English."
    )
    hint = f"To list them: cds rules texts --language {translation.tag} --missing"
    return files[-1].problem(("language",), "W721", message, hint, severity="warning")


def _surplus_texts(
    surplus: Sequence[tuple[Document, str]],
    missing: Mapping[str, Wording],
    wanted: Mapping[str, Wording],
) -> Iterator[Problem]:
    for number, (document, english) in enumerate(surplus):
        near = did_you_mean(english, missing)
        if not near and number < _MOST:
            near = did_you_mean(english, wanted)
        message = "No text of the pack or the program reads like this."
        yield document.problem(
            ("texts", english), "W722", message, near, key=True, severity="warning"
        )


def _surplus_names(files: Sequence[Document], known: Mapping[str, str]) -> Iterator[Problem]:
    for document in files:
        strange = [n for n in obj(document.data.get("names")) if n.casefold() not in known]
        for number, name in enumerate(strange):
            near = did_you_mean(name, known.values()) if number < _MOST else ""
            message = f"Nothing in the pack is named '{name}'."
            yield document.problem(
                ("names", name), "W722", message, near, key=True, severity="warning"
            )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
