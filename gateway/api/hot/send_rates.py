"""
The `RateLimit` headers on every answer to a send, also where nothing was asked about the rate.

A send that admission judged has its headers already. A refusal made before that (a body that is no send, an
unknown template, a missing sender) tells the client nothing of its rate unless somebody looks; so this layer
looks, for refusals alone. It stands around the documented way; the short way, which answers most sends and
has their rate at hand, takes what it refuses through the same `rated`.
"""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.exchange import exchange_of
from gateway.api.hot.short_way import RawHeaders, raw_headers
from gateway.api.ports import Sends
from gateway.api.rate_headers import rate_headers

PATHS: Final = frozenset({"/v1/messages", "/v1/messages/batch"})
_SERVER_ERROR: Final = 500
_POLICY: Final = b"ratelimit-policy"


def _is_send(path: str) -> bool:
    """Return whether the router takes the path for one of a send; it reads over slashes at the end."""
    return path.rstrip("/") in PATHS


class SendRates:
    """Wraps the application; answers to anything but a send pass untouched."""

    __slots__ = ("_app", "_sending")

    def __init__(self, app: ASGIApp, *, sending: Sends) -> None:
        self._app = app
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] == ScopeType.HTTP and scope["method"] == "POST" and _is_send(scope["path"]):
            send = self.rated(scope, send)
        await self._app(scope, receive, send)

    def rated(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds the rate's headers where an answer lacks them."""

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _SERVER_ERROR:
                message["headers"] = [*message["headers"], *await self._missing(scope, message["headers"])]
            await send(message)

        return send_with_rate

    async def _missing(self, scope: Scope, headers: RawHeaders) -> list[tuple[bytes, bytes]]:
        """Return the rate's headers, unless they are there or nobody knows whose request it is."""
        exchange = exchange_of(scope)
        tenant_id = exchange.tenant_id
        if tenant_id is None or any(name == _POLICY for name, _ in headers):
            return []
        return raw_headers(rate_headers(await self._sending.rates_of(tenant_id, live=exchange.live)))
