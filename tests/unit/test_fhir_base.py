"""Base addresses of FHIR servers at the edges of what is read."""

import pytest

from cds_service.gather.urls import UrlRefused, parse_base

LABEL = "a" * 49 + "."


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (
            "https://" + LABEL * 5 + "org",
            LABEL * 5 + "org",
            443,
        ),  # 253 characters, all that DNS has
        ("http://fhir.example.org:1/r4", "fhir.example.org", 1),
        ("https://fhir.example.org:65535", "fhir.example.org", 65_535),
        ("https://192.0.2.1/r4", "192.0.2.1", 443),
        ("https://[2001:DB8:0::1]/r4", "2001:db8::1", 443),
    ],
)
def test_addresses_that_are_read(text: str, host: str, port: int) -> None:
    base = parse_base(text)
    assert (base.host, base.port) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "https://" + LABEL * 5 + "info",
        "https://fhir.example.org:0",
        "https://fhir.example.org:65536",
        "https://2130706433/r4",
        "https://0x7f.1/r4",
        "https://127.1/r4",
        "https://fhir.0x7f/r4",
        "https://[fhir.example.org]/r4",
        "https://fhir..example.org/r4",
    ],
)
def test_addresses_that_others_might_read_otherwise_are_refused(text: str) -> None:
    with pytest.raises(UrlRefused):
        parse_base(text)
