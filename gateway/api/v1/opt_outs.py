"""`/v1/opt-outs` and `/v1/opt-out-lists`: who must not be messaged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Final

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import (
    DEFAULT_LIMIT,
    After,
    Limit,
    Page,
    id_after,
    page_of,
    text_after,
)
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.recipients.opt_out_changing import change, opt_out_all, project
from gateway.api.recipients.opt_out_files import WantedOptOut, read_opt_outs
from gateway.api.recipients.opt_out_names import known_lists, no_such_list, refuse_unknown_list
from gateway.api.refusals import Refusal
from gateway.api.row_files import MAX_BYTES, ImportView, import_view
from gateway.messages.view import timestamp
from tenants.accounts.sealing import DataKey
from tenants.countries.numbers import Number, parse_number
from tenants.ids import encode
from tenants.optouts import lists, service
from tenants.recipient_turns import take_for_file
from tenants.scope import TenantScope

_OPT_OUTS: Final = {NEEDS: "opt-outs"}
_STOPS: Final = {name: name for name in lists.STOPPING}
_NOTHING_YET: Final = datetime.min.replace(tzinfo=UTC)


class OptOutView(Struct, frozen=True, kw_only=True):
    """One number on one list."""

    number: str
    list: str
    """`all`, a message type, or a list of the tenant's own."""
    source: str
    created_at: str | None


class OptOutList(Struct, frozen=True, kw_only=True):
    """One list."""

    name: str
    stops: str | None
    """`all` messages or those of a type; null for a list of the tenant's own, which stops none by itself."""


class OptOutState(Struct, frozen=True, kw_only=True):
    """Where a number stands after a change."""

    number: str
    list: str
    opted_out: bool
    changed: bool
    """False if it stood there already."""


class OptOutChangeView(Struct, frozen=True, kw_only=True):
    """A line of the ledger."""

    id: str
    number: str
    list: str
    change: str
    """`opted_out` or `opted_in`."""
    source: str
    """`keyword`, `api`, `csv`, `page`, `call_centre`, `aws_list` or `carrier`."""
    actor: str
    """`recipient`, `key_…`, `operator`, `aws` or an agent's name."""
    inbound_id: str | None
    """The text that asked for it."""
    note: str | None
    at: str | None


class OptOutImportBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of opt-outs as CSV text."""

    csv: Annotated[str, Meta(min_length=1, max_length=MAX_BYTES)]
    """First line: `number`, and where wanted `list`, `opted_out` and `note`."""
    dry_run: bool = False
    """Only look what the file would do."""


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
    if list_name is not None:
        async with desk.tenant(request.auth) as session:
            known = await known_lists(request.auth, session)
        if list_name not in known:
            raise Refusal.of_field("?list", "unknown_list", no_such_list(known))
    return await _page(request, desk, limit, after, list_name)


@get("/opt-out-lists", opt=_OPT_OUTS, responses=refusals(*TENANT), summary="List the opt-out lists")
async def list_lists_of_opt_outs(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[OptOutList]:
    """Return what there is to be on; `all` is what a bare STOP means."""
    async with desk.tenant(request.auth) as session:
        known = await known_lists(request.auth, session)
    views = [OptOutList(name=name, stops=_STOPS.get(name)) for name in known]
    return part_of(request, views, limit, after)


@get(
    "/opt-out-lists/{name:str}/numbers",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "not_found"),
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
    async with desk.tenant(request.auth) as session:
        await refuse_unknown_list(request.auth, session, name)
    return await _page(request, desk, limit, after, name)


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
    responses=refusals(*TENANT, "not_found", "invalid_number"),
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
    responses=refusals(*TENANT, "not_found", "invalid_number"),
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
            request.auth, session, key, limit=limit + 1, after=text_after(request, after), list_name=list_name
        )
    return page_of(request, rows, limit, view=_view, place=lambda row: row.cursor)


@get(
    "/opt-outs/changes",
    opt=_OPT_OUTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="List every change of opt-outs",
    description=(
        "The oldest first, of one number or of all: proof of who asked when, and a feed for another system "
        "that sends to the same people. Nothing in it is ever changed or removed. In the feed of all a "
        "change is listed when no earlier one can appear any more, usually after 2 to 3 s, so that whoever "
        "keeps the last cursor steps over none; those of one number are listed at once."
    ),
)
async def list_opt_out_changes(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    number: Annotated[str | None, QueryParameter(max_length=40, description="E.164")] = None,
) -> Page[OptOutChangeView]:
    """Return a page of the ledger."""
    wanted = None if number is None else _e164(number, field="?number")
    until = await complete_until(desk, wanted)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await service.history(
            request.auth,
            session,
            key,
            limit=limit + 1,
            after=id_after(request, after),
            until=until,
            number=wanted,
        )
    return page_of(request, rows, limit, view=change_view, place=lambda row: row.id)


@post(
    "/opt-outs/import",
    status_code=200,
    opt=_OPT_OUTS,
    request_max_body_size=2 * MAX_BYTES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY),
    summary="Import a file of opt-outs",
    description=(
        "Up to 10,000 rows, taken whole or not at all: `errors` says what to mend, line by line. With "
        "`dry_run` nothing is changed."
    ),
)
async def import_opt_outs(
    request: ApiRequest, data: JSONBody[OptOutImportBody], desk: NamedDependency[Desk]
) -> Response[ImportView]:
    """Take a file from another system."""
    async with desk.tenant(request.auth) as session:
        read = read_opt_outs(data.csv, await known_lists(request.auth, session))
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    changes: list[service.Change] = []

    async def work(session: AsyncSession) -> ImportView:
        if not read.faults and not data.dry_run:
            changes.extend(await _taken(request.auth, session, key, read.rows))
        changed = sum(each.changed for each in changes)
        return import_view(read, changed, applied=not read.faults and not data.dry_run)

    answer = await desk.tenant_once(request, work, status=200)
    news = [each for each in changes if each.changed]
    await project(desk.services.opt_out_changed, request.auth.tenant_id, news)
    return answer


async def complete_until(desk: Desk, number: str | None) -> datetime | None:
    """Return where the ledger of all ends for those who follow it; None for one number's, which is whole."""
    if number is not None:
        return None
    return await desk.services.feed_until() or _NOTHING_YET


async def _taken(
    scope: TenantScope, session: AsyncSession, key: DataKey, rows: Sequence[WantedOptOut]
) -> list[service.Change]:
    """Do what the rows ask for in their order; those in a row that put numbers on lists are done together."""
    await take_for_file(scope, session)
    made: list[service.Change] = []
    for opted_out, run in groupby(rows, key=lambda row: row.opted_out):
        if opted_out:
            wishes = [service.Wish(number=row.number, list_name=row.list_name, note=row.note) for row in run]
            made += await opt_out_all(scope, session, key, wishes, source="csv")
            continue
        for row in run:
            origin = service.Origin(source="csv", note=row.note)
            made.append(
                await change(
                    scope,
                    session,
                    key,
                    number=row.number,
                    list_name=row.list_name,
                    opted_out=False,
                    origin=origin,
                )
            )
    return made


def change_view(row: service.ChangeView) -> OptOutChangeView:
    """Return a line of the ledger as the wire shows it."""
    return OptOutChangeView(
        id=encode("ooc", row.id),
        number=row.number,
        list=row.list_name,
        change=row.change,
        source=row.source,
        actor=row.actor,
        inbound_id=None if row.inbound_id is None else encode("inb", row.inbound_id),
        note=row.note,
        at=timestamp(row.at),
    )


async def _change(
    request: ApiRequest, desk: Desk, list_name: str, number: str, *, opted_out: bool
) -> OptOutState:
    e164 = _e164(number)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        await refuse_unknown_list(request.auth, session, list_name)
        made = await change(
            request.auth,
            session,
            key,
            number=e164,
            list_name=list_name,
            opted_out=opted_out,
            origin=service.Origin(source="api"),
        )
    await project(desk.services.opt_out_changed, request.auth.tenant_id, [made])
    return OptOutState(number=e164, list=made.list_name, opted_out=opted_out, changed=made.changed)


def _e164(text: str, *, field: str = "/number") -> str:
    number = parse_number(text)
    if isinstance(number, Number):
        return number.e164
    raise Refusal.of_field(field, "invalid_number", number.detail)


def _view(row: service.OptOutView) -> OptOutView:
    return OptOutView(
        number=row.number, list=row.list_name, source=row.source, created_at=timestamp(row.created_at)
    )
