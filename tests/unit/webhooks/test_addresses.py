"""No webhook reaches a network that is not public."""

import ipaddress
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.webhooks.addresses import (
    DENIED_V4,
    DENIED_V6,
    MAX_URL_LENGTH,
    Targets,
    UrlParts,
    UrlRefused,
    check_url,
    parse_address,
)

PUBLIC = Targets()
DEVELOPER = Targets(["127.0.0.0/8", "::1/128"])

SECRET_V4 = ("127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255")
SECRET_V4 += (
    "192.168.0.1",
    "192.168.255.255",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
)
SECRET_V4 += ("100.127.255.255", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1")
SECRET_V4 += ("198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1")
SECRET_V4 += (
    "255.255.255.255",
    "168.63.129.16",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
)
SECRET_V6 = ("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:8.8.8.8", "::8.8.8.8")
SECRET_V6 += ("64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", "64:ff9b:1:ffff::7f00:1", "100::1")
SECRET_V6 += (
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
)
SECRET_V6 += (
    "2002:a9fe:a9fe::1",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
)
SECRET_V6 += (
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "::fffe:1",
)


def _embeddings(v4: str) -> list[str]:
    """Return IPv6 addresses that carry `v4` inside."""
    number = int(ipaddress.IPv4Address(v4))
    shapes = [(0, 0), (0xFFFF << 32, 0), (0xFFFF << 48, 0), (0x64FF9B << 96, 0), ((0x64FF9B0001 << 80), 0)]
    shapes += [
        (0x2002 << 112, 80),
        (0x2001 << 112, 0),
        (0xFE80 << 112, 0),
        (0xFEC0 << 112, 0),
        (0xFD << 120, 0),
    ]
    return [str(ipaddress.IPv6Address(base | number << shift)) for base, shift in shapes]


def _disguises(v4: str) -> list[str]:
    """Return other spellings that one resolver or another takes for `v4`."""
    a, b, c, d = (int(part) for part in v4.split("."))
    number = int(ipaddress.IPv4Address(v4))
    spellings = [str(number), hex(number), oct(number).replace("o", ""), f"{a}.{number & 0xFFFFFF}"]
    spellings += [f"{a}.{b}.{c << 8 | d}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"]
    spellings += [f"{v4}.", f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{c}.0x{d:x}", f"[{v4}]", f"{v4}%00", f"{v4}%2e"]
    return spellings


def _corpus() -> list[str]:
    """Return URLs that an endpoint must never have."""
    v4 = (
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "0.0.0.0",
        "172.16.0.1",
        "100.100.100.200",
    )
    urls = [f"https://{address}/" for address in SECRET_V4]
    urls += [f"https://[{address}]/" for address in SECRET_V6]
    urls += [f"https://{host}/" for address in v4 for host in _disguises(address)]
    urls += [f"https://[{host}]/" for address in v4 for host in _embeddings(address)]
    urls += [f"https://{user}@{host}/" for user, host in product(("u", "u:p", "hooks.example.com", ""), v4)]
    urls += [f"https://{host}:{port}/latest/meta-data/" for host, port in product(v4, (443, 8080, 8443))]
    urls += [f"https://[{host}]:8443/" for host in SECRET_V6]
    urls += [f"http://{host}/" for host in (*v4, "hooks.example.com", "localhost", "8.8.8.8", "[2600::1]")]
    names = (
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.",
        "metadata.google.internal",
        "printer.local",
    )
    names += (
        "db",
        "redis",
        "kubernetes.default.svc.cluster.local",
        "router.home.arpa",
        "x.onion",
        "host.internal",
    )
    urls += [f"https://{host}/" for host in names]
    idn = (
        "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",  # "localhost" in circled letters
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",  # 127.0.0.1 in full-width digits
        "127\u30020\u30020\u30021",  # ideographic full stops
        "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",  # circled digits
        "ex\u00e4mple.com",
        "\u0435xample.com",  # Cyrillic e
        "a\u200bb.com",  # zero-width space
    )
    urls += [f"https://{host}/" for host in idn]
    schemes = (
        "ftp",
        "file",
        "gopher",
        "dict",
        "ldap",
        "javascript",
        "data",
        "ws",
        "wss",
        "jar",
        "unix",
        "tcp",
    )
    urls += [f"{scheme}://hooks.example.com/" for scheme in schemes]
    urls += [
        f"https://hooks.example.com:{port}/" for port in (0, 1, 22, 25, 80, 110, 389, 445, 1023, 65536, 99999)
    ]
    good = "https://hooks.example.com"
    urls += [
        f"{good}{tail}"
        for tail in ("\\@127.0.0.1/", "/\r\nHost: x", "/\n", "/ x", "/\t", "/#x", "#@127.0.0.1")
    ]
    urls += [
        f"{good}{tail}"
        for tail in (".", "./", ":/", ":x/", ":-1/", ":443:80/", ":+443/", "/\x00", "/é", "/<", '/"')
    ]
    urls += [
        "",
        "/",
        "//127.0.0.1/",
        "https:/127.0.0.1/",
        "https:127.0.0.1",
        "https:///x",
        "https://",
        "hooks.example.com",
    ]
    urls += [
        "https://.com/",
        "https://a..b.com/",
        "https://-a.com/",
        "https://a-.com/",
        "https://a.com-/",
        "https://a_b",
    ]
    urls += [f"https://{'a' * 64}.com/", f"https://{'a.' * 130}com/", f"{good}/{'x' * MAX_URL_LENGTH}"]
    urls += [
        "https://[::1",
        "https://::1/",
        "https://[]/",
        "https://[::1]x/",
        "https://[::ffff:7f00:1%25lo]/",
    ]
    urls += [
        "https://[v1.x]/",
        "https://[1.2.3.4]/",
        "https://1.2.3/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
    ]
    urls += [
        "https://example.1/",
        "https://example.0x1/",
        "https://example.0x/",
        " https://hooks.example.com/",
    ]
    urls += ["https://127.0.0.1:443@hooks.example.com/", "https://hooks.example.com\u2028/", "HTTPS://127.1/"]
    return urls


CORPUS = _corpus()


def test_the_corpus_is_large_enough() -> None:
    """At least 400 different URLs."""
    assert len(set(CORPUS)) >= 400


def test_no_url_of_the_corpus_can_be_saved() -> None:
    """Decimal, octal and hex, IPv6 embeddings, users, IDN, trailing dots, ports, schemes, line breaks."""
    assert [url for url in CORPUS if not isinstance(check_url(url, PUBLIC), UrlRefused)] == []


@pytest.mark.parametrize("address", [*SECRET_V4, *SECRET_V6])
def test_an_address_that_is_not_public_is_never_called(address) -> None:
    """The list of finding 10 and more; Python's own `is_global` says yes to several of them."""
    parsed = parse_address(address)
    assert parsed is not None
    assert not PUBLIC.allows(parsed)


@pytest.mark.parametrize("network", [*DENIED_V4, *DENIED_V6])
def test_a_denied_network_is_denied_to_its_edges(network) -> None:
    """First and last address."""
    assert not PUBLIC.allows(network[0])
    assert not PUBLIC.allows(network[-1])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "11.0.0.1", "223.255.255.255"]
)
def test_a_public_ipv4_address_is_allowed(address) -> None:
    """Right beside the denied ones too."""
    assert PUBLIC.allows(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "2003::1", "2600::1"]
)
def test_a_public_ipv6_address_is_allowed(address) -> None:
    """Global unicast."""
    assert PUBLIC.allows(ipaddress.ip_address(address))


@settings(deadline=None)
@given(st.ip_addresses())
def test_nothing_is_allowed_that_python_calls_private(address) -> None:
    """Our list may only be stricter than the standard library's."""
    if PUBLIC.allows(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://hooks.example.com", 443),
        ("https://hooks.example.com/a/b?c=d&e=%20", 443),
        ("https://hooks.example.com:443/", 443),
        ("https://hooks.example.com:8443/x", 8443),
        ("https://Hooks.Example.COM/x", 443),
        ("https://xn--exmple-cua.com/", 443),
        ("https://a_b.example.com/", 443),
        ("https://8.8.8.8/", 443),
        ("https://[2606:4700::1111]:8443/", 8443),
    ],
)
def test_an_ordinary_url_is_accepted(url, port) -> None:
    """What tenants have."""
    parts = check_url(url, PUBLIC)
    assert isinstance(parts, UrlParts)
    assert (parts.scheme, parts.port) == ("https", port)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "http://localhost:9000/", "http://[::1]:9000/", "http://127.0.0.1/"]
)
def test_a_developer_may_open_loopback(url) -> None:
    """Plain http too, but only there."""
    assert isinstance(check_url(url, DEVELOPER), UrlParts)
    assert isinstance(check_url(url, PUBLIC), UrlRefused)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "http://10.0.0.1:9000/", "https://10.0.0.1/", "http://8.8.8.8/"]
)
def test_opening_one_network_opens_no_other(url) -> None:
    """The setting names what it means."""
    assert isinstance(check_url(url, DEVELOPER), UrlRefused)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://a.example/" + "x" * MAX_URL_LENGTH, "length"),
        ("https://u:p@a.example/", "form"),
        ("http://a.example/", "scheme"),
        ("https://2130706433/", "host"),
        ("https://10.0.0.1/", "address"),
        ("https://a.example:22/", "port"),
    ],
)
def test_the_answer_names_the_fault(url, fault) -> None:
    """A tenant learns what to change."""
    refused = check_url(url, PUBLIC)
    assert isinstance(refused, UrlRefused)
    assert refused.fault == fault
    assert refused.detail.endswith(".")


def test_a_setting_that_is_no_network_is_refused_at_start() -> None:
    """A slip must not open anything."""
    with pytest.raises(ConfigurationError):
        Targets(["127.0.0.1/8"])


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=40).map("https://".__add__))
def test_any_text_is_answered_with_a_value(url) -> None:
    """The field is free text to whoever fills it in."""
    assert isinstance(check_url(url, PUBLIC), UrlParts | UrlRefused)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5432/", "http://127.9.9.9:6379/", "https://[::1]:8080/"])
def test_the_gateways_own_doors_are_closed_where_loopback_is_open(url) -> None:
    """On a developer's machine a webhook could otherwise speak to Postgres, Redis or the operator's API."""
    targets = Targets(["127.0.0.0/8", "::1/128"], own_ports=[5432, 6379, 8080])
    refused = check_url(url, targets)
    assert isinstance(refused, UrlRefused)
    assert refused.fault == "port"
    assert isinstance(check_url(url, DEVELOPER), UrlParts)
    assert targets.allows(ipaddress.ip_address("8.8.8.8"), 8080)
