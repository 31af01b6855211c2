"""National Drug Codes: three layouts of ten digits, and eleven."""

import pytest

from cds_service.terminology.ndc import eleven_digits


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0093-9999-01", ("00093999901",)),
        ("12345-678-90", ("12345067890",)),
        ("12345-6789-1", ("12345678901",)),
        ("12345-6789-01", ("12345678901",)),
        (" 12345678901 ", ("12345678901",)),
        ("012345678901", ("12345678901",)),
        ("1234567890", ("01234567890", "12345067890", "12345678900")),
        ("12345-6789", ()),
        ("123456789", ()),
        ("12-3456-78", ()),
        ("1234a-678-90", ()),
        ("", ()),
    ],
)
def test_what_a_code_may_be_in_eleven_digits(code: str, expected: tuple[str, ...]) -> None:
    assert eleven_digits(code) == expected
