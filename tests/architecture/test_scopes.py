"""Scope first: a store of tenants' rows cannot be asked without the proof of tenancy."""

import ast

import pytest

EXCEPTIONS = {
    "gateway/media/store.py::forget_expired": "the scheduler forgets every tenant's expired files",
    "tenants/accounts/store.py::page_of_all": "the operator's list of all tenants",
    "tenants/accounts/store.py::of_each": "the operator's list of all onboardings",
    "tenants/accounts/store.py::with_slug": "the operator looks whether a slug is free",
    "tenants/access/store.py::stored_key": "authentication: the key says who is asking",
    "tenants/access/service.py::authenticate": "authentication: the key says who is asking",
    "tenants/accounts/service.py::create_tenant": "the tenant is being made; there is no scope yet",
    "tenants/accounts/service.py::page": "the operator's list of all tenants",
    "tenants/senders/store.py::known_senders_of_each": "the operator's report on all tenants",
    "tenants/senders/store.py::active_of_each": "the operator's list of all onboardings",
    "tenants/registrations/store.py::statuses_of_each": "the operator's list of all onboardings",
    "tenants/senders/store.py::accounts": "AWS accounts are the operator's",
    "tenants/senders/store.py::account_named": "AWS accounts are the operator's",
    "tenants/senders/store.py::upsert_account": "AWS accounts are the operator's",
    "tenants/senders/service.py::ensure_account": "AWS accounts are the operator's",
    "tenants/credits/store.py::price_book": "the price book is the operator's",
    "tenants/credits/store.py::price_books": "the price books are the operator's",
    "tenants/credits/store.py::note_import": "the price books are the operator's",
    "tenants/credits/store.py::books": "the price books are the operator's",
    "tenants/credits/store.py::dated_lines": "the price books are the operator's",
    "tenants/credits/store.py::has_prices": "the price book is the operator's",
    "tenants/credits/store.py::add_prices": "the price book is the operator's",
    "tenants/inbox/store.py::page": "the inbox is the operator's",
    "tenants/intakes/store.py::add": "intakes are the operator's",
    "tenants/intakes/store.py::get": "intakes are the operator's",
    "tenants/intakes/store.py::page": "intakes are the operator's",
    "tenants/intakes/store.py::customer": "a signed post: its reference says who is meant",
    "tenants/onboarding/store.py::page_of_all": "the operator's list of all onboardings",
    "tenants/shortcodes/service.py::page_of_all": "the operator's list of all applications",
    "tenants/inbox/store.py::locked": "the inbox is the operator's",
    "tenants/inbox/store.py::resolve_one": "the inbox is the operator's",
    "tenants/inbox/service.py::resolve": "the inbox is the operator's",
    "tenants/people/store.py::invitation_of": "sign-in: the link says who is asking",
    "tenants/people/store.py::person_of": "sign-in: the address says who is asking",
    "tenants/people/store.py::open_session": "sign-in: the cookie says who is asking",
    "tenants/people/store.py::end_session": "sign-in: the cookie says who is asking",
    "tenants/people/store.py::end_old_sessions": "sessions of all tenants end",
    "tenants/people/store.py::brakes": "failures are counted before anybody is known",
    "tenants/people/store.py::count_failure": "failures are counted before anybody is known",
    "tenants/people/store.py::release": "failures are counted before anybody is known",
}
"""Functions that ask of no tenant, and why."""


def unscoped(sources):
    """Public functions of stores and services that take a session but no scope in front of it."""
    return {
        f"{source.path}::{node.name}"
        for source in sources
        if source.path.endswith(("store.py", "service.py")) and not source.path.startswith("gateway/emulator")
        for node in source.tree.body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_") and not _scope_first(node)
    }


def _scope_first(node):
    names = [argument.arg for argument in node.args.args]
    if "session" not in names:
        return True
    first = node.args.args[0]
    return (
        first.arg == "scope"
        and isinstance(first.annotation, ast.Name)
        and first.annotation.id == "TenantScope"
    )


def test_every_store_and_service_takes_the_scope_first(sources):
    """A new function without it is a decision that has to be written down here."""
    assert unscoped(sources) - EXCEPTIONS.keys() == set()


def test_every_exception_is_still_there(sources):
    """An exception for what is gone would hide its successor."""
    assert EXCEPTIONS.keys() - unscoped(sources) == set()


@pytest.mark.parametrize(
    "text",
    [
        "async def get(session, message_id): ...",
        "async def get(session: AsyncSession, scope: TenantScope): ...",
        "async def get(scope: UUID, session: AsyncSession): ...",
    ],
)
def test_a_store_without_its_scope_is_noticed(parse, text):
    """The rule above can fail."""
    assert unscoped([parse(text)]) == {"tenants/made_up/store.py::get"}
