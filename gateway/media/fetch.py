"""
Brings a file from the address that a tenant named, and from nowhere else.

The same guards as for webhooks: https, public addresses only, judged when the name is resolved and again when
the socket is made; no redirects, no cookies, no credentials. One deadline covers everything, and reading ends
at the first byte too many.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import aiohttp
from yarl import URL

from gateway.errors import BodyTooLong
from gateway.media.kinds import MAX_BYTES, MediaRefused
from gateway.webhooks.addresses import Targets, UrlRefused, check_url
from gateway.webhooks.client import CheckedResolver, Lookup, machine_lookup, refuse_address
from gateway.whole_body import whole_body

DEADLINE_S: Final = 10.0
_AT_ONCE: Final = 32
"""Fetches of one process; each holds up to 2 MB."""
_OF_ONE_TENANT: Final = 8
"""Its servers and name servers may be slow: the others' files keep their places and threads."""
_THREADS: Final = 32
_OK: Final = 200
_USER_AGENT: Final = "Tollgate-Media/1"

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class MediaFetcher:
    """One per process; made by `open_fetcher`."""

    def __init__(
        self, targets: Targets, resolver: CheckedResolver, *, tls: ssl.SSLContext, deadline_s: float
    ) -> None:
        self._targets = targets
        self._deadline_s = deadline_s
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._rooms: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        """Of tenants with fetches under way."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver, socket_factory=self._socket, ssl=tls, limit=0, force_close=True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def fetch(self, tenant_id: UUID, url: str) -> bytes | MediaRefused:
        """Return the bytes at an address, or why there are none; a server cannot make this raise."""
        judged = check_url(url, self._targets)
        if isinstance(judged, UrlRefused):
            return MediaRefused(code="media_refused", fault="url_refused", detail=judged.detail)
        own = self._rooms.setdefault(tenant_id, asyncio.Semaphore(_OF_ONE_TENANT))
        try:
            async with asyncio.timeout(self._deadline_s), own, self._room:
                return await self._read(url)
        except TimeoutError:
            return _unavailable("timeout", f"the file did not come within {self._deadline_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError):
            return _unavailable(
                "unreachable", "the server of the file cannot be reached or may not be called"
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()

    async def _read(self, url: str) -> bytes | MediaRefused:
        async with self._http.get(URL(url, encoded=True), allow_redirects=False) as response:
            if response.status != _OK:
                return _unavailable("status", f"the server of the file answered {response.status}, not 200")
            try:
                return await whole_body(response.content, MAX_BYTES)
            except BodyTooLong:
                detail = f"a file has at most {MAX_BYTES:,} bytes"
                return MediaRefused(code="media_refused", fault="too_large", detail=detail)

    def _socket(self, address: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, destination = address
        refuse_address(str(destination[0]), int(str(destination[1])), self._targets)
        return socket.socket(family=family, type=kind, proto=protocol)


@asynccontextmanager
async def open_fetcher(
    targets: Targets,
    *,
    lookup: Lookup | None = None,
    tls: ssl.SSLContext | None = None,
    deadline_s: float = DEADLINE_S,
) -> AsyncGenerator[MediaFetcher]:
    """
    Yield a fetcher and close its connections afterwards.

    Args:
        lookup: How names are resolved; None for the machine's own way.
        tls: Which authorities are trusted; None for the machine's own.
        deadline_s: For one whole fetch.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="media-dns") as threads:
        resolver = CheckedResolver(targets, machine_lookup(threads) if lookup is None else lookup)
        tls = ssl.create_default_context() if tls is None else tls
        fetcher = MediaFetcher(targets, resolver, tls=tls, deadline_s=deadline_s)
        try:
            yield fetcher
        finally:
            await fetcher.close()


def _unavailable(fault: str, detail: str) -> MediaRefused:
    return MediaRefused(code="media_unavailable", fault=fault, detail=detail)
