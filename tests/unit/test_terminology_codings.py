"""Coded values as real servers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.terminology.codings import (
    ATC,
    ICD9CM,
    ICD10,
    ICD10CM,
    ICD10GM,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
    canonical_code,
    text_of,
)
from tests.support import vocabulary

SYSTEMS = vocabulary.shipped().systems


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", ICD10CM),
        ("https://hl7.org/fhir/sid/icd-10-cm/", ICD10CM),
        ("http://hl7.org/fhir/sid/ICD-10-CM", ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.90", ICD10CM),
        ("2.16.840.1.113883.6.90", ICD10CM),
        ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-diagnosis-icd10", ICD10CM),
        ("http://hl7.org/fhir/sid/icd-10", ICD10),
        ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-diagnosis-icd9", ICD9CM),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
        ("http://snomed.info/sct/731000124108/version/20250901", SNOMED),
        ("http://snomed.info/ct", SNOMED),
        ("URN:OID:2.16.840.1.113883.6.88", RXNORM),
        ("https://www.nlm.nih.gov/research/umls/rxnorm", RXNORM),
        ("http://www.nlm.nih.gov/research/umls/rxnorm/", RXNORM),
        ("urn:oid:2.16.840.1.113883.6.69", NDC),
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("https://loinc.org/", LOINC),
        ("http://loinc.org|2.78", LOINC),
        ("http://www.whocc.no/atc", ATC),
        ("http://hl7.org/fhir/sid/atc", ATC),
        ("http://fhir.de/CodeSystem/bfarm/atc", ATC),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", ICD10GM),
        (" http://loinc.org ", LOINC),
        ("http://example.org/local", "http://example.org/local"),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_systems_have_one_name(sent: object, canonical: str) -> None:
    assert SYSTEMS.canonical(sent) == canonical


@pytest.mark.parametrize(
    ("system", "sent", "code"),
    [
        (ICD10CM, "E1142", "E11.42"),
        (ICD10CM, "g47.62", "G47.62"),
        (ICD10CM, "T560X1A", "T56.0X1A"),
        (ICD10CM, "G20", "G20"),
        (ICD10CM, "G20A1", "G20.A1"),
        (ICD10CM, " R252 ", "R25.2"),
        (ICD10CM, "not a code", "NOT A CODE"),
        (ATC, "c03aa03", "C03AA03"),
        (RXNORM, 312762, "312762"),
        (RXNORM, True, ""),
        (RXNORM, 3.5, ""),
        (SNOMED, None, ""),
        (LOINC, "  ", ""),
    ],
)
def test_codes_are_written_as_value_sets_write_them(system: str, sent: object, code: str) -> None:
    assert canonical_code(system, sent) == code


MIMIC = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-diagnosis-icd10"


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ({"coding": [{"system": MIMIC, "code": "E1142"}]}, [(ICD10CM, "E11.42", "")]),
        (
            {"system": LOINC, "code": "2276-4", "display": "Ferritin"},
            [(LOINC, "2276-4", "Ferritin")],
        ),
        (
            {"concept": {"coding": [{"system": SNOMED, "code": "55300003"}]}},
            [(SNOMED, "55300003", "")],
        ),
        ([{"coding": {"system": SNOMED, "code": 55300003}}], [(SNOMED, "55300003", "")]),
        ({"coding": [{}, {"code": ""}, {"system": LOINC}, None, "x"]}, []),
        ({"coding": None, "text": "cramp"}, []),
        ({"coding": [{"code": "x"}]}, [("", "x", "")]),
        (None, []),
        ("G47.62", []),
        ([], []),
    ],
)
def test_codings_of_every_shape(concept: object, expected: list[tuple[str, str, str]]) -> None:
    assert SYSTEMS.codings(concept) == expected


def test_a_code_that_is_sent_twice_counts_once_and_keeps_its_display() -> None:
    twice = {
        "coding": [
            {"system": "urn:oid:2.16.840.1.113883.6.90", "code": "G4762"},
            {"system": ICD10CM, "code": "G47.62", "display": "Sleep related leg cramps"},
        ]
    }
    assert SYSTEMS.codings(twice) == [(ICD10CM, "G47.62", "Sleep related leg cramps")]


@pytest.mark.parametrize(
    ("concept", "text"),
    [
        ({"text": " leg cramp ", "coding": [{"code": "x", "display": "Cramp"}]}, "leg cramp"),
        ({"coding": [{"code": "x"}, {"code": "y", "display": "Cramp"}]}, "Cramp"),
        ({"code": "x", "display": "Cramp"}, "Cramp"),
        ({"concept": {"text": "cramp"}}, "cramp"),
        ([{}, {"text": "cramp"}], "cramp"),
        ({"text": 3}, ""),
        (None, ""),
    ],
)
def test_the_name_of_a_concept(concept: object, text: str) -> None:
    assert text_of(concept) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "concept", "system", "code", "display", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_shape_raises(concept: object) -> None:
    for system, code, display in SYSTEMS.codings(concept):
        assert isinstance(system, str) and code and isinstance(display, str)
    assert isinstance(text_of(concept), str)


@pytest.mark.parametrize(
    ("sent", "system"),
    [
        ("http://hl7.org/fhir/sid/atc", ATC),
        ("https://atcddd.fhi.no/atc_ddd_index/", ATC),
        ("http://fhir.de/CodeSystem/bfarm/atc", ATC),
        ("2.16.840.1.113883.6.73", ATC),
        ("http://terminology.hl7.org/CodeSystem/icd10CM", ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.3", ICD10),
        ("LOINC", LOINC),
        ("http://snomed.info/xsct/11000172109/version/20250315", SNOMED),
        ("http://purl.bioontology.org/ontology/RXNORM", RXNORM),
        ("http://lab.example/atc", "http://lab.example/atc"),
    ],
)
def test_known_addresses_of_code_systems(sent, system):
    assert SYSTEMS.canonical(sent) == system
