"""Every POST of the API takes an Idempotency-Key, or is listed here with why it need not."""

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from gateway.api.documented import WITH_IDEMPOTENCY
from gateway.api.routes import OPERATOR_ROUTES, TENANT_ROUTES

WRITES_NOTHING = {
    "advise_senders": "ranks and prices; orders nothing",
    "get_plan_sheet": "the same as a table",
    "estimate_message": "counts and prices; stores nothing",
    "lint_registration": "reads a draft; stores nothing",
    "explain_message": "asks every gate; stores and charges nothing",
    "plan_migration": "does all of it in a transaction and takes it back",
    "plan_provisioning": "reads AWS and the tenant; makes nothing",
    "check_aws_account": "asks AWS, with a dry run; sends and changes nothing",
}
"""`/v1/ingest` is not the clients': SNS has ids of its own, and a receipt counts once by its own key."""
HONOURS = {"answer_once", "claim_key", "tenant_once", "operator_once", "key_of"}
POSTS = {
    route.fn.__name__: route for route in (*TENANT_ROUTES, *OPERATOR_ROUTES) if "POST" in route.http_methods
}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _reached(function: Any, seen: set[str]) -> set[str]:
    """Return every name that the function mentions, itself or by its module's own functions."""
    for name in set(_names(function.__code__)) - seen:
        seen.add(name)
        called = function.__globals__.get(name)
        if isinstance(called, FunctionType) and called.__module__.startswith("gateway.api"):
            _reached(called, seen)
    return seen


def _documents(route: HTTPRouteHandler) -> bool:
    said = " ".join(spec.description for spec in (route.responses or {}).values())
    return all(f"`{code}`" in said for code in WITH_IDEMPOTENCY)


@pytest.mark.parametrize("name", sorted(POSTS))
def test_a_post_takes_a_key_and_documents_it_or_is_excused(name: str) -> None:
    """A client that repeats what it got no answer to must not have to know which route forgives it."""
    honoured = bool(HONOURS & _reached(POSTS[name].fn, set()))
    assert (honoured, _documents(POSTS[name])) == ((False, False) if name in WRITES_NOTHING else (True, True))


def test_every_excuse_is_of_a_route_that_exists() -> None:
    """An excuse left behind would cover the next route of that name."""
    assert WRITES_NOTHING.keys() <= POSTS.keys()
