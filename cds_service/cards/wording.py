"""Names from code systems and charts, as they read inside a sentence.

Code systems write names as headings ("Muscle weakness (generalized)") and describe tests in full
("Basic metabolic panel - Blood"); a sentence wants "muscle weakness (generalized)" and "basic
metabolic panel".
"""

import re

# First words that keep their capital: people, places, species.
PROPER_NAMES = """
    Addison Alzheimer Babesia Baker Bartter Becker Buerger Charcot Cori Crohn Cushing Doppler
    Duchenne Ehlers Ekbom English Fredrickson Friedreich Gilbert Gitelman Graves Guillain Hashimoto
    Hodgkin Huntington Isaacs Kearns Kennedy Korsakoff Leriche Lewy Lyme Madras Marfan McArdle
    Mediterranean Mönckeberg Parkinson Plasmodium Pompe Prototheca Raynaud Sjogren Sjögren
    Steinert Takayasu Tarui Wernicke Willis Wilson Clostridium
"""

_PROPER = frozenset(PROPER_NAMES.split())
_FIRST_WORD = re.compile(r"[^\W_]+")
# LOINC: what is measured "in Serum or Plasma", "- Blood", "by Automated count", "[Mass/volume]".
_SPECIMEN = re.compile(
    r" (?:in|-) (?:serum|plasma|(?:arterial |capillary |venous )?blood)\b"
    r"(?:(?:,| or) (?:plasma|blood|serum))*(?: by .+)?$",
    re.IGNORECASE,
)
_PROPERTY = re.compile(r" \[[^\]]*\]")
_PER = re.compile(r"/\S*\..*")  # "A1c/Hemoglobin.total", "rate/1.73 sq M.predicted"
_SETTING = re.compile(r" \(setting [^()]*\)")
_PANEL_YEAR = re.compile(r" (?:1998|2000)(?= panel\b)")


def inside(name: str) -> str:
    """A name as it stands inside a sentence: its first letter small, unless it is an acronym's or
    a proper name's ("RLS", "L4 radiculopathy", "Parkinson's disease")."""
    match = _FIRST_WORD.search(name)
    if match is None or match.start() or not _is_ordinary(match.group(), name[match.end() :]):
        return name
    return f"{name[0].lower()}{name[1:]}"


def opening(text: str) -> str:
    """A text that begins with a capital, but for words with a spelling of their own ("eGFR")."""
    word = _FIRST_WORD.match(text)
    if word is None or word.group()[1:] != word.group()[1:].lower():
        return text
    return f"{text[0].upper()}{text[1:]}"


def clause(sentence: str) -> str:
    """A sentence as a part of another: without full stop, and without names of settings."""
    return inside(_SETTING.sub("", sentence)).removesuffix(".")


def test_name(name: str) -> str:
    """A laboratory test without what only the laboratory needs: property, specimen, method."""
    short = _PER.sub("", _PANEL_YEAR.sub("", _PROPERTY.sub("", name)))
    return _SPECIMEN.sub("", short).strip() or name


def _is_ordinary(word: str, rest: str) -> bool:
    if len(word) < 2 or not word[1:].islower():
        return False
    possessive = rest.startswith(("'s", "\N{RIGHT SINGLE QUOTATION MARK}s"))
    return not possessive and word not in _PROPER
