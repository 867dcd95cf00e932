"""Whose the origination identities of an AWS account are."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.scope import TenantScope
from tenants.senders.models import Sender, TwoWaySettings

_SELF_MANAGED = "self_managed"
_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('sender ' || :arn, 0))")


class Owner(Struct, frozen=True, kw_only=True):
    """The tenant that an identity belongs to."""

    tenant_id: UUID
    tenant_name: str
    sender_id: UUID
    state: str


async def owners(session: AsyncSession, account_id: UUID) -> Mapping[str, tuple[Owner, ...]]:
    """
    Return who has what in an account, by ARN; released ones are nobody's. Needs a worker's session.

    One identity may serve several tenants, where the operator wished for it by its value.
    """
    query = (
        select(Sender, Tenant.name)
        .join(Tenant, Tenant.id == Sender.tenant_id)
        .where(Sender.account_id == account_id, Sender.state != "released")
    )
    found: dict[str, tuple[Owner, ...]] = {}
    for sender, name in (await session.execute(query.order_by(Sender.id))).all():
        owner = Owner(tenant_id=sender.tenant_id, tenant_name=name, sender_id=sender.id, state=sender.state)
        found[sender.arn] = (*found.get(sender.arn, ()), owner)
    return found


async def take_turns(session: AsyncSession, arn: str) -> None:
    """Let whoever else asks whose an identity is wait for this transaction's end."""
    await session.execute(_TAKE_TURNS, {"arn": arn})


async def note_opt_out_list(
    scope: TenantScope, session: AsyncSession, arns: Collection[str], name: str
) -> None:
    """Write down the list that AWS now stops the recipients of these numbers on."""
    ours = (Sender.tenant_id == scope.tenant_id) & Sender.arn.in_(arns) & (Sender.type != "SENDER_ID")
    await session.execute(update(Sender).where(ours).values(opt_out_list=name))


async def self_managed(scope: TenantScope, session: AsyncSession) -> frozenset[UUID]:
    """Return the tenant's senders whose opt-outs the gateway answers instead of AWS."""
    query = select(TwoWaySettings.sender_id).where(
        TwoWaySettings.tenant_id == scope.tenant_id, TwoWaySettings.opt_outs == _SELF_MANAGED
    )
    return frozenset((await session.scalars(query)).all())
