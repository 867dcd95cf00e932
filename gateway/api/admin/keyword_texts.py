"""`/v1/admin/keyword-texts`: what AWS answers STOP and HELP with, beside the tenants' texts."""

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
from tenants.keywords.models import KeywordLink


class KeywordTextsView(Struct, frozen=True, kw_only=True):
    """One number or AWS pool."""

    tenant_id: str
    account: str
    arn: str
    told: dict[str, str]
    """What AWS was told last, by keyword."""
    compared_at: str | None
    """When AWS was asked last what it answers."""
    drift: list[str]
    """What the last comparison found changed at AWS, and mended."""
    fault: str | None
    """What AWS refused; tried again after a quarter of an hour."""


@get(
    "/keyword-texts",
    responses=refusals(*OPERATOR),
    summary="Compare what AWS answers STOP and HELP with the tenants' texts",
    description=(
        "A changed text is told to AWS within seconds; each number is compared once a day and mended. Not "
        "among them: numbers whose STOP and HELP the gateway or the carriers' network answers, and numbers "
        "that tenants share."
    ),
)
async def list_keyword_texts(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[KeywordTextsView]:
    """Return what each number and pool was told, and how it differed."""
    async with desk.operator() as session:
        rows = (
            await session.scalars(select(KeywordLink).order_by(KeywordLink.tenant_id, KeywordLink.arn))
        ).all()
    return part_of(request, [_view(row) for row in rows], limit, after)


def _view(row: KeywordLink) -> KeywordTextsView:
    return KeywordTextsView(
        tenant_id=encode("ten", row.tenant_id),
        account=encode("acc", row.account_id),
        arn=row.arn,
        told=dict(row.told),
        compared_at=timestamp(row.compared_at),
        drift=[str(each) for each in row.drift],
        fault=row.fault,
    )
