"""One policy for every connection to outside: FHIR servers and key servers.

A name is looked up here, all its addresses are checked, and the caller connects to one of those.
One address that is not permitted refuses them all: a name that leads to inside and outside at once
is no accident. Nothing here opens a socket.
"""

import ssl
from collections.abc import Callable
from functools import lru_cache
from socket import SOCK_STREAM, getaddrinfo

import certifi

Permits = Callable[[str], bool]


class AddressRefused(OSError):
    """The name leads to an address that the service does not connect to."""


def addresses(host: str, port: int, permits: Permits) -> list[str]:
    """The addresses that a host has at this moment, each once, in the system's order.

    Raises AddressRefused, and OSError where the name cannot be looked up.
    """
    try:
        answers = getaddrinfo(host, port, type=SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("no name that can be looked up") from error
    distinct = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not all(permits(address) for address in distinct):
        raise AddressRefused("an address that is not connected to")
    return distinct


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """Trust in the authorities of the system or of SSL_CERT_FILE; certifi's where the system has
    none. Names are checked."""
    paths = ssl.get_default_verify_paths()
    has_own = paths.cafile or paths.capath
    return ssl.create_default_context(cafile=None if has_own else certifi.where())
