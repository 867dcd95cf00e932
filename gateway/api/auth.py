"""
Who asks: guards that run before a route reads anything of the request's body.

A route names the scope it needs in its `opt`; a guard proves the bearer token and leaves the TenantScope on
the request. A suspended tenant still authenticates: it may read, and admission refuses its sends.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.api.exchange import exchange_of
from gateway.api.keyring import Keyring
from gateway.api.refusals import Refusal
from gateway.telemetry.metrics import AUTHENTICATION_DENIALS
from tenants.access.credential import Granted, KeyScope, allows

NEEDS: Final = "needs"
"""The key in a route's `opt` that names its KeyScope."""

_BEARER: Final = b"bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="tollgate"'}

_log: Any = structlog.get_logger("gateway.api")
Connection = ASGIConnection[Any, Any, Any, Any]
AsyncGuard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def tenant_guard(keyring: Keyring) -> AsyncGuard:
    """
    Return a guard that lets through a tenant's key whose scopes cover the route.

    A function, not an object: Litestar copies whatever hangs on a route, and there must be one keyring.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        verdict = await keyring.judge(bearer_token(connection))
        if not isinstance(verdict, Granted):
            raise _unauthenticated(connection, verdict.reason)
        exchange = exchange_of(connection.scope)
        exchange.tenant_id = verdict.scope.tenant_id
        exchange.key_id = verdict.scope.key_id
        needed: KeyScope = handler.opt[NEEDS]
        if not allows(verdict.scopes, needed):
            raise Refusal("missing_scope", f"This needs a key with the scope {needed}.")
        connection.scope["auth"] = verdict.scope
        connection.scope["user"] = verdict.scopes

    return guard


def operator_guard(operator_key: str) -> AsyncGuard:
    """Return a guard that lets through the operator's key, compared in constant time, and nothing else."""
    expected = operator_key.encode()

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        given = bearer_token(connection).encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise _unauthenticated(connection, "not_the_operator")

    return guard


def bearer_token(connection: Connection) -> str:
    """
    Return the token of the Authorization header.

    Raises:
        Refusal: 401 where there is none.
    """
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            if value[: len(_BEARER)].lower() == _BEARER:
                return value[len(_BEARER) :].strip().decode("utf-8", "surrogateescape")
            break
    raise _unauthenticated(connection, "no_token")


def _unauthenticated(connection: Connection, reason: str) -> Refusal:
    """Every 401 reads the same; the reason is for the metric and the log."""
    AUTHENTICATION_DENIALS.labels(reason).inc()
    _log.info("authentication_denied", request_id=exchange_of(connection.scope).request_id, reason=reason)
    return Refusal("unauthenticated", headers=_CHALLENGE)
