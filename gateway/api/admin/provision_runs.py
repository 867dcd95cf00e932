"""`/v1/admin/tenants/{id}/provision/runs`: what a provisioning run is doing, step by step."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.carrier.provision import runs as provision_runs
from gateway.carrier.provision.runs import ProvisionRunRow, RunState, StepState
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.errors import NotFound
from tenants.ids import encode


class ProvisionStepView(Struct, frozen=True, kw_only=True):
    """One step of a run."""

    name: str
    """`topic`, `opt_out_list`, `sender US:TOLL_FREE` and the like, `changes`, `configuration_set`, `pool`."""
    state: StepState
    started_at: str | None
    ended_at: str | None


class ProvisionRunView(Struct, frozen=True, kw_only=True):
    """One run of one tenant in one account."""

    id: str
    account: str
    """`acc_…`"""
    state: RunState
    """`interrupted` where its process died: provision again, and what was made is adopted."""
    detail: str | None
    """Why it was refused or failed."""
    steps: list[ProvisionStepView]
    """In the order in which they are taken."""
    done: int
    """How many of them are done."""
    started_at: str | None
    ended_at: str | None


@get(
    "/tenants/{tenant_id:str}/provision/runs",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's provisioning runs",
    description="The newest first, with the steps of each as they stand now; ask again to see one go on.",
)
async def list_provision_runs(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[ProvisionRunView]:
    """Return a page of runs."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await provision_runs.runs(scope, session, limit=limit + 1, after=id_after(request, after))
        views = [(row, await _view(session, row)) for row in rows]
    return page_of(request, views, limit, view=lambda each: each[1], place=lambda each: each[0].id)


@get(
    "/tenants/{tenant_id:str}/provision/runs/{run_id:str}",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a provisioning run",
)
async def get_provision_run(
    tenant_id: FromPath[str], run_id: FromPath[str], desk: NamedDependency[Desk]
) -> ProvisionRunView:
    """Return one run with its steps."""
    wanted = path_id("prv", run_id, "provisioning run")
    async with desk.operator() as session:
        row = await provision_runs.run_of(named_tenant(tenant_id), session, wanted)
        if row is None:
            raise NotFound("provisioning run")
        return await _view(session, row)


async def _view(session: AsyncSession, row: ProvisionRunRow) -> ProvisionRunView:
    steps = provision_runs.steps_of(row)
    return ProvisionRunView(
        id=encode("prv", row.id),
        account=encode("acc", row.account_id),
        state=await provision_runs.state_of(session, row),
        detail=row.detail,
        steps=[
            ProvisionStepView(
                name=each.name,
                state=each.state,
                started_at=timestamp(each.started_at),
                ended_at=timestamp(each.ended_at),
            )
            for each in steps
        ],
        done=sum(each.state == "done" for each in steps),
        started_at=timestamp(row.started_at),
        ended_at=timestamp(row.ended_at),
    )
