"""`/v1/admin/opt-out-lists`: AWS's opt-out lists beside the tenants' ledgers."""

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct
from sqlalchemy import select

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.optouts.models import OptOutLink


class OptOutListView(Struct, frozen=True, kw_only=True):
    """One list of one AWS account."""

    tenant_id: str
    account: str
    aws_list: str
    followed: str | None
    """`ooc_…`, the last change of the ledger that AWS has been told."""
    compared_at: str | None
    drift: list[str]
    """What the last comparison found and mended, in words."""
    fault: str | None
    """What AWS refused."""


@get(
    "/opt-out-lists",
    responses=refusals(*OPERATOR),
    summary="Compare AWS's opt-out lists with the ledgers",
    description=(
        "Each is compared once an hour and mended both ways. Where the gateway answers STOP and HELP itself, "
        "AWS has no list that follows."
    ),
)
async def list_opt_out_lists(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[OptOutListView]:
    """Return how far each list has followed, and how it differed."""
    async with desk.operator() as session:
        order = OptOutLink.tenant_id, OptOutLink.account_id, OptOutLink.aws_list
        rows = (await session.scalars(select(OptOutLink).order_by(*order))).all()
    return part_of(request, [_view(row) for row in rows], limit, after)


def _view(row: OptOutLink) -> OptOutListView:
    return OptOutListView(
        tenant_id=encode("ten", row.tenant_id),
        account=encode("acc", row.account_id),
        aws_list=row.aws_list,
        followed=None if row.followed is None else encode("ooc", row.followed),
        compared_at=timestamp(row.compared_at),
        drift=[str(each) for each in row.drift],
        fault=row.fault,
    )
