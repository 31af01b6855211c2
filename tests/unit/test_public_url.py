"""The address that cards link to where nobody named one."""

import pytest

from cds_service.config import Settings
from cds_service.service.runtime import public_url


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:5005"),
        ("localhost", "http://localhost:5005"),
        ("::1", "http://[::1]:5005"),
        ("0.0.0.0", ""),
        ("10.1.2.3", ""),
    ],
)
def test_on_this_machine_it_is_where_the_service_listens(host: str, expected: str) -> None:
    assert public_url(Settings(auth="off", host=host)) == expected


def test_a_named_address_is_kept() -> None:
    assert public_url(Settings(public_url="https://cds.example.org")) == "https://cds.example.org"
