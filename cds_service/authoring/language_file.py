"""`cds rules texts`: a file of `languages/` to fill in, all its texts or the missing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cds_service.authoring.terminology.build import readable
from cds_service.packs.load import load_pack, read_whole
from cds_service.packs.wordings import diagnoses, names, texts

Json = Any


def language_file(hooks: Path, site: Path | None, tag: str, *, missing: bool) -> str:
    """The file as JSON: what the language says, else the English. `missing`: the latter alone."""
    pack = load_pack(hooks, site, thorough=False)
    known = pack.translations.get(tag)
    given = known.names if known else {}
    named = {name.casefold(): name for name in given}
    wanted = [*names(pack).values(), *diagnoses(pack).values()]
    called = {name: given.get(named.get(name.casefold(), ""), name) for name in wanted}
    content: Json = {
        "$schema": "../schemas/language.schema.json",
        "language": tag,
        "texts": _filled(
            texts(read_whole(hooks, site), pack), known.texts if known else {}, missing
        ),
        "names": {en: own for en, own in called.items() if not (missing and own != en)},
    }
    return readable(content).removesuffix("\n")


def _filled(wanted: Iterable[str], given: Json, missing: bool) -> dict[str, str]:
    return {
        english: given.get(english, english)
        for english in wanted
        if not (missing and english in given)
    }
