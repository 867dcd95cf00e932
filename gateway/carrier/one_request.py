"""
aiobotocore's HTTP session without redirects, which says whether a request was begun at all.

aiohttp follows a redirect by default, and a 307 sends the body again: a second text. AWS does not redirect
SendTextMessage; a proxy on the way might. What fails before this session is asked (keys that cannot be
renewed, an endpoint that makes no sense) has put nothing on the wire, whatever its exception is.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp

from gateway.carrier.tls import SharedTlsSession
from gateway.carrier.wire import TooLate


class Departure:
    """What is known of one call's request."""

    def __init__(self, leaves_by: float) -> None:
        self.leaves_by = leaves_by
        self.began = False
        """Whether it was handed to the HTTP client; from then on only the error says whether it left."""
        self.is_late = False
        """Whether it was not, because it could not be in time."""


_departure: ContextVar[Departure | None] = ContextVar("departure", default=None)


@contextmanager
def departing(leaves_by: float) -> Generator[Departure]:
    """
    Watch the one request of the block.

    Args:
        leaves_by: On the monotonic clock; it is not begun later than that.
    """
    departure = Departure(leaves_by)
    token = _departure.set(departure)
    try:
        yield departure
    finally:
        _departure.reset(token)


class OneRequest(SharedTlsSession):
    """Puts exactly one request on the wire, whatever is answered."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _Straight(await super()._get_session(proxy_url))  # type: ignore[misc]  # not in its stubs


class _Straight:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> aiohttp.ClientResponse:
        if (departure := _departure.get()) is not None:
            if time.monotonic() > departure.leaves_by:
                departure.is_late = True
                raise TooLate
            departure.began = True
        return await self._session.request(method, allow_redirects=False, **options)
