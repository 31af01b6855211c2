"""Whatever a request or a server writes as an address: it is refused, or lies under the base."""

from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from cds_service.gather.urls import UrlRefused, parse_base, target_of_link

BASE = parse_base("https://fhir.example.org/r4")
PIECES = st.sampled_from(
    ["https://", "http:", "//", "/", "\\", "fhir.example.org", "r4", "..", ".", "%2e", "%2f", "%5c",
     "@", ":", ":443", "?", "#", "%", "%25", " ", "\n", "\t", "\x00", "é", "127.0.0.1", "[::1]"]
)  # fmt: skip
LINKS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)
HOSTS = st.sampled_from(["https://fhir.example.org", "HTTPS://FHIR.example.org", "http://[::1]"])


@given(st.builds(str.__add__, st.sampled_from(["", "https://fhir.example.org/r4", "/r4/"]), LINKS))
def test_links(link: str) -> None:
    try:
        target = target_of_link(BASE, link)
    except UrlRefused:
        return
    path = unquote(target.partition("?")[0])
    assert path == "/r4" or path.startswith("/r4/")
    assert not {".", ".."} & set(path.split("/"))
    assert target.isascii()
    assert target.isprintable()
    assert not set(target) & set(' \\#"<>')


@given(st.builds(str.__add__, HOSTS, LINKS))
def test_base_addresses(text: str) -> None:
    try:
        base = parse_base(text)
    except UrlRefused:
        return
    standard = urlsplit(text)  # an address that is read at all is read alike by others
    assert (standard.scheme, standard.hostname) == (base.scheme, base.host)
    assert standard.username is None
    assert (standard.port or (443 if base.scheme == "https" else 80)) == base.port
