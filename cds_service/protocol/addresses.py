"""Which network addresses the service may connect to (against server-side request forgery)."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address


def may_connect(address: str, networks: Iterable[str] = ()) -> bool:
    """Whether an address is public, or lies in one of the listed ranges.

    `address` is what name resolution gave, so a name that points inside is caught as well.
    """
    inner = _inner(ip_address(address.partition("%")[0]))
    if any(inner in ip_network(network) for network in networks):
        return True
    special = (
        inner.is_private, inner.is_loopback, inner.is_link_local, inner.is_multicast,
        inner.is_reserved, inner.is_unspecified,
    )  # fmt: skip
    return inner.is_global and not any(special)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by number or as localhost. An IPv4 address in the dress of
    an IPv6 one is not: Pythons before 3.13 and later ones judge it differently, and no
    configuration is written so."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def _inner(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
