"""`/v1/admin/tenants/{id}/api-keys`: the keys of any tenant."""

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.v1.api_keys import ApiKeyView, CreatedApiKeyView, api_key_view, created_api_key_view
from tenants.access import service
from tenants.access.service import NewKey
from tenants.accounts import service as accounts


@get(
    "/tenants/{tenant_id:str}/api-keys",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's API keys",
)
async def list_tenant_api_keys(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[ApiKeyView]:
    """Return a page of a tenant's keys, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await service.page(scope, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=api_key_view, place=lambda row: row.id)


@post(
    "/tenants/{tenant_id:str}/api-keys",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "tenant_closed"),
    summary="Create an API key for a tenant",
    description="No scopes means all that a tenant may do. The secret is shown this once.",
)
async def create_tenant_api_key(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewKey], desk: NamedDependency[Desk]
) -> Response[CreatedApiKeyView]:
    """Create a key and show its secret this once."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> CreatedApiKeyView:
        now = desk.services.clock.now()
        created = await service.create_key(scope, session, data, pepper=desk.pepper, now=now)
        return created_api_key_view(created)

    return await desk.operator_once(request, work, status=201)


@delete(
    "/tenants/{tenant_id:str}/api-keys/{key_id:str}",
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Revoke an API key of a tenant",
    description="In force everywhere within 5 s; revoking it again changes nothing.",
)
async def revoke_tenant_api_key(
    tenant_id: FromPath[str], key_id: FromPath[str], desk: NamedDependency[Desk]
) -> ApiKeyView:
    """End a key."""
    wanted = path_id("key", key_id, "API key")
    async with desk.operator() as session:
        now = desk.services.clock.now()
        key = await service.revoke_key(named_tenant(tenant_id), session, wanted, now=now)
    desk.keyring.forget(wanted)
    return api_key_view(key)
