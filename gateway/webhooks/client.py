"""
Posts a webhook to a stranger's server and comes back in time with an answer.

*Where it connects.* A name is resolved by `CheckedResolver`, which refuses it if any of its addresses is
not allowed; the connection goes to those addresses and no others. Literal addresses never meet a resolver,
so the socket factory judges every address again: no socket is made for a refused one, whatever road led to
it.

*How long and how much.* One deadline covers resolving, connecting, TLS, posting and the reply's headers.
What the receiver says is decided by its status line; of the body at most 16 KB are read, for at most a
second. A receiver that drips bytes therefore holds a slot no longer than a silent one.

*What is shared.* Connections are kept open per tenant and never used for another: a connection that a
tenant's server has left in an odd state can hurt only its owner. Reuse is worth the bookkeeping: over TLS a
post was measured at 0.15 to 0.2 ms of CPU, on a fresh connection at 1.0 ms (plain http: 0.1 to 0.2, and 0.3).
"""

import asyncio
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from uuid import UUID

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.webhooks.addresses import Targets, UrlRefused, check_url, is_localhost, parse_address
from gateway.webhooks.schedule import Attempt, Delivered, Failed, FailureKind

__all__ = [
    "AddressRefusedError",
    "Attempt",
    "CheckedResolver",
    "Delivered",
    "Failed",
    "WebhookClient",
    "open_client",
]

DEADLINE_S: Final = 15.0
BODY_DEADLINE_S: Final = 1.0
"""For the body alone, once the status is known."""
MAX_REPLY_BYTES: Final = 16 * 1024
KEEPALIVE_S: Final = 4.0
"""Below the 5 s after which Node and uvicorn close: a post on a connection just closed has failed."""
MAX_LINES: Final = 256
"""Tenants whose connections are kept; more than the deliveries in flight, so an idle one can always go."""
RESOLVER_THREADS: Final = 32
"""Of our own: a slow name server must not fill the threads that the rest of the process shares."""

_KNOWN_URLS: Final = 1024
_USER_AGENT: Final = "Tollgate-Webhooks/1"
_MAX_RETRY_AFTER_DIGITS: Final = 9

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host name. Raises OSError."""


class AddressRefusedError(OSError):
    """A name resolved to an address that may not be called, or the URL names one."""


class CheckedResolver(AbstractResolver):
    """Resolves names for aiohttp, and refuses a name if any of its addresses is not allowed."""

    def __init__(self, targets: Targets, lookup: Lookup) -> None:
        self._targets = targets
        self._lookup = lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002
    ) -> list[ResolveResult]:
        """
        Return every address of `host`; all of them are allowed.

        Raises:
            AddressRefusedError: One is not.
            OSError: The name does not resolve.
        """
        texts = self._loopbacks() if is_localhost(host) else await self._lookup(host, port)
        if not texts:
            raise OSError(f"{host} has no address")
        for text in texts:
            refuse_address(text, port, self._targets)
        return [_result(host, port, text) for text in texts]

    async def close(self) -> None:
        """Nothing is held; the lookup belongs to who made it."""

    def _loopbacks(self) -> list[str]:
        """`localhost` is this machine by definition (RFC 6761), so the DNS is not asked."""
        loopbacks = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
        opened = [str(address) for address in loopbacks if self._targets.is_opened(address)]
        if not opened:
            raise AddressRefusedError("localhost may not be called")
        return opened


def refuse_address(text: str, port: int, targets: Targets) -> None:
    """
    Let an allowed address pass.

    Raises:
        AddressRefusedError: It is not allowed, or not an address.
    """
    address = parse_address(text)
    if address is None or not targets.allows(address, port):
        raise AddressRefusedError(f"{text} is private or reserved, or the port is ours")


class _Line:
    """One tenant's open connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.in_use = 0


class WebhookClient:
    """Delivers to any number of tenants; made by `open_client`. The caller bounds how many run at once."""

    def __init__(
        self, targets: Targets, lookup: Lookup, *, deadline_s: float, tls: ssl.SSLContext, max_lines: int
    ) -> None:
        self._targets = targets
        self._resolver = CheckedResolver(targets, lookup)
        self._deadline_s = deadline_s
        self._tls = tls
        self._max_lines = max_lines
        self._lines: OrderedDict[UUID, _Line] = OrderedDict()
        self._refusal = lru_cache(maxsize=_KNOWN_URLS)(self._judged)
        self._target = lru_cache(maxsize=_KNOWN_URLS)(_target)

    async def post(self, tenant_id: UUID, url: str, *, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Return what became of one attempt; a receiver cannot make this raise or outlast the deadline."""
        started = time.perf_counter()
        refused = self._refusal(url)
        if refused is not None:
            return _failed("url_refused", refused.detail, started)
        line = self._line(tenant_id)
        line.in_use += 1
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange(line.session, url, headers, body, started)
        except TimeoutError:
            return _failed("timeout", f"no answer within {self._deadline_s:g} s", started)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            kind = _kind(error)
            return _failed(kind, _detail(kind, error), started)
        finally:
            line.in_use -= 1
            await self._close_idle_lines()

    async def close(self) -> None:
        """Close every connection."""
        lines, self._lines = self._lines, OrderedDict()
        for line in lines.values():
            await line.session.close()

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        started: float,
    ) -> Attempt:
        async with session.post(
            self._target(url), data=body, headers=headers, allow_redirects=False
        ) as response:
            excerpt = await _excerpt(response, self._body_deadline_s(started))
            return _answered(response, excerpt, started)

    def _judged(self, url: str) -> UrlRefused | None:
        """The same URL is judged alike for the life of the process; its addresses, at each connection."""
        parts = check_url(url, self._targets)
        return parts if isinstance(parts, UrlRefused) else None

    def _body_deadline_s(self, started: float) -> float:
        """A little less than what is left of the exchange, which would end without the status."""
        left_s = self._deadline_s - (time.perf_counter() - started)
        return min(BODY_DEADLINE_S, max(left_s, 0.0) * 0.9)

    def _line(self, tenant_id: UUID) -> _Line:
        line = self._lines.get(tenant_id)
        if line is None:
            line = self._lines[tenant_id] = _Line(self._new_session())
        else:
            self._lines.move_to_end(tenant_id)
        return line

    async def _close_idle_lines(self) -> None:
        """Forget the tenants longest unheard of; one with a post under way is never closed."""
        excess = len(self._lines) - self._max_lines
        if excess <= 0:
            return
        idle = [tenant_id for tenant_id, line in self._lines.items() if line.in_use == 0][:excess]
        for line in [self._lines.pop(tenant_id) for tenant_id in idle]:
            await line.session.close()

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._socket,
            ssl=self._tls,
            limit=0,
            keepalive_timeout=KEEPALIVE_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=MAX_REPLY_BYTES,
            headers={
                "User-Agent": _USER_AGENT,
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    def _socket(self, address: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, destination = address
        refuse_address(str(destination[0]), int(str(destination[1])), self._targets)
        return socket.socket(family=family, type=kind, proto=protocol)


@asynccontextmanager
async def open_client(
    targets: Targets,
    *,
    deadline_s: float = DEADLINE_S,
    lookup: Lookup | None = None,
    tls: ssl.SSLContext | None = None,
    max_lines: int = MAX_LINES,
) -> AsyncGenerator[WebhookClient, None]:
    """
    Yield a client and close its connections afterwards.

    Args:
        targets: Which addresses may be called.
        deadline_s: For one whole exchange (`settings.webhook_timeout_s`).
        lookup: How names are resolved; None for the machine's own way.
        tls: Which authorities are trusted; None for the machine's own, with names verified.
        max_lines: Tenants whose connections are kept; more than the posts that run at once.
    """
    with ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="webhook-dns") as threads:
        client = WebhookClient(
            targets,
            machine_lookup(threads) if lookup is None else lookup,
            deadline_s=deadline_s,
            tls=ssl.create_default_context() if tls is None else tls,
            max_lines=max_lines,
        )
        try:
            yield client
        finally:
            await client.close()


def machine_lookup(threads: ThreadPoolExecutor) -> Lookup:
    """Return the machine's own way to resolve names, on threads of its own."""

    def addresses(host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def lookup(host: str, port: int) -> list[str]:
        return await asyncio.get_running_loop().run_in_executor(threads, addresses, host, port)

    return lookup


def _target(url: str) -> URL:
    return URL(url, encoded=True)


def _result(host: str, port: int, text: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=text,
        port=port,
        family=socket.AF_INET6 if ":" in text else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


async def _excerpt(response: aiohttp.ClientResponse, deadline_s: float) -> str:
    """Return the start of the reply for the delivery log; what is not read in time or size is left unread."""
    body = bytearray()
    try:
        async with asyncio.timeout(deadline_s):
            while len(body) < MAX_REPLY_BYTES:
                chunk = await response.content.read(MAX_REPLY_BYTES - len(body))
                if not chunk:
                    break
                body += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        response.close()  # the status has been said; a body that stalls or breaks does not unsay it
    return body.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _answered(response: aiohttp.ClientResponse, excerpt: str, started: float) -> Attempt:
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return Delivered(status=status, body_excerpt=excerpt, duration_ms=_elapsed_ms(started))
    redirected = 300 <= status < 400  # noqa: PLR2004 - the class of redirects
    return Failed(
        kind="redirect" if redirected else "status",
        status=status,
        retry_after_s=retry_after_s(response.headers.get("Retry-After"), now=datetime.now(UTC)),
        detail="redirects are not followed" if redirected else f"the receiver answered {status}",
        body_excerpt=excerpt,
        duration_ms=_elapsed_ms(started),
    )


def retry_after_s(text: str | None, *, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (a number or an HTTP date), or None if it has none."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _MAX_RETRY_AFTER_DIGITS:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return max((aware - now).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None


_KINDS: Final[tuple[tuple[type[Exception], FailureKind], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (ssl.SSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ClientResponseError, "bad_reply"),
    (aiohttp.ClientPayloadError, "bad_reply"),
    (aiohttp.InvalidURL, "url_refused"),
    (ValueError, "bad_reply"),
)
"""The first that fits counts, so a class stands above its bases."""


def _kind(error: Exception) -> FailureKind:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefusedError):
        return "address_refused"
    for form, kind in _KINDS:
        if isinstance(error, form):
            return kind
    return "disconnected"


_DETAILS: Final[dict[FailureKind, str]] = {
    "dns": "the name does not resolve",
    "connect": "no connection could be made",
    "disconnected": "the connection broke before an answer",
    "bad_reply": "the answer is not HTTP",
    "url_refused": "the URL cannot be called",
}


def _detail(kind: FailureKind, error: Exception) -> str:
    """Say what happened without repeating the receiver's bytes; certificate faults have their own words."""
    if kind == "address_refused":
        return "the address is private or reserved"
    if kind == "tls":
        reason = getattr(getattr(error, "certificate_error", error), "verify_message", "")
        return f"TLS failed: {reason}" if reason else "TLS failed"
    return _DETAILS[kind]


def _failed(kind: FailureKind, detail: str, started: float) -> Failed:
    return Failed(
        kind=kind,
        status=None,
        retry_after_s=None,
        detail=detail,
        body_excerpt="",
        duration_ms=_elapsed_ms(started),
    )


def _elapsed_ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
