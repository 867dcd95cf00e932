"""`/v1/short-codes`: where the tenant's short codes are on their way."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.api.short_code_views import ShortCodeView, short_code_view
from tenants.shortcodes import service

_READ: Final = {NEEDS: "registrations"}


@get(
    "/short-codes",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="List short codes",
    description="They take weeks to months; the event `short_code.stage_changed` tells of each stage.",
)
async def list_short_codes(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[ShortCodeView]:
    """Return a page of short codes, the newest first, each with its stage, its owner and its age."""
    now = desk.services.clock.now()
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(
        request, rows, limit, view=lambda row: short_code_view(row, now=now), place=lambda row: row.id
    )


@get(
    "/short-codes/{short_code_id:str}",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a short code",
)
async def get_short_code(
    request: ApiRequest, short_code_id: FromPath[str], desk: NamedDependency[Desk]
) -> ShortCodeView:
    """Return where it is, and every stage before."""
    wanted = path_id("sc", short_code_id, "short code")
    async with desk.tenant(request.auth) as session:
        row = await service.get(request.auth, session, wanted)
    return short_code_view(row, now=desk.services.clock.now())
