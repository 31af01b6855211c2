"""Reading coded values from FHIR, whatever the release: codes, texts, check digits.

What the code systems are called is another matter (`code_systems`). Nothing here raises.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"
CPT = "http://www.ama-assn.org/go/cpt"
INGREDIENT = "https://cds.legcramps.example/CodeSystem/ingredient"

CANONICAL = frozenset(
    {ICD10CM, ICD10, ICD10GM, ICD9CM, SNOMED, RXNORM, LOINC, ATC, NDC, CPT, INGREDIENT}
)

ICD10_EDITIONS = frozenset({ICD10CM, ICD10, ICD10GM})
_MARKS = "*!+\u2020#-"  # dagger, asterisk and the like of the WHO and German editions
_NAMES = ("text", "display")
_DEEPEST = 4  # a list of CodeableReferences, their concept, its codings
_LOINC_CODE = re.compile(r"[0-9]{1,7}-[0-9]")
_SNOMED_CODE = re.compile(r"[1-9][0-9]{2,14}[01][0-2][0-9]")  # 0x core, 1x extensions
_ATC_CODE = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")
_ICD10_DOTTED = re.compile(r"[A-TV-Z][0-9][0-9A-Z]\.[0-9A-Z]{1,4}")
_ICD10_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


def bare_system(code: str) -> str:
    """The system of a code sent without one, where the form alone leaves no doubt; else "".

    LOINC and SNOMED CT codes carry a check digit; ATC's seven characters and ICD-10-CM's dot behind
    letter and digits are written by nobody else. RxNorm's bare numbers could be anything.
    """
    if _LOINC_CODE.fullmatch(code):
        return LOINC if _luhn(code.replace("-", "")) else ""
    if _SNOMED_CODE.fullmatch(code):
        return SNOMED if _verhoeff(code) else ""
    if _ATC_CODE.fullmatch(code):
        return ATC
    return ICD10CM if _ICD10_DOTTED.fullmatch(code) else ""


_LOINC_OTHER = re.compile(r"L[A-Z][0-9]{1,7}-[0-9]")  # answers, parts, groups


def check_digit_fits(system: str, code: str) -> bool:
    """Whether a LOINC or SNOMED CT code has the form and the check digit of one; yes elsewhere."""
    if system == LOINC:
        plain = _LOINC_CODE.fullmatch(code) is not None
        return bool(_LOINC_OTHER.fullmatch(code)) or (plain and _luhn(code.replace("-", "")))
    if system == SNOMED and code.isascii() and code.isdigit():
        return 6 <= len(code) <= 18 and _verhoeff(code)
    return True


def _luhn(digits: str) -> bool:
    """Mod 10, as LOINC computes its check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _verhoeff(digits: str) -> bool:
    """Whether the last digit is the check digit of the rest (dihedral group of ten elements)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTED[value]
        check = _dihedral(check, value)
    return check == 0


_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _dihedral(left: int, right: int) -> int:
    """The product of two symmetries of a pentagon; from 5 on they are reflections."""
    turn = left % 5 + (right % 5 if left < 5 else -(right % 5))
    return turn % 5 + (5 if (left < 5) != (right < 5) else 0)


def canonical_code(system: str, code: Any) -> str:
    """The code as value sets write it: trimmed; ICD-10-CM with its dot ("E1142" -> "E11.42").

    Numbers are accepted, because some records send RxNorm and SNOMED codes unquoted; a boolean is
    no code.
    """
    if isinstance(code, bool) or not isinstance(code, str | int):
        return ""
    text = str(code).strip()
    if system in ICD10_EDITIONS:
        text = text.upper().rstrip(_MARKS)
        if len(text) > 3 and "." not in text and _ICD10_CODE.fullmatch(text):
            text = f"{text[:3]}.{text[3:]}"
    elif system == ATC:
        text = text.upper()
    return text


def codings_as_sent(concept: Any) -> Iterable[dict[str, Any]]:
    """The codings of a value of any shape, as they were written."""
    plain = _plain_codings(concept)
    return _coding_objects(concept, depth=0) if plain is None else plain


def first_code(concept: Any) -> str:
    """The first code of a value, whatever its system; "" where it has none."""
    coded = (canonical_code("", coding.get("code")) for coding in codings_as_sent(concept))
    return next(filter(None, coded), "")


def text_of(concept: Any) -> str:
    """What a value is called: its text, else the first display; "" when it has neither."""
    for value in concept if isinstance(concept, list) else [concept]:
        if isinstance(value, dict):
            inner = value.get("concept")
            name = _text(value.get("text")) or _text(value.get("display")) or _first_display(value)
            name = name or (text_of(inner) if isinstance(inner, dict) else "")
            if name:
                return name
    return ""


def names_of(concept: Any) -> list[str]:
    """Everything that a value is called: its texts and displays, in order, each once."""
    plain = _plain_codings(concept)
    if plain is None:
        return list(dict.fromkeys(name for name in _names(concept, depth=0) if name))
    names = [_text(part[key]) for part in (concept, *plain) for key in _NAMES if key in part]
    return list(dict.fromkeys(filter(None, names)))


def _names(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for element in value:
            yield from _names(element, depth + 1)
    elif isinstance(value, dict):
        yield _text(value.get("text"))
        yield _text(value.get("display"))
        for key in ("coding", "concept"):
            yield from _names(value.get(key), depth + 1)


def _coding_objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for element in value:
            yield from _coding_objects(element, depth + 1)
    elif isinstance(value, dict):
        if "code" in value and "coding" not in value:
            yield value
        for name in ("coding", "concept"):
            if name in value:
                yield from _coding_objects(value[name], depth + 1)


def _plain_codings(concept: Any) -> list[dict[str, Any]] | None:
    """The codings of a CodeableConcept as nearly all are written; None for any other shape."""
    if type(concept) is not dict or "concept" in concept:
        return None
    listed = concept.get("coding")
    if type(listed) is not list:
        return None
    for coding in listed:
        if type(coding) is not dict or "code" not in coding:
            return None
        if "coding" in coding or "concept" in coding:
            return None
    return listed


def _first_display(concept: dict[str, Any]) -> str:
    coded = (
        coding for coding in codings_as_sent(concept) if canonical_code("", coding.get("code"))
    )
    return next(filter(None, (_text(coding.get("display")) for coding in coded)), "")


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
