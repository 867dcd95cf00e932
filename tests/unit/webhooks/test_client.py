"""Posting to strangers: what they can do, and what they cannot."""

import asyncio
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.webhooks import client as client_module
from gateway.webhooks.addresses import Targets, UrlParts
from gateway.webhooks.client import (
    BODY_DEADLINE_S,
    MAX_REPLY_BYTES,
    AddressRefusedError,
    CheckedResolver,
    Delivered,
    Failed,
    WebhookClient,
    machine_lookup,
    open_client,
    refuse_address,
    retry_after_s,
)
from tests.unit.webhooks.test_addresses import CORPUS

ACME, UMBRELLA = UUID(int=1), UUID(int=2)
LOOPBACK = Targets(["127.0.0.0/8"])
DEADLINE_S = 0.4
BODY = b'{"type":"message.delivered"}'
HEADERS = {"webhook-id": "evt_1"}


def _reply(*parts: bytes, pause_s: float = 0.0, cut: bool = False, reset: bool = False):
    """Return a behaviour that writes `parts`, `pause_s` apart, and may then cut or reset the connection."""

    async def behaviour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if cut or reset:
            writer.transport.abort()

    return behaviour


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _no_lookup(host: str, _port: int) -> list[str]:
    raise AssertionError(host)


async def _post(port: int, url: str | None = None, tenant: UUID = ACME, **options: object):
    options = {"targets": LOOPBACK, "deadline_s": DEADLINE_S, "lookup": _no_lookup, **options}
    async with open_client(options.pop("targets"), **options) as client:
        return await client.post(tenant, url or f"http://127.0.0.1:{port}/hook", headers=HEADERS, body=BODY)


async def test_a_webhook_is_delivered(listening) -> None:
    """With our headers and exactly our body."""
    async with listening(_reply(OK)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Delivered)
    assert (outcome.status, outcome.body_excerpt) == (200, "ok")
    assert outcome.duration_ms < DEADLINE_S * 1000
    head, body = receiver.requests[0].split(b"\r\n\r\n")
    assert body == BODY
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /hook http/1.1"
    assert {"webhook-id: evt_1", "content-type: application/json", "accept-encoding: identity"} <= set(lines)


@pytest.mark.parametrize("status", [201, 202, 204, 299])
async def test_every_2xx_is_a_success(listening, status) -> None:
    """As the standard says."""
    async with listening(_reply(f"HTTP/1.1 {status} Fine\r\nContent-Length: 0\r\n\r\n".encode())) as receiver:
        assert isinstance(await _post(receiver.port), Delivered)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503, 599])
async def test_any_other_status_is_a_failure_with_its_reply(listening, status) -> None:
    """The tenant sees in the log what its server said."""
    reply = f"HTTP/1.1 {status} No\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\noops".encode()
    async with listening(_reply(reply)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.status, outcome.retry_after_s) == ("status", status, 30)
    assert outcome.body_excerpt == "oops"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_a_failure_and_is_not_followed(listening, status) -> None:
    """It would lead past every check of the address."""
    async with listening(_reply(OK)) as inner:
        location = f"http://127.0.0.1:{inner.port}/secret"
        reply = f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(_reply(reply)) as receiver:
            outcome = await _post(receiver.port)
        assert inner.connections == 0
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.status) == ("redirect", status)


async def test_a_silent_receiver_is_left_at_the_deadline(listening) -> None:
    """It accepted the connection and says nothing."""
    async with listening(_reply(pause_s=30)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.status) == ("timeout", None)
    assert DEADLINE_S * 900 <= outcome.duration_ms <= DEADLINE_S * 3000


async def test_a_receiver_that_drips_its_headers_is_left_at_the_deadline(listening) -> None:
    """Each byte would restart a read timeout; the deadline is over the whole."""
    drops = [OK[at : at + 1] for at in range(len(OK))]
    async with listening(_reply(*drops, pause_s=0.05)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "timeout"
    assert outcome.duration_ms <= DEADLINE_S * 3000


async def test_interim_replies_without_end_are_left_at_the_deadline(listening) -> None:
    """`100 Continue` for ever."""
    async with listening(_reply(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100, pause_s=0.02)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "timeout"


async def test_a_body_that_drips_is_left_after_a_second_and_the_status_counts(listening) -> None:
    """The receiver has said 200; sending again would be a duplicate, waiting longer a gift."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with listening(_reply(head, *[b"x"] * 400, pause_s=0.05)) as receiver:
        outcome = await _post(receiver.port, deadline_s=15.0)
    assert isinstance(outcome, Delivered)
    assert 0 < len(outcome.body_excerpt) < 100
    assert BODY_DEADLINE_S * 900 <= outcome.duration_ms <= BODY_DEADLINE_S * 3000


async def test_a_status_that_comes_late_is_not_lost_over_its_body(listening) -> None:
    """The body ends before the exchange does, however little time is left."""

    async def late(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await asyncio.sleep(30)

    async with listening(late) as receiver:
        outcome = await _post(receiver.port, deadline_s=0.8)
    assert isinstance(outcome, Delivered)
    assert outcome.duration_ms < 900


async def test_a_huge_body_is_not_read(listening) -> None:
    """16 KB are read, of which 2,000 characters are kept; the rest never crosses our memory."""
    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async with listening(pour) as receiver:
        outcome = await _post(receiver.port, deadline_s=15.0)
    assert isinstance(outcome, Failed)
    assert outcome.body_excerpt == "x" * MAX_REPLY_BYTES
    assert outcome.duration_ms < 1000
    assert sent < 32 * 1024 * 1024, "what the kernel buffers, not what was promised"
    assert MAX_REPLY_BYTES == 16_384


async def test_a_compressed_bomb_is_not_unpacked(listening) -> None:
    """We asked for no compression and undo none."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot\x00gzip!"
    async with listening(_reply(reply)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Delivered)
    assert outcome.body_excerpt == "not\ufffdgzip!"


@pytest.mark.parametrize(
    ("behaviour", "kinds"),
    [
        (_reply(reset=True), {"disconnected"}),
        (_reply(cut=True), {"disconnected"}),
        (_reply(b"HTTP/1.1 200", cut=True), {"disconnected", "bad_reply"}),
        (_reply(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"HTTP/1.1 abc OK\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", cut=True), {"bad_reply"}),
        (_reply(b"\x16\x03\x01\x00\xff\r\n\r\n", cut=True), {"bad_reply"}),
    ],
    ids=["reset", "cut", "half", "ssh", "status", "header", "nul", "length", "long", "tls"],
)
async def test_a_broken_reply_is_a_failure(listening, behaviour, kinds) -> None:
    """A reset, a cut, another protocol, malformed and over-long headers."""
    async with listening(behaviour) as receiver:
        outcome = await _post(receiver.port, deadline_s=5.0)
    assert isinstance(outcome, Failed)
    assert outcome.kind in kinds, outcome


@pytest.mark.parametrize("ending", [{"cut": True}, {"reset": True}])
async def test_a_body_cut_short_does_not_unsay_the_status(listening, ending) -> None:
    """200 was said before the connection broke."""
    async with listening(
        _reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", pause_s=0.1, **ending)
    ) as r:
        assert isinstance(await _post(r.port), Delivered)


async def test_a_closed_port_is_a_failure_to_connect() -> None:
    """Nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = await _post(unused.getsockname()[1])
    assert isinstance(outcome, Failed)
    assert outcome.kind == "connect"


async def test_a_cookie_is_never_sent_back(listening) -> None:
    """A receiver gets no memory in us."""
    reply = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with listening(_reply(reply)) as receiver, open_client(LOOPBACK, lookup=_no_lookup) as client:
        for _ in range(3):
            await client.post(ACME, f"http://127.0.0.1:{receiver.port}/", headers=HEADERS, body=BODY)
    assert len(receiver.requests) == 3
    assert not any(b"cookie" in request.lower() for request in receiver.requests)


async def test_the_environments_proxy_is_not_used(listening, monkeypatch) -> None:
    """A proxy would connect for us, past our check."""
    async with listening(_reply(OK)) as proxy, listening(_reply(OK)) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert isinstance(await _post(receiver.port), Delivered)
        assert proxy.connections == 0


async def test_connections_are_reused_within_a_tenant_and_never_across(listening) -> None:
    """Ten posts of two tenants to one server make two connections."""
    async with listening(_reply(OK)) as receiver, open_client(LOOPBACK, lookup=_no_lookup) as client:
        for turn in range(10):
            tenant = (ACME, UMBRELLA)[turn % 2]
            await client.post(tenant, f"http://127.0.0.1:{receiver.port}/", headers=HEADERS, body=BODY)
        assert receiver.connections == 2


async def test_kept_connections_are_bounded_and_none_in_use_is_closed(listening) -> None:
    """A thousand tenants leave a bounded trail; a slow post outlives the clearing."""
    async with (
        listening(_reply(pause_s=30)) as slow,
        listening(_reply(OK)) as receiver,
        open_client(LOOPBACK, lookup=_no_lookup, deadline_s=1.0, max_lines=4) as client,
    ):
        url = f"http://127.0.0.1:{slow.port}/"
        waiting = asyncio.create_task(client.post(UUID(int=99), url, headers=HEADERS, body=BODY))
        await asyncio.sleep(0)
        for number in range(30):
            url = f"http://127.0.0.1:{receiver.port}/"
            assert isinstance(await client.post(UUID(int=number), url, headers=HEADERS, body=BODY), Delivered)
            assert len(client._lines) <= 4
        outcome = await waiting
    assert isinstance(outcome, Failed)
    assert outcome.kind == "timeout"


async def test_tls_is_verified_by_name(listening, tls_pair) -> None:
    """The right name is delivered to; a wrong one is refused before a byte of the body leaves."""
    server, client_tls = tls_pair

    async def lookup(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with listening(_reply(OK), tls=server) as receiver:
        right = await _post(0, f"https://hook.example.com:{receiver.port}/", lookup=lookup, tls=client_tls)
        wrong = await _post(0, f"https://other.example.com:{receiver.port}/", lookup=lookup, tls=client_tls)
        unknown = await _post(0, f"https://hook.example.com:{receiver.port}/", lookup=lookup)
    assert isinstance(right, Delivered)
    assert [getattr(outcome, "kind", None) for outcome in (wrong, unknown)] == ["tls", "tls"]
    assert len(receiver.requests) == 1


async def test_a_name_that_does_not_resolve_is_a_dns_failure() -> None:
    """The tenant's zone is down."""

    async def lookup(host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, host)

    async def empty(_host: str, _port: int) -> list[str]:
        return []

    for answer in (lookup, empty):
        outcome = await _post(0, "https://hook.example.com/", lookup=answer)
        assert isinstance(outcome, Failed)
        assert outcome.kind == "dns"


async def test_a_resolver_that_hangs_is_left_at_the_deadline() -> None:
    """A tenant owns its name server too."""

    async def lookup(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    started = time.perf_counter()
    outcome = await _post(0, "https://hook.example.com/", lookup=lookup)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "timeout"
    assert time.perf_counter() - started < DEADLINE_S * 3


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["8.8.8.8", "fd00:ec2::254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%lo"],
        ["nonsense"],
    ],
)
async def test_a_name_with_one_address_that_is_not_public_is_refused(answer) -> None:
    """Mixed answers are how a filter that takes the first one is passed."""

    async def lookup(_host: str, _port: int) -> list[str]:
        return answer

    outcome = await _post(0, "https://hook.example.com/", targets=Targets(), lookup=lookup)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "address_refused"


async def test_a_name_that_rebinds_never_reaches_the_canary(listening, tls_pair) -> None:
    """
    Allowed at one look, not at the next, 1,000 times over.

    127.0.0.2 stands for the public internet; the canary listens on 127.0.0.1, on the same port.
    """
    server, client_tls = tls_pair
    looks = 0

    async def lookup(_host: str, _port: int) -> list[str]:
        nonlocal looks
        looks += 1
        return [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.2", "::1"]][looks % 4]

    async with (
        listening(_reply(OK), host="127.0.0.2", tls=server) as public,
        listening(_reply(OK), tls=server, port=public.port) as canary,
        open_client(Targets(["127.0.0.2/32"]), lookup=lookup, tls=client_tls) as client,
    ):
        url = f"https://hook.example.com:{public.port}/"
        outcomes = [
            await client.post(UUID(int=number), url, headers=HEADERS, body=BODY) for number in range(1000)
        ]
        assert (canary.connections, public.connections) == (0, 250)
    assert looks == 1000
    assert sum(isinstance(outcome, Delivered) for outcome in outcomes) == 250
    assert {outcome.kind for outcome in outcomes if isinstance(outcome, Failed)} == {"address_refused"}


async def test_the_address_that_was_judged_is_the_one_connected_to(listening, tls_pair) -> None:
    """One look per connection: nothing resolves the name a second time."""
    server, client_tls = tls_pair
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def lookup(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    async with listening(_reply(OK), tls=server) as receiver:
        url = f"https://hook.example.com:{receiver.port}/"
        outcome = await _post(0, url, targets=Targets(["127.0.0.1/32"]), lookup=lookup, tls=client_tls)
    assert isinstance(outcome, Delivered)
    assert len(answers) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "https://2130706433:{port}/",
        "https://127.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://localhost:{port}/",
        "https://u@127.0.0.1:{port}/",
    ],
)
async def test_a_literal_address_meets_the_same_check(listening, url) -> None:
    """The HTTP library resolves no literal, so the resolver alone would let it through."""
    async with listening(_reply(OK)) as canary:
        outcome = await _post(0, url.format(port=canary.port), targets=Targets())
        assert canary.connections == 0
    assert isinstance(outcome, Failed)
    assert outcome.kind == "url_refused"


async def test_no_socket_is_made_for_a_refused_address_even_past_the_resolver(listening) -> None:
    """The last door: whatever road an address takes through the HTTP library, a socket is refused."""
    async with listening(_reply(OK)) as canary, open_client(Targets(), lookup=_no_lookup) as client:
        session = client._line(ACME).session
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.post(f"http://127.0.0.1:{canary.port}/", data=BODY)
        assert isinstance(raised.value.os_error, AddressRefusedError)
        assert canary.connections == 0


@pytest.mark.parametrize("past_the_check", [False, True])
async def test_none_of_the_corpus_is_connected_to(monkeypatch, past_the_check) -> None:
    """400 targets and more; also where a URL is in the table that the check would not let in today."""
    asked: list[tuple[object, ...]] = []
    sound = WebhookClient._socket

    def counted(self: WebhookClient, address: tuple[object, ...]) -> socket.socket:
        asked.append(address)
        return sound(self, address)

    monkeypatch.setattr(WebhookClient, "_socket", counted)
    urls = CORPUS
    if past_the_check:
        public = ("8.8.8.8", "[2600::1]")  # in the corpus for their scheme or port
        is_web = [url for url in CORPUS if url.startswith(("https://", "http://"))]
        urls = [url for url in is_web if not any(address in url for address in public)]
        allowed = UrlParts(scheme="https", host="x", port=443, address=None)
        monkeypatch.setattr(client_module, "check_url", lambda *_: allowed)
    async with open_client(Targets(), deadline_s=5, lookup=_refused_lookup) as client:
        outcomes = [await client.post(ACME, url, headers=HEADERS, body=BODY) for url in urls]
    assert not any(isinstance(outcome, Delivered) for outcome in outcomes)
    assert [address for address in asked if not _is_refused(address)] == []
    assert bool(asked) is past_the_check


async def _refused_lookup(host: str, _port: int) -> list[str]:
    """A name server of the tenant's, which answers with what the tenant would like to reach."""
    return ["169.254.169.254"] if len(host) % 2 else ["127.0.0.1"]


def _is_refused(address: tuple[object, ...]) -> bool:
    try:
        refuse_address(str(address[4][0]), 443, Targets())
    except AddressRefusedError:
        return True
    return False


async def test_the_gateways_own_ports_are_closed_behind_a_name(listening) -> None:
    """A name that leads to this machine is judged with its port when it is called."""

    async def lookup(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with listening(_reply(OK)) as canary:
        targets = Targets(["127.0.0.0/8"], own_ports=[canary.port])
        for host in ("hook.example.com", "localhost", "127.0.0.1"):
            scheme = "https" if host == "hook.example.com" else "http"
            outcome = await _post(0, f"{scheme}://{host}:{canary.port}/", targets=targets, lookup=lookup)
            assert isinstance(outcome, Failed)
            assert outcome.kind in {"address_refused", "url_refused"}
        assert canary.connections == 0


async def test_localhost_is_this_machine_and_asks_no_dns(listening) -> None:
    """On a developer's machine with only 127.0.0.0/8 opened, `localhost` must not fail over its ::1."""
    async with listening(_reply(OK)) as receiver:
        assert isinstance(await _post(0, f"http://localhost:{receiver.port}/"), Delivered)


async def test_the_machines_own_lookup_is_used_by_default() -> None:
    """A name under .invalid never resolves (RFC 6761)."""
    outcome = await _post(0, "https://hook.invalid/", lookup=None, deadline_s=10.0)
    assert isinstance(outcome, Failed)
    assert outcome.kind in {"dns", "timeout"}


async def test_the_machines_lookup_gives_each_address_once() -> None:
    """The system may list one address for several protocols."""
    with ThreadPoolExecutor(1) as threads:
        assert await machine_lookup(threads)("127.0.0.1", 443) == ["127.0.0.1"]


async def test_localhost_is_refused_where_loopback_is_closed() -> None:
    """The resolver does not rely on the URL having been checked."""
    with pytest.raises(AddressRefusedError):
        await CheckedResolver(Targets(), _no_lookup).resolve("localhost")


async def test_odd_bytes_in_headers_are_no_matter(listening) -> None:
    """Latin-1 and worse are common."""
    reply = b"HTTP/1.1 503 \xff\r\nRetry-After: \xff\xfe\r\nContent-Length: 1\r\n\r\n\xff"
    async with listening(_reply(reply)) as receiver:
        outcome = await _post(receiver.port)
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.retry_after_s, outcome.body_excerpt) == (503, None, "\ufffd")


_DATE_WORDS = st.sampled_from(
    [
        "Sun,",
        "01",
        "31",
        "Mar",
        "Dec",
        "0000",
        "2026",
        "9999",
        "99999",
        "12:00:00",
        "25:61",
        "GMT",
        "-2400",
        "+9999",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30) | st.lists(_DATE_WORDS, max_size=7).map(" ".join))
def test_any_retry_after_is_answered_with_a_value(text) -> None:
    """The header is the receiver's."""
    seconds = retry_after_s(text, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("0", 0.0),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),
        ("9" * 30, None),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 12:01:00 -0000", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 99 Mar 2026 12:01:00 GMT", None),
        ("Sun, 01 Mar 99999 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text, seconds) -> None:
    """RFC 9110; anything else says nothing."""
    assert retry_after_s(text, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds
