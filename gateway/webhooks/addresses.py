"""
Where a webhook may go.

Two questions, asked at two times. When an endpoint is saved, `check_url` judges the text of its URL. When
it is called, `Targets.allows` judges every address its name resolved to, and the connection goes to a
judged address: a name that answers differently a moment later changes nothing.

The list is our own. Python's `ip.is_global` says yes to NAT64 of the metadata service
(`64:ff9b::a9fe:a9fe`), to 6to4 of it (`2002:a9fe:a9fe::1`), to `::7f00:1` and to `fec0::1` (seen in
3.11.7). For IPv6 the rule is inverted: only global unicast (2000::/3) may be called at all, minus what is
carved out of it.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, Literal

from msgspec import Struct

from gateway.errors import ConfigurationError

MAX_URL_LENGTH: Final = 2048
_MAX_HOST_LENGTH: Final = 253
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80
_FIRST_USER_PORT: Final = 1024
_MAX_PORT: Final = 65535

DENIED_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host agent
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

GLOBAL_V6: Final = IPv6Network("2000::/3")
"""Outside lie loopback, mapped and compatible IPv4, NAT64, ULA, link-local, site-local and multicast."""
DENIED_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone, returned
        "3fff::/20",  # documentation
    )
)

IPAddress = IPv4Address | IPv6Address
UrlFault = Literal["length", "form", "scheme", "host", "address", "port"]

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:\[(?P<v6>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|(?P<host>[A-Za-z0-9._-]+))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
"""One strict reading of the whole text: ASCII, no user, fragment or backslash, so no two parsers differ."""
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES: Final = ("localhost", "local", "internal", "home.arpa", "onion")


class UrlRefused(Struct, frozen=True, kw_only=True, tag="url_refused"):
    """The URL cannot be an endpoint."""

    fault: UrlFault
    detail: str
    """One sentence for the tenant."""


class UrlParts(Struct, frozen=True, kw_only=True, tag="url_parts"):
    """An acceptable URL, taken apart."""

    scheme: Literal["http", "https"]
    host: str
    """Lower case, without brackets."""
    port: int
    address: IPAddress | None
    """Set if the host is a literal address; it has been judged already."""


class Targets:
    """
    Which addresses may be called, given the networks an operator opened on purpose.

    Args:
        allow_cidrs: Networks that are opened.
        own_ports: Where the gateway and its stores listen: closed on this machine, loopback opened or not.

    Raises:
        ConfigurationError: What should be a network is none.
    """

    def __init__(self, allow_cidrs: Iterable[str] = (), *, own_ports: Collection[int] = ()) -> None:
        self._own_ports = frozenset(own_ports)
        try:
            self._opened = tuple(ipaddress.ip_network(network) for network in allow_cidrs)
        except ValueError as error:
            raise ConfigurationError(f"TOLLGATE_WEBHOOK_ALLOW_CIDRS: {error}") from error

    def allows(self, address: IPAddress, port: int | None = None) -> bool:
        """Whether a webhook may connect to `address`, and to that port of it where one is named."""
        if address.is_loopback and port in self._own_ports:
            return False
        return self.is_opened(address) or _is_public(address)

    def is_opened(self, address: IPAddress) -> bool:
        """Whether the operator opened the network of `address`; plain http is allowed there."""
        return any(address.version == network.version and address in network for network in self._opened)

    def opens_loopback(self) -> bool:
        """Whether `localhost` may be called, as on a developer's machine."""
        return self.is_opened(IPv4Address("127.0.0.1")) or self.is_opened(IPv6Address("::1"))


def parse_address(text: str) -> IPAddress | None:
    """Return the address that `text` writes canonically, else None; a zone (`%eth0`) is not part of one."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def check_url(url: str, targets: Targets) -> UrlParts | UrlRefused:
    """
    Return the parts of a URL that may be saved as an endpoint, or what is wrong with it.

    https only; http for a host inside the opened networks. Port 443 or 1024 and up: the ports below belong to
    services (SSH, SMTP, LDAP) that a POST could upset; 80 goes with http. No name is resolved here.
    """
    if len(url) > MAX_URL_LENGTH:
        return UrlRefused(fault="length", detail=f"A URL has at most {MAX_URL_LENGTH} characters.")
    match = _URL.fullmatch(url)
    if match is None:
        return UrlRefused(
            fault="form",
            detail="Write https://host/path in plain ASCII, without user name, fragment or spaces.",
        )
    scheme = match["scheme"].lower()
    host = (match["v6"] or match["host"]).lower()
    address = parse_address(host)
    fault = _host_fault(host, address, targets, bracketed=match["v6"] is not None)
    fault = fault or _own_port_fault(match["port"], address, targets)
    if fault is not None:
        return fault
    opened = targets.is_opened(address) if address is not None else is_localhost(host)
    if scheme == "https":
        return _with_port(
            match["port"], UrlParts(scheme="https", host=host, port=_HTTPS_PORT, address=address)
        )
    if scheme == "http" and opened:
        return _with_port(match["port"], UrlParts(scheme="http", host=host, port=_HTTP_PORT, address=address))
    return UrlRefused(fault="scheme", detail="Use https: an endpoint receives phone numbers and texts.")


def _host_fault(
    host: str, address: IPAddress | None, targets: Targets, *, bracketed: bool
) -> UrlRefused | None:
    if address is None:
        return _bad_host("Brackets are for IPv6 addresses only.") if bracketed else _name_fault(host, targets)
    return None if targets.allows(address) else _bad_address()


def _own_port_fault(port: str | None, address: IPAddress | None, targets: Targets) -> UrlRefused | None:
    """A name's addresses are not known yet; its connection is judged when it is made."""
    if address is None or port is None or targets.allows(address, int(port)):
        return None
    return UrlRefused(fault="port", detail="The port is one of the gateway's own.")


def _name_fault(host: str, targets: Targets) -> UrlRefused | None:
    labels = host.split(".")
    if len(host) > _MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        return _bad_host("The host is not a domain name; leave out a final dot and write an IDN as xn--….")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        return _bad_host("The host is a number in disguise; write an address as four decimal numbers.")
    if is_localhost(host) and targets.opens_loopback():
        return None
    if len(labels) == 1 or host.endswith(tuple(f".{suffix}" for suffix in _PRIVATE_SUFFIXES)):
        return _bad_host("The host is a private name; use one that the public DNS knows.")
    return None


def _with_port(text: str | None, parts: UrlParts) -> UrlParts | UrlRefused:
    if text is None:
        return parts
    port = int(text)
    if port == parts.port or _FIRST_USER_PORT <= port <= _MAX_PORT:
        return UrlParts(scheme=parts.scheme, host=parts.host, port=port, address=parts.address)
    return UrlRefused(fault="port", detail="Use port 443, or one from 1024 to 65535.")


def is_localhost(host: str) -> bool:
    """Whether a lower-case name means this machine by definition (RFC 6761)."""
    return host == "localhost" or host.endswith(".localhost")


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in DENIED_V4)
    if address.scope_id is not None or address not in GLOBAL_V6:
        return False
    return not any(address in network for network in DENIED_V6)


def _bad_host(detail: str) -> UrlRefused:
    return UrlRefused(fault="host", detail=detail)


def _bad_address() -> UrlRefused:
    return UrlRefused(fault="address", detail="The address is private or reserved; use a public one.")
