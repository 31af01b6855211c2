"""The pack's FHIR Questionnaires, as they are and as a list for a page."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from cds_service.rules.model import Pack
from cds_service.sources.library import Library, library_of

Json = Any
FOLDER = "questionnaires"
_HELP = "display"
_TYPES = {"boolean": "yes or no", "choice": "one of", "string": "text"}


def questionnaire_of(pack: Pack, name: str) -> Mapping[str, Json] | None:
    """The Questionnaire with this id, or None."""
    return _all(pack.root).get(name)


def searchset(pack: Pack, url: str | None, base: str) -> Mapping[str, Json]:
    """The Questionnaires of a canonical address (all of them for None) as the Bundle of a search.

    A version in the address is not looked at: there is one of each. `base` is where they are read.
    """
    wanted = url.partition("|")[0] if url is not None else None
    matching = [form for form in _all(pack.root).values() if wanted in (None, form["url"])]
    entries = [
        {"fullUrl": f"{base}/{form['id']}", "resource": form, "search": {"mode": "match"}}
        for form in matching
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(matching)}
    return {**bundle, "entry": entries} if entries else bundle


def questionnaires(pack: Pack) -> Iterator[Mapping[str, Json]]:
    """All Questionnaires of the pack."""
    yield from _all(pack.root).values()


def questions(pack: Pack, questionnaire: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Each numbered question with its answers, help, parts, and the claims it rests on."""
    library = library_of(pack)
    return [_question(item, library) for item in _items(questionnaire)]


def _question(item: Mapping[str, Json], library: Library) -> dict[str, Json]:
    options = [option["valueCoding"]["display"] for option in item.get("answerOption", ())]
    return {
        "linkId": item["linkId"],
        "text": item["text"],
        "answers": "any of" if item.get("repeats") else _TYPES.get(item["type"], item["type"]),
        "options": options,
        "help": [part["text"] for part in item.get("item", ()) if part["type"] == _HELP],
        "parts": [_question(part, library) for part in _items(item)],
        "claims": [library.cited(claim.id) for claim in library.claims_of(item["linkId"])],
    }


def _items(parent: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    return (item for item in parent.get("item", ()) if item["type"] != _HELP)


@lru_cache(maxsize=4)
def _all(root: Path) -> Mapping[str, Mapping[str, Json]]:
    by_id = {}
    for path in sorted((root / FOLDER).glob("*.json")):
        resource = orjson.loads(path.read_bytes())
        by_id[str(resource["id"])] = resource
    return by_id
