"""From the files of `languages/` to translations: a language may have several files, and a site's
file is laid over the shipped ones entry by entry. "de-AT" has what "de" has and it does not say.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from cds_service.cards.language import ENGLISH_TAG
from cds_service.packs.positions import Document
from cds_service.packs.source import LANGUAGES, PackSource, obj, seq, word
from cds_service.rules.model import Translation

Json = Any
_FORM = ("decimal", "day", "month")


def translations(source: PackSource) -> dict[str, Translation]:
    """The languages of a source that has passed all checks, by tag."""
    files: dict[str, list[Document]] = {}
    for document in source.languages:
        files.setdefault(word(document.data.get("language")), []).append(document)
    return {
        tag: _translation(tag, [*files.get(_wider(tag), ()), *files[tag]]) for tag in sorted(files)
    }


def tags(*folders: Path | None) -> list[str]:
    """The languages that folders have files of, and English; what cannot be read is told by the
    checks of the pack."""
    languages = {ENGLISH_TAG}
    for file in (
        file for folder in folders if folder for file in (folder / LANGUAGES).glob("*.json")
    ):
        try:
            languages.add(word(obj(orjson.loads(file.read_bytes())).get("language")))
        except (OSError, orjson.JSONDecodeError):
            continue
    return sorted(filter(None, languages))


def asked_by_clients(site: Path) -> set[str]:
    """The languages that a site's clients.json asks for, whatever else is in it."""
    try:
        clients = obj(orjson.loads((site / "clients.json").read_bytes())).get("clients")
    except (OSError, orjson.JSONDecodeError):
        return set()
    tags = (obj(obj(client).get("dialect")).get("language") for client in seq(clients))
    return {tag for tag in tags if isinstance(tag, str)}


def _wider(tag: str) -> str:
    """The language without its region; "" where it has none."""
    language, region, _ = tag.partition("-")
    return language if region else ""


def _translation(tag: str, files: Sequence[Document]) -> Translation:
    data = [obj(document.data) for document in files]
    form = _laid_over(data, "form")
    return Translation(
        tag=tag,
        title=next((content["title"] for content in reversed(data) if "title" in content), tag),
        texts=_laid_over(data, "texts"),
        names=_laid_over(data, "names"),
        reviewed=all("reviewed" in content for content in data),
        **{key: form[key] for key in _FORM if key in form},
    )


def _laid_over(files: Sequence[Mapping[str, Json]], section: str) -> dict[str, str]:
    laid: dict[str, str] = {}
    for data in files:
        laid |= obj(data.get(section))
    return laid
