"""The files of a pack that no rule reads: claims, evidence, guideline differences, history.

They explain the rules and change no answer, so they are no part of the pack's revision. A pack
without them is explained as far as its rules go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import ConfigurationError
from cds_service.rules.model import Pack

Json = Any
NOT_PROVIDED = "not provided"
QUESTIONS = "questionnaire"


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a source document. `line` counts from 1; the quote has 20 words at most.

    `held` says where the project keeps it: "rules", "questionnaire", "text" (words of a rule's
    card) or "documentation" (why nothing else holds it).
    """

    id: str
    document: str
    line: int
    quote: str
    type: str
    held: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Library:
    """All of a pack's explanations; each part is empty where its file is not there."""

    documents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    evidence: Mapping[str, Json] = field(default_factory=dict)
    guidelines: Mapping[str, Json] = field(default_factory=dict)
    history: Mapping[str, Json] = field(default_factory=dict)

    def claims_of(self, questionnaire_item: str) -> list[Claim]:
        """The claims that a question asks about."""
        asked = (c for c in self.claims.values() if questionnaire_item in c.held.get(QUESTIONS, ()))
        return list(asked)

    def cited(self, name: str) -> dict[str, Json]:
        """A claim as a reader sees it: its words, its place, what its document says of itself."""
        claim = self.claims.get(name)
        if claim is None:
            return {"id": name, "quote": NOT_PROVIDED, "document": NOT_PROVIDED}
        document = self.documents.get(claim.document, {})
        review = {"review": document["review"]} if "review" in document else {}
        return {
            "id": name,
            "quote": claim.quote,
            "type": claim.type,
            "document": document.get("title", claim.document),
            "file": document.get("file", claim.document),
            "line": claim.line,
            **review,
        }


def library_of(pack: Pack) -> Library:
    """The explanations that ship with a pack. ConfigurationError where a file cannot be read."""
    return _read(pack.root)


@lru_cache(maxsize=4)
def _read(root: Path) -> Library:
    claims = _file(root, "claims")
    return Library(
        documents=claims.get("documents", {}),
        claims={
            name: Claim(
                id=name,
                document=data["document"],
                line=data["line"],
                quote=data["quote"],
                type=data["type"],
                held=data["held"],
            )
            for name, data in claims.get("claims", {}).items()
        },
        evidence=_file(root, "evidence"),
        guidelines=_file(root, "guidelines"),
        history=_file(root, "history"),
    )


def _file(root: Path, name: str) -> dict[str, Json]:
    path = root / f"{name}.json"
    if not path.is_file():
        return {}
    try:
        data = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno}:{error.colno} is not JSON.") from error
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} holds no JSON object.")
    return data
