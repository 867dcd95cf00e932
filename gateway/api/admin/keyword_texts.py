"""`/v1/admin/keyword-texts`: what AWS answers STOP and HELP with, beside the tenants' texts."""

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct
from sqlalchemy import select

from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
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


class AllKeywordTexts(Struct, frozen=True, kw_only=True):
    """Every number and pool that answers with a tenant's words."""

    data: list[KeywordTextsView]
    next_cursor: None = None


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
async def list_keyword_texts(desk: NamedDependency[Desk]) -> AllKeywordTexts:
    """Return what each number and pool was told, and how it differed."""
    async with desk.operator() as session:
        rows = (
            await session.scalars(select(KeywordLink).order_by(KeywordLink.tenant_id, KeywordLink.arn))
        ).all()
    return AllKeywordTexts(data=[_view(row) for row in rows])


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
