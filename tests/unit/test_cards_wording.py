"""Names as they read inside a sentence, and what a chart entry is called."""

import pytest

from cds_service.cards import wording
from cds_service.facts import naming
from cds_service.terminology.codings import ICD10CM
from cds_service.terminology.index import Terminology

PACK = "Edema, not elsewhere classified"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Muscle weakness (generalized)", "muscle weakness (generalized)"),
        ("Type 2 diabetes", "type 2 diabetes"),
        ("RLS", "RLS"),
        ("NSAID use", "NSAID use"),
        ("X-ray", "X-ray"),
        ("L4 radiculopathy", "L4 radiculopathy"),
        ("HbA1c", "HbA1c"),
        ("T>3<", "T>3<"),
        ("Parkinson disease", "Parkinson disease"),
        ("Raynaud phenomenon", "Raynaud phenomenon"),
        ("Addison's disease", "Addison's disease"),
        ("Nobody’s disease", "Nobody’s disease"),
        ("(old) thing", "(old) thing"),
        ("1 mg", "1 mg"),
        ("", ""),
    ],
)
def test_inside_a_sentence(name: str, expected: str) -> None:
    assert wording.inside(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("magnesium oxide for cramps", "Magnesium oxide for cramps"),
        ("a drug", "A drug"),
        ("Ferritin", "Ferritin"),
        ("eGFR", "eGFR"),
        ("pH", "pH"),
        ("(old) thing", "(old) thing"),
        ("", ""),
    ],
)
def test_at_the_beginning_of_a_text(text: str, expected: str) -> None:
    assert wording.opening(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Basic metabolic panel - Blood", "Basic metabolic panel"),
        ("Basic metabolic 2000 panel - Serum or Plasma", "Basic metabolic panel"),
        ("Ferritin [Mass/volume] in Serum or Plasma", "Ferritin"),
        ("Sodium [Moles/volume] in Serum, Plasma or Blood", "Sodium"),
        ("CBC panel - Blood by Automated count", "CBC panel"),
        ("Hemoglobin A1c/Hemoglobin.total in Blood", "Hemoglobin A1c"),
        ("BUN/Creatinine ratio", "BUN/Creatinine ratio"),
        ("Complete blood count", "Complete blood count"),
        ("Blood", "Blood"),
        ("[x]", "[x]"),
    ],
)
def test_names_of_tests(name: str, expected: str) -> None:
    assert wording.test_name(name) == expected


@pytest.mark.parametrize(
    ("pack", "exact", "concept", "expected"),
    [
        ("Foot drop", True, {"text": "My foot"}, "Foot drop"),
        ("Foot drop", False, {"text": "My foot"}, "My foot"),
        ("Foot drop", False, {"text": "MY FOOT"}, "Foot drop"),
        ("Foot drop", False, {"text": "x" * 61}, "Foot drop"),
        ("Foot drop", False, None, "Foot drop"),
        ("Foot drop", False, {"text": 1, "coding": "x"}, "Foot drop"),
        (PACK, True, {"text": "Swollen  legs"}, "Swollen legs"),
        (PACK, False, {"text": "Edema, unspecified"}, "Edema"),
        (PACK, False, {}, "Edema"),
        ("Other and unspecified cirrhosis", False, {}, "Cirrhosis"),
        ("Veins of other and unspecified sites", False, {}, "The title"),
        ("", False, {"text": "Words " * 20}, ("Words " * 20).strip()),
        ("", False, {}, "the title"),  # a code is no name
    ],
)
def test_what_an_entry_is_called(pack: str, exact: bool, concept: object, expected: str) -> None:
    found = naming.best(pack, concept, list, exact=exact, title="the title")
    assert found == expected


def test_only_the_display_of_the_very_code_counts() -> None:
    codings = [
        {"system": ICD10CM, "code": "R60.9", "display": "Another"},
        {"system": ICD10CM, "code": "R600", "display": "Localized edema"},
    ]
    concept = {"coding": codings}
    displays = Terminology({}).displays_in(concept, ICD10CM, "R60.0")
    found = naming.best(PACK, concept, lambda: displays, exact=False, title="")
    assert found == "Localized edema"
