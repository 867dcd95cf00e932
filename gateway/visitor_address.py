"""From which address a visitor comes, where proxies stand in between. Pure."""

import ipaddress
from collections.abc import Iterable, Sequence

UNKNOWN = "unknown"


def visitor_address(peer: str | None, forwarded: Iterable[str], trusted: Sequence[str]) -> str:
    """
    Return the nearest address that is none of the operator's own proxies.

    Anybody may send `X-Forwarded-For`; only what a trusted proxy has added to its end counts.

    Args:
        peer: Who has connected.
        forwarded: The values of `X-Forwarded-For`, in order.
        trusted: Networks of the operator's proxies.
    """
    chain = [each.strip() for value in forwarded for each in value.split(",")]
    found = peer or UNKNOWN
    while chain and _is_in(found, trusted):
        nearer = chain.pop()
        if _parsed(nearer) is None:
            break
        found = nearer
    return found


def _is_in(address: str, networks: Sequence[str]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in ipaddress.ip_network(each) for each in networks)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
