"""`/v1/opt-outs` and `/v1/opt-out-lists`: who must not be messaged."""

from typing import Annotated, Final

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from gateway.api.announcements import announce
from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, page_of, text_after, text_cursor
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from tenants.countries.numbers import Number, parse_number
from tenants.optouts import lists, service

_OPT_OUTS: Final = {NEEDS: "opt-outs"}


class OptOutView(Struct, frozen=True, kw_only=True):
    """One number on one list."""

    number: str
    list: str
    """`all`, a message type, or a list of the tenant's own."""
    source: str
    created_at: str | None


class OptOutState(Struct, frozen=True, kw_only=True):
    """Where a number stands after a change."""

    number: str
    list: str
    opted_out: bool
    changed: bool
    """False if it stood there already."""


class OptOutEvent(Struct, frozen=True, kw_only=True):
    """What an endpoint is told; the number is not in it."""

    list: str
    source: str


@get(
    "/opt-outs",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT),
    summary="List opted-out numbers",
    description="In an order that is stable and means nothing.",
)
async def list_opt_outs(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    list_name: Annotated[str | None, QueryParameter(name="list", max_length=40)] = None,
) -> Page[OptOutView]:
    """Return a page of opt-outs of one list or of all."""
    return await _page(request, desk, limit, after, list_name)


@get(
    "/opt-out-lists/{name:str}/numbers",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT),
    summary="List the numbers of one list",
)
async def list_numbers(
    request: ApiRequest,
    name: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[OptOutView]:
    """Return a page of one list."""
    return await _page(request, desk, limit, after, lists.check_list(name))


@put(
    "/opt-outs/{number:str}",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Opt a number out of everything",
)
async def put_opt_out(request: ApiRequest, number: FromPath[str], desk: NamedDependency[Desk]) -> OptOutState:
    """Put a number on the list `all`."""
    return await _change(request, desk, lists.EVERYTHING, number, opted_out=True)


@delete(
    "/opt-outs/{number:str}",
    status_code=200,
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Take a number off the list of everything",
)
async def delete_opt_out(
    request: ApiRequest, number: FromPath[str], desk: NamedDependency[Desk]
) -> OptOutState:
    """Take a number off the list `all`; other lists still hold."""
    return await _change(request, desk, lists.EVERYTHING, number, opted_out=False)


@put(
    "/opt-out-lists/{name:str}/numbers/{number:str}",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Opt a number out of one list",
)
async def put_number(
    request: ApiRequest, name: FromPath[str], number: FromPath[str], desk: NamedDependency[Desk]
) -> OptOutState:
    """Put a number on a list."""
    return await _change(request, desk, name, number, opted_out=True)


@delete(
    "/opt-out-lists/{name:str}/numbers/{number:str}",
    status_code=200,
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Take a number off one list",
)
async def delete_number(
    request: ApiRequest, name: FromPath[str], number: FromPath[str], desk: NamedDependency[Desk]
) -> OptOutState:
    """Take a number off a list; no error if it was not there."""
    return await _change(request, desk, name, number, opted_out=False)


async def _page(
    request: ApiRequest, desk: Desk, limit: int, after: str | None, list_name: str | None
) -> Page[OptOutView]:
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await service.page(
            request.auth, session, key, limit=limit + 1, after=text_after(after), list_name=list_name
        )
    return page_of(rows, limit, view=_view, cursor=lambda row: text_cursor(row.cursor))


async def _change(
    request: ApiRequest, desk: Desk, list_name: str, number: str, *, opted_out: bool
) -> OptOutState:
    e164 = _e164(number)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    act = service.put if opted_out else service.remove
    async with desk.tenant(request.auth) as session:
        change = await act(request.auth, session, key, number=e164, list_name=list_name)
        if change.changed:
            event = OptOutEvent(list=change.list_name, source="api")
            await announce(
                request.auth, session, "opt_out.created" if opted_out else "opt_out.removed", event
            )
    await desk.services.opt_out_changed(
        request.auth.tenant_id, change.list_name, change.recipient_hash, opted_out=opted_out
    )
    return OptOutState(number=e164, list=change.list_name, opted_out=opted_out, changed=change.changed)


def _e164(text: str) -> str:
    number = parse_number(text)
    if isinstance(number, Number):
        return number.e164
    raise Refusal.of_field("/number", "invalid_number", number.detail)


def _view(row: service.OptOutView) -> OptOutView:
    return OptOutView(
        number=row.number, list=row.list_name, source=row.source, created_at=timestamp(row.created_at)
    )
