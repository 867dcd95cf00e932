"""
Who asks: a gate runs before a route reads anything of the request's body.

A route names the scope it needs in its `opt`; the gate proves the bearer token and leaves the TenantScope on
the request. A suspended tenant still authenticates: it may read, and admission refuses its sends.

Gates are `before_request` hooks of the routers and not Litestar guards: a guard costs a copy of its route per
request, 20 us of the 200 that a send may take. No route may have a hook of its own; a test asks every one.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from litestar import Request

from gateway.api.exchange import exchange_of
from gateway.api.inside import person_inside
from gateway.api.keyring import Keyring
from gateway.api.query import refuse_wrong_query
from gateway.api.refusals import Refusal
from gateway.api.unwanted_body import refuse_unwanted_body
from gateway.telemetry.metrics import AUTHENTICATION_DENIALS
from tenants.access.credential import Granted, KeyScope, allows
from tenants.access.tokens import is_tenants

NEEDS: Final = "needs"
"""The key in a route's `opt` that names its KeyScope."""

_BEARER: Final = b"bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="tollgate"'}
_TENANTS_ONLY: Final = (
    "This route takes a tenant's key, which begins with tg_live_ or tg_test_; the one given does not."
)
_OPERATOR_ONLY: Final = "This route takes the operator's key; the one given begins as a tenant's does."

_log: Any = structlog.get_logger("gateway.api")
AnyRequest = Request[Any, Any, Any]
Gate = Callable[[AnyRequest], Awaitable[None]]


def tenant_gate(keyring: Keyring) -> Gate:
    """Return a gate that lets through a tenant's key whose scopes cover the route, or a person inside."""

    async def gate(request: AnyRequest) -> None:
        if (person := person_inside(request.scope)) is not None:
            exchange = exchange_of(request.scope)
            exchange.tenant_id, exchange.live = person.tenant_id, person.live
            request.scope["auth"], request.scope["user"] = person, ()
            await _refuse_what_is_not_read(request)
            return
        token = bearer_token(request)
        verdict = await keyring.judge(token)
        if not isinstance(verdict, Granted):
            raise _unauthenticated(request, verdict.reason, None if is_tenants(token) else _TENANTS_ONLY)
        exchange = exchange_of(request.scope)
        exchange.tenant_id, exchange.live = verdict.scope.tenant_id, verdict.scope.live
        exchange.key_id = verdict.scope.key_id
        needed: KeyScope | None = request.route_handler.opt.get(NEEDS)
        if needed is not None and not allows(verdict.scopes, needed):
            raise Refusal("missing_scope", f"This needs a key with the scope {needed}.")
        request.scope["auth"] = verdict.scope
        request.scope["user"] = verdict.scopes
        await _refuse_what_is_not_read(request)

    return gate


def operator_gate(operator_key: str) -> Gate:
    """Return a gate that lets through the operator's key, compared in constant time, and nothing else."""
    expected = operator_key.encode()

    async def gate(request: AnyRequest) -> None:
        token = bearer_token(request)
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), expected):
            raise _unauthenticated(request, "not_the_operator", _OPERATOR_ONLY if is_tenants(token) else None)
        await _refuse_what_is_not_read(request)

    return gate


async def _refuse_what_is_not_read(request: AnyRequest) -> None:
    refuse_wrong_query(request)
    await refuse_unwanted_body(request)


def bearer_token(request: AnyRequest) -> str:
    """
    Return the token of the Authorization header.

    Raises:
        Refusal: 401 where there is none.
    """
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            if value[: len(_BEARER)].lower() == _BEARER:
                return value[len(_BEARER) :].strip().decode("utf-8", "surrogateescape")
            break
    raise _unauthenticated(request, "no_token")


def _unauthenticated(request: AnyRequest, reason: str, detail: str | None = None) -> Refusal:
    """
    Every 401 reads the same but for the kind of key, which its beginning shows; no more is said of a guess.

    The reason is for the metric and the log.
    """
    AUTHENTICATION_DENIALS.labels(reason).inc()
    _log.info("authentication_denied", request_id=exchange_of(request.scope).request_id, reason=reason)
    return Refusal("unauthenticated", detail, headers=_CHALLENGE)
