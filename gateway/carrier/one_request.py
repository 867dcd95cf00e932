"""
aiobotocore's HTTP session without redirects.

aiohttp follows a redirect by default, and a 307 sends the body again: a second text. AWS does not redirect
SendTextMessage; a proxy on the way might.
"""

from typing import Any

import aiohttp

from gateway.carrier.tls import SharedTlsSession


class OneRequest(SharedTlsSession):
    """Puts exactly one request on the wire, whatever is answered."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _Straight(await super()._get_session(proxy_url))  # type: ignore[misc]  # not in its stubs


class _Straight:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> aiohttp.ClientResponse:
        return await self._session.request(method, allow_redirects=False, **options)
