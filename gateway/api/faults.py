"""Turns everything that can go wrong into a refusal; what nobody expected becomes a logged 500."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import asyncpg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from sqlalchemy import exc as sql

from gateway.api.exchange import Exchange, exchange_of
from gateway.api.problems import PROBLEMS, STATUS_CODES
from gateway.api.query import refusal_of_parameters
from gateway.api.refusals import Refusal, problem_response
from gateway.db.faults import DATABASE_FAULTS, PASSING_SQLSTATES
from gateway.errors import ConfigurationError, GatewayError, Overloaded, QueueFault, Unavailable
from gateway.insight.search import SearchTooWide
from gateway.intake.outcome import FieldFault
from tenants.errors import Conflict, InvalidId, InvalidInput, InvalidInputs, NotFound, TenantsError, TooSoon

_RETRY_AFTER_MS: Final = 1000
_MILLISECOND: Final = timedelta(milliseconds=1)
_SERVER_ERROR: Final = 500
_UNIQUE_VIOLATION: Final = "23505"
_NO_CHARACTER: Final = "22021"
"""U+0000. Bodies and queries may not hold it, so it came in a path, where it names nothing."""
_OUT_OF_RANGE: Final = "22"
"""Data exceptions: the last fence behind the checks of each field."""

Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]
Handlers = dict[int | type[Exception], Handler]

_log: Any = structlog.get_logger("gateway.api")


def exception_handlers(public_url: str) -> Handlers:
    """Return Litestar's map: one handler for every exception there is."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        if isinstance(error, ValidationException):
            error = refusal_of_parameters(error, request)
        return answer_of(error, exchange_of(request.scope), public_url=public_url)

    return {Exception: answer, HTTPException: answer, _SERVER_ERROR: answer}


def answer_of(error: Exception, exchange: Exchange, *, public_url: str) -> Response[bytes]:
    """Return the answer that ends a request with an error; what nobody expected is logged."""
    refusal = refusal_of(error)
    if refusal is None:
        _log.error("request_failed", request_id=exchange.request_id, exc_info=error)
        refusal = Refusal("internal_error")
    elif refusal.kind.status > _SERVER_ERROR:
        _log.warning("dependency_failed", request_id=exchange.request_id, error=type(error).__name__)
    exchange.code = refusal.kind.code
    return problem_response(refusal, public_url=public_url, request_id=exchange.request_id)


def refusal_of(error: Exception) -> Refusal | None:
    """Return the refusal that an exception stands for, or None if it is a fault of ours."""
    match error:
        case Refusal():
            return error
        case TenantsError():
            return _of_tenants(error)
        case GatewayError():
            return _of_gateway(error)
        case HTTPException():
            return _of_framework(error)
        case _:
            return _of_database(error)


def _of_tenants(error: TenantsError) -> Refusal | None:
    match error:
        case InvalidInput():
            return Refusal.of_field(error.field, error.code, error.detail)
        case InvalidInputs():
            faults = tuple(FieldFault(field=f.field, code=f.code, detail=f.detail) for f in error.faults)
            return Refusal(error.code, error.detail, errors=faults)
        case InvalidId():
            return Refusal("not_found")
        case NotFound():
            return Refusal("not_found", f"There is no such {error.kind}.")
        case Conflict():
            wait_ms = math.ceil(error.wait / _MILLISECOND) if isinstance(error, TooSoon) else None
            code = error.code if error.code in PROBLEMS else "conflict"
            return Refusal(code, error.detail, retry_after_ms=wait_ms)
        case _:
            return None


def _of_gateway(error: GatewayError) -> Refusal | None:
    match error:
        case Overloaded():
            return Refusal("overloaded", retry_after_ms=error.retry_after_ms)
        case Unavailable():
            return Refusal("unavailable", retry_after_ms=error.retry_after_ms)
        case SearchTooWide():
            return Refusal("search_too_wide")
        case QueueFault():
            return Refusal("queue_refused", f"{error}.")
        case ConfigurationError():
            return None
        case _:
            return Refusal("unavailable", retry_after_ms=_RETRY_AFTER_MS)


def _of_framework(error: HTTPException) -> Refusal | None:
    code = STATUS_CODES.get(error.status_code)
    return None if code is None else Refusal(code, headers=dict(error.headers or {}))


def _of_database(error: Exception) -> Refusal | None:
    """SQLAlchemy wraps the driver's errors; the hot paths use the driver itself."""
    if isinstance(error, asyncpg.PostgresError):
        passing = str(error.sqlstate or "").startswith(PASSING_SQLSTATES)
        return Refusal("unavailable", retry_after_ms=_RETRY_AFTER_MS) if passing else None
    if isinstance(error, (sql.TimeoutError, sql.InterfaceError, *DATABASE_FAULTS)):
        return Refusal("unavailable", retry_after_ms=_RETRY_AFTER_MS)
    if isinstance(error, sql.DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or state.startswith(PASSING_SQLSTATES):
            return Refusal("unavailable", retry_after_ms=_RETRY_AFTER_MS)
        return _of_state(state)
    return None


def _of_state(sqlstate: str) -> Refusal | None:
    if sqlstate == _NO_CHARACTER:
        return Refusal("not_found")
    if sqlstate.startswith(_OUT_OF_RANGE):
        return Refusal("validation_failed", "A value is outside the range that can be stored.")
    if sqlstate == _UNIQUE_VIOLATION:
        return Refusal("conflict", "Another request made the same thing at the same time; read it and go on.")
    return None
