"""Which protect rule holds for a number now: one judgement, shown by two routes."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.countries.numbers import Number
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.optouts import lists
from tenants.optouts import store as opt_outs
from tenants.protection import overrides, service, store
from tenants.protection.precedence import Channel, CountryStatus, Origin, RuleName, in_force, judge
from tenants.scope import TenantScope


class EffectiveRule(Struct, frozen=True, kw_only=True):
    """What holds for one number now, and why."""

    number: str
    country: str
    channel: Channel
    status: CountryStatus
    """BLOCK: refused here. MONITOR and FILTER: AWS watches, or blocks what it takes for pumping."""
    rule: RuleName
    """Which rule says so; `country_not_named`: none does, and the country is on the allowlist."""
    origin: Origin
    """Why this configuration decides: `request` is the one named in the query."""
    configuration: str | None
    configuration_name: str | None
    expires_at: str | None
    """When the override that decides is over."""


async def effective_rule(
    scope: TenantScope,
    session: AsyncSession,
    number: Number,
    recipient_hash: bytes,
    *,
    channel: Channel,
    now: datetime,
    named: UUID | None = None,
    account_id: UUID | None = None,
) -> EffectiveRule:
    """
    Judge a number as admission would.

    Raises:
        NotFound: The tenant has no configuration `named`.
    """
    tenant = await accounts.get(scope, session)
    known = await service.protection(scope, session)
    if named is not None and named not in known.configurations:
        raise NotFound("protect configuration")
    found = in_force(known, named=named, account_id=account_id)
    holder = found.configuration
    row = None if holder is None else await store.override(scope, session, holder.id, recipient_hash)
    override = None if row is None else overrides.plain(row)
    judgement = judge(
        holder,
        country=number.country,
        channel=channel,
        declared=number.country in tenant.countries,
        override=override,
        opted_out=lists.EVERYTHING in await opt_outs.lists_of(scope, session, recipient_hash),
        now=now,
    )
    by_override = override is not None and judgement.rule == "number_override"
    return EffectiveRule(
        number=number.e164,
        country=number.country,
        channel=channel,
        status=judgement.status,
        rule=judgement.rule,
        origin=found.origin,
        configuration=None if holder is None else encode("prc", holder.id),
        configuration_name=None if holder is None else holder.name,
        expires_at=timestamp(override.expires_at) if by_override and override else None,
    )
