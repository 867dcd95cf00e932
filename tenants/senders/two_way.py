"""Who can answer to a number, who answers STOP there, and what a STOP stops."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.models import Pool, PoolSender, Sender, TwoWaySettings

OptOuts = Literal["managed", "self_managed"]
StopScope = Literal["everything", "use_case"]
NUMBERS: Final = frozenset({"SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE"})
"""Types that a person can text; a sender id never is."""
CARRIER: Final = "carrier"


class NumbersAtAws(Struct, frozen=True, kw_only=True):
    """What is switched at AWS together: one number, or all of a pool."""

    account_id: UUID
    arn: str
    aws_pool_arn: str | None
    sender_ids: tuple[UUID, ...]


class TwoWay(Struct, frozen=True, kw_only=True):
    """A number's settings as they are in force."""

    enabled: bool
    opt_outs: str
    """`managed`, `self_managed` or `carrier`."""
    stop_scope: str
    confirmed_by: str | None


async def settings_of(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> tuple[Sender, TwoWay]:
    """
    Return a sender and how it is set.

    Raises:
        NotFound: The tenant has no such sender.
    """
    sender = await _sender(scope, session, sender_id)
    row = await session.scalar(
        select(TwoWaySettings).where(
            TwoWaySettings.tenant_id == scope.tenant_id, TwoWaySettings.sender_id == sender_id
        )
    )
    stored = None if row is None else row.opt_outs
    return sender, TwoWay(
        enabled=sender.two_way,
        opt_outs=CARRIER if sender.type == "TOLL_FREE" else stored or "managed",
        stop_scope="everything" if row is None else row.stop_scope,
        confirmed_by=None if row is None else row.confirmed_by,
    )


async def check(
    scope: TenantScope,
    session: AsyncSession,
    sender_id: UUID,
    *,
    enabled: bool,
    opt_outs: OptOuts,
    confirmed: bool,
) -> Sender:
    """
    Return the sender if it can be set so.

    Raises:
        NotFound: The tenant has no such sender.
        Conflict: No person can text it, or the carrier keeps its opt-outs.
        InvalidInput: Self-managed without two-way, or without the operator's word.
    """
    sender = await _sender(scope, session, sender_id)
    if sender.type not in NUMBERS or "sms" not in sender.channels:
        raise Conflict("two_way_not_possible", f"nobody can text a {sender.type}; opt-outs come another way")
    if opt_outs == "managed":
        return sender
    if sender.type == "TOLL_FREE":
        raise Conflict("carrier_managed", "the carriers' network answers STOP on a toll-free number")
    if not enabled:
        detail = "AWS takes self-managed opt-outs only where people can answer: set `enabled` to true"
        raise InvalidInput("/opt_outs", "two_way_not_enabled", detail)
    if not confirmed:
        detail = "AWS no longer answers HELP and STOP then: say true to take over that duty"
        raise InvalidInput("/confirm_responsibility", "not_confirmed", detail)
    return sender


async def numbers_with(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> NumbersAtAws:
    """
    Return what AWS switches together with a number.

    Raises:
        NotFound: The tenant has no such sender.
    """
    sender = await _sender(scope, session, sender_id)
    pool = await session.scalar(
        select(Pool)
        .join(PoolSender, (PoolSender.tenant_id == Pool.tenant_id) & (PoolSender.pool_id == Pool.id))
        .where(
            Pool.tenant_id == scope.tenant_id,
            PoolSender.sender_id == sender_id,
            Pool.aws_pool_arn.is_not(None),
        )
        .limit(1)
    )
    others = () if pool is None else await _numbers_in(scope, session, pool.id)
    return NumbersAtAws(
        account_id=sender.account_id,
        arn=sender.arn,
        aws_pool_arn=None if pool is None else pool.aws_pool_arn,
        sender_ids=tuple(dict.fromkeys((sender_id, *others))),
    )


async def put(
    scope: TenantScope,
    session: AsyncSession,
    sender_ids: Sequence[UUID],
    *,
    enabled: bool,
    opt_outs: OptOuts,
    stop_scope: StopScope,
    confirmed_by: str | None,
) -> None:
    """Write down what AWS has been told, for each sender that it holds for."""
    for sender_id in sender_ids:
        sender = await _sender(scope, session, sender_id)
        sender.two_way = enabled
        kept_by = CARRIER if sender.type == "TOLL_FREE" else opt_outs
        values = {"opt_outs": kept_by, "stop_scope": stop_scope, "confirmed_by": confirmed_by}
        statement = insert(TwoWaySettings).values(tenant_id=scope.tenant_id, sender_id=sender_id, **values)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=("tenant_id", "sender_id"), set_=values | {"updated_at": func.now()}
            )
        )
        detail = {"enabled": enabled, "opt_outs": kept_by, "stop_scope": stop_scope}
        subject = encode("idn", sender_id)
        await audit.append(scope, session, action="sender.two_way_set", subject=subject, detail=detail)
    await session.flush()


async def _numbers_in(scope: TenantScope, session: AsyncSession, pool_id: UUID) -> Sequence[UUID]:
    query = (
        select(Sender.id)
        .join(PoolSender, (PoolSender.tenant_id == Sender.tenant_id) & (PoolSender.sender_id == Sender.id))
        .where(Sender.tenant_id == scope.tenant_id, PoolSender.pool_id == pool_id, Sender.type.in_(NUMBERS))
    )
    return (await session.scalars(query)).all()


async def _sender(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> Sender:
    owned = Sender.tenant_id == scope.tenant_id
    found = await session.scalar(select(Sender).where(owned, Sender.id == sender_id))
    if found is None:
        raise NotFound("sender")
    return found
