"""`/v1/lookups/{number}`: what is known of a number before anything is sent to it."""

from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.refusals import Refusal
from gateway.api.v1.effective_rule import EffectiveRule, effective_rule
from gateway.api.v1.protect_views import OfChannel
from gateway.messages.last_carrier import LastCarrier, last_carrier
from tenants.countries.numbers import Number, NumberKind, parse_number
from tenants.optouts import store as opt_outs

_LOOKUP: Final = {NEEDS: "messages:send"}


class LookupView(Struct, frozen=True, kw_only=True):
    """A number, and what stands between it and a message."""

    number: str
    """E.164, as asked."""
    valid: bool
    """Whether such a number can exist; messages to others are refused with `invalid_number`."""
    fault: str | None
    """Why it cannot; null for a valid one."""
    country: str | None
    """ISO 3166-1 alpha-2; null where the number is not valid."""
    kind: NumberKind | None
    """By its country's numbering plan; `fixed_or_mobile` where the plan does not tell them apart."""
    simulator: bool
    """Whether it is one of AWS's simulator destinations: no phone rings."""
    opt_out_lists: list[str]
    """The tenant's lists on which it stands; `all` stops every message."""
    protect: EffectiveRule | None
    """Which protect rule holds for it now; null where the number is not valid."""
    carrier: LastCarrier | None
    """As the tenant's own receipts told it last; null where none ever did."""


@get(
    "/lookups/{number:str}",
    opt=_LOOKUP,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Look a number up",
    description=(
        "Country and kind by the numbering plan, the tenant's opt-outs, the protect rule in force, and the "
        "carrier that the tenant's latest receipt named. Costs nothing, asks nobody outside, and neither "
        "counts against nor reserves anything. A test key sees receipts of test messages only."
    ),
)
async def look_up_number(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    number: Annotated[str, PathParameter(description="E.164; `+` may be written as `%2B`.")],
    channel: OfChannel = "sms",
) -> LookupView:
    """Return what the gateway itself knows of a number."""
    parsed = parse_number(number)
    if not isinstance(parsed, Number):
        if parsed.code == "not_e164":
            raise Refusal.of_field("/number", "invalid_number", parsed.detail)
        return _invalid(number, parsed.detail)
    scope = request.auth
    recipient = (await desk.services.data_keys.of(scope.tenant_id)).recipient_hash(parsed.e164)
    async with desk.tenant(scope) as session:
        return LookupView(
            number=parsed.e164,
            valid=True,
            fault=None,
            country=parsed.country,
            kind=parsed.kind,
            simulator=parsed.simulator,
            opt_out_lists=await opt_outs.lists_of(scope, session, recipient),
            protect=await effective_rule(
                scope, session, parsed, recipient, channel=channel, now=desk.services.clock.now()
            ),
            carrier=await last_carrier(scope, session, recipient),
        )


def _invalid(number: str, fault: str) -> LookupView:
    return LookupView(
        number=number,
        valid=False,
        fault=fault,
        country=None,
        kind=None,
        simulator=False,
        opt_out_lists=[],
        protect=None,
        carrier=None,
    )
