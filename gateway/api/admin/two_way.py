"""`/v1/admin/tenants/{id}/senders/{id}/two-way`: whether people can answer, and who answers STOP."""

from typing import Final

from litestar import put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.refusals import Refusal
from gateway.api.v1.two_way import TwoWayView, two_way_view
from gateway.carrier.provision.ports import ProvisionRefused
from tenants.audit import store as audit
from tenants.keywords import service as keywords
from tenants.senders import two_way
from tenants.senders.two_way import OptOuts, StopScope

_KIND: Final = "sender"


class TwoWayBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a number is to be set; at AWS a pool's numbers are set together."""

    enabled: bool
    """Whether people can text the number, and what they write comes here."""
    opt_outs: OptOuts = "managed"
    """`managed`: AWS answers STOP and HELP, with its texts. `self_managed`: the gateway does, with yours."""
    stop_scope: StopScope = "everything"
    """`use_case`: a STOP to this number stops only the message types that it carries."""
    confirm_responsibility: bool = False
    """Has to be true for `self_managed`: HELP and STOP are then yours to answer and to honour."""


@put(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}/two-way",
    responses=refusals(
        *OPERATOR,
        *WITH_BODY,
        "not_found",
        "two_way_not_possible",
        "carrier_managed",
        "provision_refused",
    ),
    summary="Let people answer to a number",
    description=(
        "Checks that the number can be texted, lets AWS publish to the account's topic what people write, "
        "and turns it on. A number in an AWS pool is set with all of the pool."
    ),
)
async def set_two_way(
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[TwoWayBody],
    desk: NamedDependency[Desk],
) -> TwoWayView:
    """Switch at AWS first, then write it down; no transaction is open meanwhile."""
    scope, wanted = named_tenant(tenant_id), path_id("idn", sender_id, _KIND)
    async with desk.operator() as session:
        await two_way.check(
            scope,
            session,
            wanted,
            enabled=data.enabled,
            opt_outs=data.opt_outs,
            confirmed=data.confirm_responsibility,
        )
    self_managed = data.opt_outs == "self_managed"
    set_now = await desk.services.two_way.set_two_way(
        scope, wanted, enabled=data.enabled, self_managed=self_managed
    )
    if isinstance(set_now, ProvisionRefused):
        raise Refusal("provision_refused", set_now.detail)
    async with desk.operator() as session:
        await two_way.put(
            scope,
            session,
            set_now,
            enabled=data.enabled,
            opt_outs=data.opt_outs,
            stop_scope=data.stop_scope,
            confirmed_by=audit.actor(scope) if self_managed else None,
        )
        sender, setting = await two_way.settings_of(scope, session, wanted)
        vocabulary = await keywords.vocabulary(scope, session)
    await desk.services.policy_changed(scope.tenant_id)
    return two_way_view(sender, setting, vocabulary)
