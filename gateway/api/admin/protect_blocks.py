"""`/v1/admin/tenants/{id}/protect/blocks`: a tenant's blocks of suspected pumping, for the operator."""

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant
from gateway.api.v1.protect_blocks import BlockView, blocks_of, lift
from tenants.accounts import service as accounts
from tenants.audit import store as audit


@get(
    "/tenants/{tenant_id:str}/protect/blocks",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List what is blocked for suspected pumping",
)
async def list_tenant_blocks(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[BlockView]:
    """Return a tenant's blocks."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
    return part_of(request, await blocks_of(scope, desk), limit, after)


@delete(
    "/tenants/{tenant_id:str}/protect/blocks/{block_id:str}",
    status_code=204,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Lift a tenant's block before it ends",
)
async def lift_tenant_block(
    tenant_id: FromPath[str], block_id: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Let a tenant's messages to the prefix through again."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
    await lift(scope, desk, block_id)
    async with desk.operator() as session:
        await audit.append(scope, session, action="pumping_block.lifted", subject=block_id)
