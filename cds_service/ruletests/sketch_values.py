"""The small notations of a chart sketch: codes, values, dates; and complaints about a wrong one."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from cds_service.terminology.codings import (
    ATC,
    CPT,
    ICD10,
    ICD10CM,
    ICD10GM,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
)

Json = Any

SYSTEMS: Mapping[str, str] = {
    "icd10": ICD10CM,
    "icd10who": ICD10,
    "icd10gm": ICD10GM,
    "snomed": SNOMED,
    "loinc": LOINC,
    "rxnorm": RXNORM,
    "atc": ATC,
    "ndc": NDC,
    "cpt": CPT,
}
_UCUM = "http://unitsofmeasure.org"
_QUANTITY = re.compile(
    r"(?P<comparator><=|>=|<|>)?\s*(?P<number>-?\d+(?:\.\d+)?)(?:\s+(?P<unit>\S.*))?"
)
_RELATIVE = re.compile(r"(?P<sign>[+-])(?P<days>\d{1,5})d")


class SketchError(ValueError):
    """A chart sketch that means nothing. The message begins with the place: `observations[0]`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)


def entry_of(value: Json, short: str, allowed: Collection[str], place: str) -> Mapping[str, Json]:
    """An entry in full: `"icd10:G47.62"` stands for `{short: "icd10:G47.62"}`."""
    if isinstance(value, str):
        return {short: value}
    return checked(value, allowed, place)


def checked(value: Json, allowed: Collection[str], place: str) -> Mapping[str, Json]:
    """An object with no other than the allowed keys."""
    if not isinstance(value, Mapping):
        raise SketchError(place, "must be an object")
    for key in value:
        if key not in allowed:
            raise SketchError(place, f"'{key}' is not known here.{did_you_mean(key, allowed)}")
    return value


def did_you_mean(word: str, allowed: Collection[str]) -> str:
    """ " Did you mean 'conditions'?", or what is allowed where nothing is close."""
    close = get_close_matches(word, allowed, n=1)
    return f" Did you mean '{close[0]}'?" if close else f" Allowed: {', '.join(sorted(allowed))}."


def concept(code: Json, place: str, text: str = "") -> dict[str, Json]:
    """A CodeableConcept of "icd10:G47.62", of "text:..." (no coding), or of a list of codes."""
    codings: list[dict[str, Json]] = []
    for spelling in code if isinstance(code, list) else [code]:
        prefix, colon, rest = spelling.partition(":") if isinstance(spelling, str) else ("", "", "")
        if not colon or not rest:
            raise SketchError(place, f"a code is written prefix:code, not {spelling!r}")
        if prefix == "text":
            text = text or rest
        elif prefix in SYSTEMS:
            codings.append({"system": SYSTEMS[prefix], "code": rest})
        else:
            raise SketchError(
                place, f"no code prefix '{prefix}'.{did_you_mean(prefix, [*SYSTEMS, 'text'])}"
            )
    written: dict[str, Json] = {"coding": codings} if codings else {}
    return written | ({"text": text} if text else {})


def words_or_concept(value: Json, place: str) -> dict[str, Json]:
    """A concept given as a code, or in plain words."""
    prefix = value.partition(":")[0] if isinstance(value, str) else ""
    return concept(value, place) if prefix in (*SYSTEMS, "text") else {"text": str(value)}


def quantity(text: str, place: str) -> dict[str, Json]:
    """A FHIR Quantity of "49.9 ng/mL", "<5 ng/mL" or "0.9" (no unit).

    The number is what the request parser makes of JSON: an int or a float.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise SketchError(place, f"not a value: {text!r} (write 49.9 ng/mL, <5 ng/mL or 0.9)")
    number = match["number"]
    written: dict[str, Json] = {"value": float(number) if "." in number else int(number)}
    if match["comparator"]:
        written["comparator"] = match["comparator"]
    if match["unit"]:
        written |= {"unit": match["unit"], "system": _UCUM, "code": match["unit"]}
    return written


def value_of(value: Json, place: str) -> dict[str, Json]:
    """The `value[x]` of an Observation: a quantity, a code, words ("text:...") or a boolean."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"valueBoolean": value}
    text = str(value)
    prefix = text.partition(":")[0]
    if prefix == "text":
        return {"valueString": text.partition(":")[2]}
    if prefix in SYSTEMS:
        return {"valueCodeableConcept": concept(text, place)}
    return {"valueQuantity": quantity(text, place)}


def moment(text: str | None, now: datetime, place: str) -> str | None:
    """A FHIR date: "-30d" counts from `now`; a date stands for itself; None is no date."""
    if text is None:
        return None
    if not isinstance(text, str) or not text:
        raise SketchError(place, "a date is written 2026-10-21 or -30d")
    match = _RELATIVE.fullmatch(text)
    if match is None:
        if not text[:4].isdigit():
            raise SketchError(place, f"not a date: {text!r} (write 2026-10-21 or -30d)")
        return text
    days = int(match["days"]) * (-1 if match["sign"] == "-" else 1)
    return (now + timedelta(days=days)).date().isoformat()


def without_gaps(resource: Mapping[str, Json]) -> dict[str, Json]:
    """The resource without what was not given: a FHIR resource holds no null and nothing empty."""
    return {key: value for key, value in resource.items() if value not in (None, "", [], {})}
