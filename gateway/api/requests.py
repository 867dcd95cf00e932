"""
The outermost layer of every request: its id, its headers, its log line and its metrics.

It stands around the whole application, so that a 404, a 405 and a failure nobody expected are seen, too.
"""

import time
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.exchange import REQUEST_ID_HEADER, Exchange, begin
from gateway.telemetry.metrics import HTTP_REQUEST_SECONDS
from gateway.telemetry.request_log import REQUEST_LOG

_Headers = tuple[tuple[bytes, bytes], ...]
_PAGES: Final[_Headers] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
)
_API: Final[_Headers] = (
    *_PAGES,
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
API_LINES: Final = b"".join(b"%b: %b\r\n" % header for header in _API)
"""The same as the lines of an answer that does not come through here."""
_OWN: Final = frozenset(name for name, _ in _API)
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Probes come every few seconds and say nothing; they get no line."""


class RequestLayer:
    """Wraps an ASGI application."""

    __slots__ = ("_app",)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        exchange = begin(scope)  # type: ignore[arg-type] # an ASGI scope is a dict that may carry more keys
        own_headers = _API if scope["path"].startswith("/v1/") else _PAGES
        request_id = (REQUEST_ID_HEADER, exchange.request_id.encode("ascii"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                present = {name for name, _ in message["headers"]}
                missing = own_headers if present.isdisjoint(_OWN) else _absent(own_headers, present)
                message["headers"] = [*message["headers"], *missing, request_id]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _close(exchange, scope)


def _absent(headers: _Headers, present: Collection[bytes]) -> list[tuple[bytes, bytes]]:
    return [header for header in headers if header[0] not in present]


def _close(exchange: Exchange, scope: Any) -> None:
    route = scope.get("path_template") or "(none)"
    if route in _QUIET:
        return
    elapsed_s = time.perf_counter() - exchange.started
    _histogram(scope["method"], route, exchange.status).observe(elapsed_s)
    REQUEST_LOG.write(
        request_id=exchange.request_id,
        method=scope["method"],
        route=route,
        status=exchange.status,
        code=exchange.code,
        duration_ms=round(elapsed_s * 1000, 2),
        tenant_id=None if exchange.tenant_id is None else _text(exchange.tenant_id),
        key_id=None if exchange.key_id is None else _text(exchange.key_id),
        message_id=exchange.message_id,
    )


_histogram = lru_cache(maxsize=1024)(HTTP_REQUEST_SECONDS.labels)
_text = lru_cache(maxsize=4096)(str)
