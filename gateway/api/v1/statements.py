"""`/v1/statements`: what a month did to the balance, as JSON, as CSV and as a page to print."""

from datetime import datetime
from typing import Any, Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.statements.files import statement_csv
from gateway.api.statements.page import statement_page
from gateway.api.statements.views import StatementView, statement_view
from gateway.messages.month import Month, month_of, months, parse_month
from gateway.messages.statements import statement
from tenants.accounts import service as accounts
from tenants.errors import NotFound

_READ: Final = {NEEDS: "credits:read"}
_PAGE_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
FORMS: Final = ("", ".csv", ".html")


class StatementName(Struct, frozen=True, kw_only=True):
    """A month that has a statement."""

    month: str
    """`2026-11`; add `.csv` for the file and `.html` for the page."""
    complete: bool
    """Whether the month is over, in UTC."""


def statement_list(created_at: datetime, now: datetime) -> list[StatementName]:
    """Return the months that a tenant has lived in, the newest first."""
    found = [StatementName(month=each.name, complete=each.end <= now) for each in months(created_at, now)]
    return found[::-1]


def named_month(name: str, created_at: datetime, now: datetime) -> tuple[Month, str]:
    """
    Return the month and the form that a path names.

    Raises:
        NotFound: It is no month, or one before the tenant or after today.
    """
    text, dot, ending = name.partition(".")
    month = parse_month(text)
    form = dot + ending
    if month is None or form not in FORMS or not month_of(created_at) <= month <= month_of(now):
        raise NotFound("statement")
    return month, form


def statement_answer(view: StatementView, form: str, *, holder: str) -> Response[Any]:
    """Return a statement in the form that was asked for; `holder` is the tenant's name."""
    match form:
        case ".csv":
            saved = {"Content-Disposition": f'attachment; filename="statement-{view.month}.csv"'}
            return Response(statement_csv(view), media_type="text/csv", headers=saved)
        case ".html":
            return Response(
                statement_page(view, holder=holder), media_type=MediaType.HTML, headers=_PAGE_HEADERS
            )
        case _:
            return Response(view)


@get("/statements", opt=_READ, responses=refusals(*TENANT), summary="List the monthly statements")
async def list_statements(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[StatementName]:
    """Return the months since the tenant was created."""
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
    months_of_tenant = statement_list(tenant.created_at, desk.services.clock.now())
    return part_of(request, months_of_tenant, limit, after)


@get(
    "/statements/{name:str}",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a monthly statement",
    description=(
        "`/v1/statements/2026-11` is JSON, `/v1/statements/2026-11.csv` a CSV file and "
        "`/v1/statements/2026-11.html` a page to print."
    ),
)
async def get_statement(
    request: ApiRequest, name: FromPath[str], desk: NamedDependency[Desk]
) -> Response[StatementView]:
    """Return a month: opening balance, messages, fees, adjustments and closing balance."""
    now = desk.services.clock.now()
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        month, form = named_month(name, tenant.created_at, now)
        found = await statement(request.auth, session, month, now=now)
    return statement_answer(statement_view(found, with_cost=False), form, holder=tenant.name)
