"""`GET /v1/admin/numbers`: every number and sender id of an AWS account, whose it is and what it costs."""

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from gateway.api.admin.provision_plan import AccountQuery
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import query_id
from gateway.api.refusals import Refusal
from gateway.carrier.provision.plan_ports import HeldIdentity
from gateway.carrier.provision.ports import ProvisionRefused
from tenants.ids import encode


class NumberOwner(Struct, frozen=True, kw_only=True):
    """A tenant that may send from it."""

    tenant: str
    """`ten_…`"""
    name: str
    sender: str
    """`idn_…`"""
    state: str


class HeldNumber(Struct, frozen=True, kw_only=True):
    """One origination identity that the account leases."""

    value: str
    """The number, or the sender id."""
    type: str
    country: str
    arn: str
    monthly_usd: str
    """What AWS bills for it."""
    active: bool
    protected: bool
    """Whether AWS refuses to release it."""
    opt_out_list: str | None
    """Null for a sender id, which has none."""
    pooled: bool
    """Whether it is in a pool at AWS; AWS does not say so of a sender id."""
    spare: bool
    """Whether no tenant has it: it is paid for and sends nothing."""
    owners: list[NumberOwner]


@get(
    "/numbers",
    responses=refusals(*OPERATOR, "provision_refused"),
    summary="List the numbers of an AWS account",
    description=(
        "Every number and sender id that the account leases, as AWS describes them now, with the tenants "
        "that have them. Spare ones come first: name one as `value` in `provision` to give it to a tenant."
    ),
)
async def list_account_numbers(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    account: AccountQuery = None,
    limit: ShortLimit = None,
    after: After = None,
) -> Page[HeldNumber]:
    """Ask AWS, and compare with every tenant's senders."""
    account_id = None if account is None else query_id("acc", account, "/account")
    found = await desk.services.provision_desk.held(account_id)
    if isinstance(found, ProvisionRefused):
        raise Refusal("provision_refused", found.detail)
    ordered = sorted(found, key=lambda each: (bool(each.owners), each.country, each.value))
    return part_of(request, [_view(each) for each in ordered], limit, after)


def _view(held: HeldIdentity) -> HeldNumber:
    return HeldNumber(
        value=held.value,
        type=held.type,
        country=held.country,
        arn=held.arn,
        monthly_usd=held.monthly_usd,
        active=held.active,
        protected=held.protected,
        opt_out_list=held.opt_out_list,
        pooled=held.pooled,
        spare=not held.owners,
        owners=[
            NumberOwner(
                tenant=encode("ten", each.tenant_id),
                name=each.tenant_name,
                sender=encode("idn", each.sender_id),
                state=each.state,
            )
            for each in held.owners
        ],
    )
