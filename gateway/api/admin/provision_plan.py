"""`/v1/admin/tenants/{id}/provision/plan`, `…/apply` and `…/drift`: looking before making."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from gateway.api.admin.provision import (
    ProvisionBody,
    ProvisionView,
    claim_run,
    provision_request,
    provision_view,
)
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import named_tenant, query_id
from gateway.api.refusals import Refusal
from gateway.carrier.provision.plan_ports import PlanChanged, Planned
from gateway.carrier.provision.ports import ProvisionRefused
from gateway.carrier.provision.shapes import Action, Kind, Plan, Step
from tenants.credits.money import amount_text, format_amount
from tenants.credits.pricing import Unit
from tenants.ids import encode

_SHOWN = 5
_SIGNS = {
    "create": "+",
    "adopt": "=",
    "change": "~",
    "keep": " ",
    "delete": "-",
    "missing": "!",
    "blocked": "!",
}

AccountQuery = Annotated[
    str | None, QueryParameter(name="account", description="`acc_…`; the first account if absent.")
]


class StepView(Struct, frozen=True, kw_only=True):
    """One thing at AWS, and what is done about it."""

    action: Action
    """`create`, `adopt`, `change`, `keep` or `delete`; `missing` is ours and gone at AWS."""
    kind: Kind
    name: str
    diff: list[str]
    """What differs, in words."""
    monthly: str | None
    """What a new lease costs the tenant a month, in the plan's `unit`; null where nothing is leased."""


class PlanView(Struct, frozen=True, kw_only=True):
    """Steps from what AWS has to what the tenant shall have, in the order in which they are taken."""

    account: str
    """`acc_…`"""
    fingerprint: str
    """To be repeated in `apply`, which then does this plan or none."""
    steps: list[StepView]
    text: str
    """The steps that are not `keep`, a line each, as `tollgate senders plan` prints them."""
    changes: int
    """How many steps are not `keep`; 0 where AWS is as it shall be."""
    unit: str
    """`usd` or `credits`."""
    monthly: str
    """All new leases together."""
    estimated_seconds: int
    """At AWS's one request a second per action, without the time that AWS takes to activate numbers."""
    warnings: list[str]
    """Quotas of the account that are used to four fifths or more."""
    refusals: list[str]
    """Why the plan cannot be applied, each with the way out; empty where it can."""


class ApplyBody(ProvisionBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body that was planned, and the plan's fingerprint."""

    fingerprint: Annotated[str, Meta(min_length=2, max_length=30_000)]


@post(
    "/tenants/{tenant_id:str}/provision/plan",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "provision_refused"),
    summary="Plan what provisioning would do",
    description=(
        "Compares what a tenant shall have with what AWS has and answers the steps between the two, their "
        "cost, their duration and the quotas they touch. Takes the body of `provision`. Writes nothing."
    ),
)
async def plan_provisioning(
    tenant_id: FromPath[str], desk: NamedDependency[Desk], data: JSONBody[ProvisionBody | None] = None
) -> PlanView:
    """Look at AWS and the tenant; no transaction is open meanwhile."""
    request = provision_request(data or ProvisionBody())
    planned = await desk.services.provision_desk.plan(named_tenant(tenant_id), request)
    return plan_view(planned)


@post(
    "/tenants/{tenant_id:str}/provision/apply",
    status_code=200,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "provision_refused", "plan_changed"
    ),
    summary="Apply a plan that was seen",
    description=(
        "Does what a plan said, or nothing where AWS or the tenant is otherwise by now. Cut off in the "
        "middle, plan again: what was made is adopted, nothing is bought twice."
    ),
)
async def apply_provisioning(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk], data: JSONBody[ApplyBody]
) -> ProvisionView:
    """Bring AWS to what was planned."""
    scope = named_tenant(tenant_id)
    wanted = provision_request(data)
    await claim_run(request, desk, scope)
    result = await desk.services.provision_desk.apply(scope, wanted, data.fingerprint)
    if isinstance(result, PlanChanged):
        shown = "; ".join(result.changes[:_SHOWN])
        more = len(result.changes) - _SHOWN
        raise Refusal("plan_changed", shown + (f"; and {more} more" if more > 0 else ""))
    if isinstance(result, ProvisionRefused):
        raise Refusal("provision_refused", result.detail)
    return await provision_view(desk, scope, result)


@get(
    "/tenants/{tenant_id:str}/provision/drift",
    responses=refusals(*OPERATOR, "not_found", "provision_refused"),
    summary="Tell what AWS has otherwise than the gateway wants",
    description=(
        "A plan without wishes: what the tenant has by the gateway's tables, against what AWS has. `changes` "
        "is 0 where nothing drifted; `apply` puts right what did."
    ),
)
async def get_provisioning_drift(
    tenant_id: FromPath[str], desk: NamedDependency[Desk], account: AccountQuery = None
) -> PlanView:
    """Look for drift."""
    account_id = None if account is None else query_id("acc", account, "/account")
    planned = await desk.services.provision_desk.drift(named_tenant(tenant_id), account_id)
    return plan_view(planned)


def plan_view(planned: Planned | ProvisionRefused) -> PlanView:
    """Return a plan as the wire writes it, or raise why there is none."""
    if isinstance(planned, ProvisionRefused):
        raise Refusal("provision_refused", planned.detail)
    plan, unit = planned.plan, planned.unit
    return PlanView(
        account=encode("acc", planned.account_id),
        fingerprint=planned.fingerprint,
        steps=[
            StepView(
                action=step.action,
                kind=step.kind,
                name=step.name,
                diff=list(step.diff),
                monthly=format_amount(step.monthly, unit) if _leases(step) else None,
            )
            for step in plan.steps
        ],
        text=text_of(plan, unit),
        changes=len(plan.changes),
        unit="usd" if unit == "micros" else "credits",
        monthly=format_amount(sum(step.monthly for step in plan.steps), unit),
        estimated_seconds=plan.seconds,
        warnings=list(plan.warnings),
        refusals=list(plan.refusals),
    )


def text_of(plan: Plan, unit: Unit) -> str:
    """Return the steps that do something as lines for a person."""
    lines: list[str] = []
    for step in plan.changes:
        cost = f" ({amount_text(step.monthly, unit)} a month)" if _leases(step) else ""
        lines.append(f"{_SIGNS[step.action]} {step.action} {step.kind.replace('_', ' ')} {step.name}{cost}")
        lines += [f"    {each}" for each in step.diff]
    return "\n".join(lines) or "Nothing to do: AWS is as it shall be."


def _leases(step: Step) -> bool:
    return step.action == "create" and step.kind in {"number", "sender_id"}
