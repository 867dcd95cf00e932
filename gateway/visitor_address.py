"""From which address a visitor comes, where proxies stand in between. Pure."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

UNKNOWN = "unknown"
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
"""As some proxies forward it: `198.51.100.1:4711`, `[2001:db8::7]:4711`."""
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_ONE_SITE: Final = 64
"""Bits of an IPv6 address that its owner cannot choose."""


def visitor_address(peer: str | None, forwarded: Iterable[str], trusted: Sequence[str]) -> str:
    """
    Return the nearest address that is none of the operator's own proxies.

    Anybody may send `X-Forwarded-For`; only what a trusted proxy has added to its end counts. An IPv4 address
    that a listener for both versions shows as `::ffff:…` is told as IPv4.

    Args:
        peer: Who has connected.
        forwarded: The values of `X-Forwarded-For`, in order.
        trusted: Networks of the operator's proxies.
    """
    chain = [each.strip() for value in forwarded for each in value.split(",")]
    found = _parsed(peer or UNKNOWN)
    if found is None:
        return peer or UNKNOWN
    while chain and _is_in(found, trusted):
        nearer = _parsed(_without_port(chain.pop()))
        if nearer is None:
            break
        found = nearer
    return str(found)


def site_of(address: str) -> str:
    """Return what a limit counts: an IPv4 address, or all of an IPv6 site, whose owner has 2^64 addresses."""
    parsed = _parsed(address)
    if not isinstance(parsed, ipaddress.IPv6Address):
        return address
    return str(ipaddress.IPv6Network((int(parsed), _ONE_SITE), strict=False))


def _is_in(address: _Address, networks: Sequence[str]) -> bool:
    return any(address in ipaddress.ip_network(each) for each in networks)


def _without_port(text: str) -> str:
    found = _WITH_PORT.fullmatch(text)
    return text if found is None else found[1] or found[2] or ""


def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
