"""`/v1/admin/tenants/{id}/keywords/{id}/registered`: which keywords carriers have on file."""

from litestar import put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.v1.keywords import KeywordView, keyword_view
from tenants.keywords import service


class Registered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether carriers have the keyword on file."""

    registered: bool


@put(
    "/tenants/{tenant_id:str}/keywords/{keyword_id:str}/registered",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Lock or unlock a keyword that carriers have on file",
    description="While it is registered its tenant cannot change or remove it: that takes a support case.",
)
async def put_keyword_registered(
    tenant_id: FromPath[str],
    keyword_id: FromPath[str],
    data: JSONBody[Registered],
    desk: NamedDependency[Desk],
) -> KeywordView:
    """Note what the carriers have."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        row = await service.mark_registered(
            scope, session, path_id("kwd", keyword_id, "keyword"), registered=data.registered
        )
        return keyword_view(row)
