"""
The outermost layer of every request: its id, its headers, its log line and its metrics.

It stands around the whole application, so that a 404, a 405 and a failure nobody expected are seen, too.
"""

import time
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.exchange import Exchange, begin
from gateway.telemetry.metrics import HTTP_REQUEST_SECONDS

_SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
)
_API_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Probes come every few seconds and say nothing; they get no line."""

_log: Any = structlog.get_logger("gateway.api")


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
        own_headers = (*_headers_for(scope["path"]), (b"x-request-id", exchange.request_id.encode("ascii")))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in own_headers if header[0] not in present),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _close(exchange, scope)


def _headers_for(path: str) -> tuple[tuple[bytes, bytes], ...]:
    return (*_SECURITY_HEADERS, *_API_HEADERS) if path.startswith("/v1/") else _SECURITY_HEADERS


def _close(exchange: Exchange, scope: Any) -> None:
    route = scope.get("path_template") or "(none)"
    if route in _QUIET:
        return
    elapsed_s = time.perf_counter() - exchange.started
    HTTP_REQUEST_SECONDS.labels(scope["method"], route, exchange.status).observe(elapsed_s)
    _log.info(
        "request",
        request_id=exchange.request_id,
        method=scope["method"],
        route=route,
        status=exchange.status,
        code=exchange.code,
        duration_ms=round(elapsed_s * 1000, 2),
        tenant_id=None if exchange.tenant_id is None else str(exchange.tenant_id),
        key_id=None if exchange.key_id is None else str(exchange.key_id),
        message_id=exchange.message_id,
    )
