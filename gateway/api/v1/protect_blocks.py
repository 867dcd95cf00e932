"""`/v1/protect/blocks`: prefixes whose messages look like SMS pumping."""

from typing import Final

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from gateway.admission.kept_holds import held_prefix
from gateway.admission.pumping import HeldPrefix
from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.messages.view import timestamp_of_ms
from tenants.audit import store as audit
from tenants.errors import NotFound
from tenants.protection import pumping_store as pumping
from tenants.scope import TenantScope

_PROTECT: Final = {NEEDS: "protect"}


class BlockView(Struct, frozen=True, kw_only=True):
    """A prefix to which messages stopped for a while, or would have."""

    id: str
    """The workflow and the prefix, as in `otp:96477012`."""
    workflow: str
    """A message type, or `tpl-` and a template's name; with `test-` before it for test keys."""
    prefix: str
    """`+` and the digits that the numbers begin with."""
    rule: str
    """`sequence`, `prefix` or `few_prefixes`."""
    enforced: bool
    """False where the plan only watches: nothing is refused."""
    until: str
    """When it ends by itself."""


async def blocks_of(scope: TenantScope, desk: Desk) -> list[BlockView]:
    """Return what is held now, also what Redis forgot and gets back with the next send."""
    now = desk.services.clock.now()
    held = await desk.services.pumping_holds.of(scope.tenant_id, now_ms=int(now.timestamp() * 1000))
    async with desk.tenant(scope) as session:
        kept = [held_prefix(row) for row in await pumping.holds(scope, session, now)]
    known = {(each.workflow, each.hold.scope): each for each in [*kept, *held]}
    return [_view(each) for each in sorted(known.values(), key=lambda each: each.hold.until_ms)]


async def lift(scope: TenantScope, desk: Desk, block_id: str) -> None:
    """
    End a block and note who did.

    Raises:
        NotFound: There is none, or it has ended.
    """
    workflow, _, prefix = block_id.rpartition(":")
    async with desk.tenant(scope) as session:
        kept = await pumping.drop_hold(scope, session, workflow=workflow, prefix=prefix)
    if not await desk.services.pumping_holds.lift(scope.tenant_id, workflow, prefix) and not kept:
        raise NotFound("block")


@get(
    "/protect/blocks",
    opt=_PROTECT,
    responses=refusals(*TENANT),
    summary="List what is blocked for suspected pumping",
    description="Each block ends by itself 15 to 30 minutes after it began.",
)
async def list_blocks(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[BlockView]:
    """Return the tenant's blocks."""
    return part_of(request, await blocks_of(request.auth, desk), limit, after)


@delete(
    "/protect/blocks/{block_id:str}",
    status_code=204,
    opt=_PROTECT,
    responses=refusals(*TENANT, "not_found"),
    summary="Lift a block before it ends",
    description="The traffic is counted from zero; it is blocked again if it goes on looking like pumping.",
)
async def lift_block(request: ApiRequest, block_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Let messages to the prefix through again."""
    await lift(request.auth, desk, block_id)
    async with desk.tenant(request.auth) as session:
        await audit.append(request.auth, session, action="pumping_block.lifted", subject=block_id)


def _view(held: HeldPrefix) -> BlockView:
    return BlockView(
        id=f"{held.workflow}:{held.hold.scope}",
        workflow=held.workflow,
        prefix="+" + held.hold.scope,
        rule=held.hold.rule,
        enforced=held.hold.enforced,
        until=timestamp_of_ms(held.hold.until_ms),
    )
