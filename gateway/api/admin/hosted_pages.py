"""`/v1/admin/tenants/{id}/hosted-pages`: a tenant's public pages by the operator's hand."""

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.hosted_page_views import HostedPagesView, hosted_pages_view
from gateway.api.path_ids import named_tenant
from tenants.accounts import service as accounts
from tenants.errors import NotFound
from tenants.pages import service
from tenants.pages.settings import PageSettings


@get(
    "/tenants/{tenant_id:str}/hosted-pages",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's hosted pages",
    description="Where they are and what they are written from; 404 before the first PUT.",
)
async def get_tenant_hosted_pages(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> HostedPagesView:
    """Return the settings and the addresses."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        tenant = await accounts.get(scope, session)
        settings = await service.read(scope, session)
    if settings is None:
        raise NotFound("hosted page")
    return hosted_pages_view(settings, tenant, desk.public_url)


@put(
    "/tenants/{tenant_id:str}/hosted-pages",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Set what a tenant's hosted pages say",
    description=(
        "As the tenant would with `PUT /v1/hosted-pages`; the audit trail names the operator. They are "
        "public from now on. Consents given before keep the words that they were given to."
    ),
)
async def put_tenant_hosted_pages(
    tenant_id: FromPath[str], data: JSONBody[PageSettings], desk: NamedDependency[Desk]
) -> HostedPagesView:
    """Replace the settings."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        tenant = await accounts.get(scope, session)
        await service.write(scope, session, data)
    return hosted_pages_view(data, tenant, desk.public_url)
