"""Exceptions from below, shown as what they mean to the caller."""

import pytest
from sqlalchemy import exc as sql

from gateway.api.faults import refusal_of
from gateway.errors import ConfigurationError, Overloaded, Unavailable
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from tenants.errors import Conflict, InvalidInput, KeyUnwrapFailed, NotFound


def _database(state: str) -> sql.DBAPIError:
    class Failed(Exception):
        sqlstate = state

    return sql.DBAPIError("SELECT 1", {}, Failed())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("/url", "invalid_url", "no"), "validation_failed"),
        (InvalidInput("/number", "invalid_number", "no"), "invalid_number"),
        (NotFound("template"), "not_found"),
        (Conflict("slug_taken", "no"), "slug_taken"),
        (Conflict("something_new", "no"), "conflict"),
        (Unavailable("no"), "unavailable"),
        (Overloaded("no"), "overloaded"),
        (RedisUnavailable("no"), "unavailable"),
        (ScriptFailed("attempt to compare nil with number"), "unavailable"),
        (sql.TimeoutError(), "unavailable"),
        (ConnectionRefusedError(), "unavailable"),
        (_database("57P01"), "unavailable"),
        (_database("53300"), "unavailable"),
        (_database("40001"), "unavailable"),
        (_database("23505"), "conflict"),
        (_database("22003"), "validation_failed"),
    ],
)
def test_an_expected_failure_has_a_code(error: Exception, code: str) -> None:
    """Nothing that the road knows ends as a 500."""
    refusal = refusal_of(error)
    assert refusal is not None
    assert refusal.kind.code == code


@pytest.mark.parametrize(
    "error",
    [RuntimeError(), KeyUnwrapFailed("x"), ConfigurationError("x"), _database("42P01")],
)
def test_a_fault_of_ours_is_not_dressed_up(error: Exception) -> None:
    """It becomes a 500 and is logged."""
    assert refusal_of(error) is None
