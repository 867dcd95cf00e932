"""`POST /v1/admin/tenants/{id}/provision/teardown`: taking away what a tenant has at AWS, a dry run first."""

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from gateway.api.admin.provision import claim_run
from gateway.api.admin.provision_plan import PlanView, plan_view
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import named_tenant
from gateway.api.refusals import Refusal
from gateway.carrier.provision.plan_ports import TeardownRequest
from gateway.carrier.provision.ports import ProvisionRefused
from tenants.errors import InvalidId
from tenants.ids import decode


class TeardownBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is taken away; the whole body may be left out for a dry run."""

    account: Annotated[str, Meta(max_length=40)] | None = None
    """`acc_…`; the first account where absent."""
    dry_run: bool = True
    """Whether only to show what would go."""
    release_numbers: bool = False
    """Whether numbers and sender ids are given back to AWS, for good."""
    delete_opt_out_list: bool = False
    """Whether AWS's opt-out list goes, too; the gateway's own ledger keeps every opt-out."""
    drained: bool = False
    """Whether messages that still wait may be given up on."""


class TeardownView(Struct, frozen=True, kw_only=True):
    """What would go, or what went."""

    plan: PlanView | None
    """Of a dry run."""
    gone: list[str]
    """What was taken away, in order; empty for a dry run."""


@post(
    "/tenants/{tenant_id:str}/provision/teardown",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "provision_refused"),
    summary="Take away what a tenant has at AWS",
    description=(
        "Disables the tenant's senders in the account, empties and deletes its pool, then events and "
        "configuration set; numbers, sender ids and the opt-out list only where asked. Refuses while "
        "messages wait. A dry run unless `dry_run` is false. Cut off in the middle, the next run "
        "goes on from there."
    ),
)
async def teardown_tenant(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[TeardownBody | None] = None,
) -> TeardownView:
    """Show or do it; no transaction is open meanwhile."""
    scope, body = named_tenant(tenant_id), data or TeardownBody()
    await claim_run(request, desk, scope)
    wanted = _request(body)
    if body.dry_run:
        planned = await desk.services.provision_desk.teardown_plan(scope, wanted)
        return TeardownView(plan=plan_view(planned), gone=[])
    gone = await desk.services.provision_desk.teardown(scope, wanted)
    if isinstance(gone, ProvisionRefused):
        raise Refusal("provision_refused", gone.detail)
    await desk.services.policy_changed(scope.tenant_id)
    return TeardownView(plan=None, gone=list(gone))


def _request(body: TeardownBody) -> TeardownRequest:
    try:
        account = None if body.account is None else decode("acc", body.account)
    except InvalidId as error:
        raise Refusal.of_field("/account", "invalid_id", str(error)) from error
    return TeardownRequest(
        account_id=account,
        release_numbers=body.release_numbers,
        delete_opt_out_list=body.delete_opt_out_list,
        drained=body.drained,
    )
