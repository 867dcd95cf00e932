"""What an operator does to senders and routes by hand, and what they see of their health."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import and_, delete, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.routing.health import HOLD, WINDOW, IllState, Tally
from gateway.routing.models import HealthRow, HealthTally, RelaneOrder
from tenants.accounts.models import Tenant
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount, Sender, TenantRoute

_HOLD_S: Final = round(HOLD.total_seconds())
MOVED: Final = "it is in another AWS account now"
"""The reason of an order for a sender that goes on sending, but not by the account that messages wait for."""
OFF_ROUTE: Final = "its AWS account or its shared routes are not its tenant's any more"
"""The reason of an order for a sender that nobody has put away, but by which nothing may leave now."""

_LISTED: Final = select(TenantRoute.account_id).where(TenantRoute.tenant_id == Sender.tenant_id)
_OFF: Final = or_(
    AwsAccount.owner_id != Sender.tenant_id,
    and_(_LISTED.exists(), not_(_LISTED.where(TenantRoute.account_id == Sender.account_id).exists())),
    and_(
        Sender.type == "SHARED",
        not_(and_(AwsAccount.shared_routes, Tenant.plan.contains({"shared_routes": True}))),
    ),
)
"""Whether nothing of its tenant's may leave by a sender; `candidates.route_fault` says so of one message."""
_OFF_ROUTE: Final = (
    select(Sender.tenant_id, Sender.id)
    .join(AwsAccount, AwsAccount.id == Sender.account_id)
    .join(Tenant, Tenant.id == Sender.tenant_id)
    .where(_OFF)
)


class Standing(Struct, frozen=True, kw_only=True):
    """How a sender or a route stands."""

    subject_id: UUID
    state: str
    reason: str
    since: datetime | None
    calls: Tally
    """Of the last minute."""


async def leave_sender(
    scope: TenantScope, session: AsyncSession, sender_id: UUID, *, reason: str, now: datetime
) -> None:
    """Let no process use the sender any more, and have its queued messages moved."""
    await _found_ill(session, sender_id, "sender", "disabled", reason=reason, now=now)
    await _order(session, [{"tenant_id": scope.tenant_id, "sender_id": sender_id, "reason": reason}])


async def follow_sender(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> None:
    """Have what waits for a sender at another AWS account than its own now moved to where it is."""
    await _order(session, [{"tenant_id": scope.tenant_id, "sender_id": sender_id, "reason": MOVED}])


async def follow_routes(scope: TenantScope, session: AsyncSession) -> None:
    """Have what waits for senders by which nothing of the tenant's may leave now moved to others."""
    off = await session.execute(_OFF_ROUTE.where(Sender.tenant_id == scope.tenant_id))
    await _order(session, [{"tenant_id": row[0], "sender_id": row[1], "reason": OFF_ROUTE} for row in off])


async def follow_account(session: AsyncSession, account_id: UUID) -> None:
    """Have what waits for senders of an account moved whose tenants may not send by them now."""
    off = await session.execute(_OFF_ROUTE.where(Sender.account_id == account_id))
    await _order(session, [{"tenant_id": row[0], "sender_id": row[1], "reason": OFF_ROUTE} for row in off])


async def return_to_sender(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> None:
    """Take back what was said against the sender."""
    await session.execute(delete(HealthRow).where(HealthRow.subject_id == sender_id))
    mine = (RelaneOrder.tenant_id == scope.tenant_id, RelaneOrder.sender_id == sender_id)
    await session.execute(delete(RelaneOrder).where(*mine))


async def leave_route(session: AsyncSession, account_id: UUID, *, reason: str, now: datetime) -> None:
    """Let no message leave by the account any more, and have those that wait for it moved."""
    await _found_ill(session, account_id, "route", "disabled", reason=reason, now=now)
    carried = select(Sender.tenant_id, Sender.id).where(
        Sender.account_id == account_id, Sender.state == "active"
    )
    rows = [
        {"tenant_id": row[0], "sender_id": row[1], "reason": reason} for row in await session.execute(carried)
    ]
    await _order(session, rows)


async def degrade_route(session: AsyncSession, account_id: UUID, *, reason: str, now: datetime) -> None:
    """Let other routes go first, until probes find this one well; where there is no other, it goes on."""
    await _found_ill(session, account_id, "route", "unhealthy", reason=reason, now=now)


async def return_to_route(session: AsyncSession, account_id: UUID) -> None:
    """Let messages leave by the account again; the orders to leave it end."""
    await session.execute(delete(HealthRow).where(HealthRow.subject_id == account_id))
    carried = select(Sender.id).where(Sender.account_id == account_id)
    await session.execute(delete(RelaneOrder).where(RelaneOrder.sender_id.in_(carried)))


async def routes(session: AsyncSession, now: datetime) -> list[tuple[AwsAccount, Standing]]:
    """Return every account and how it stands."""
    accounts = (await session.scalars(select(AwsAccount).order_by(AwsAccount.id))).all()
    found = await _standings(session, [account.id for account in accounts], now)
    return [(account, found[account.id]) for account in accounts]


async def ill_senders(session: AsyncSession, now: datetime) -> list[tuple[Sender, Standing]]:
    """Return every sender, of whatever tenant, that is not healthy."""
    query = (
        select(Sender)
        .join(HealthRow, HealthRow.subject_id == Sender.id)
        .where(HealthRow.state != "healthy")
        .order_by(Sender.id)
    )
    senders = (await session.scalars(query)).all()
    found = await _standings(session, [sender.id for sender in senders], now)
    return [(sender, found[sender.id]) for sender in senders]


async def _standings(session: AsyncSession, subjects: Sequence[UUID], now: datetime) -> dict[UUID, Standing]:
    states = await session.scalars(select(HealthRow).where(HealthRow.subject_id.in_(subjects)))
    known = {row.subject_id: row for row in states}
    names = Tally.__struct_fields__
    sums = [func.coalesce(func.sum(getattr(HealthTally, name)), 0) for name in names]
    query = (
        select(HealthTally.subject_id, *sums)
        .where(HealthTally.subject_id.in_(subjects), HealthTally.at >= now - WINDOW)
        .group_by(HealthTally.subject_id)
    )
    calls = {row[0]: Tally(**dict(zip(names, row[1:], strict=True))) for row in await session.execute(query)}
    return {each: _standing(each, known.get(each), calls.get(each, Tally())) for each in subjects}


def _standing(subject: UUID, row: HealthRow | None, calls: Tally) -> Standing:
    return Standing(
        subject_id=subject,
        state="healthy" if row is None else row.state,
        reason="" if row is None else row.reason,
        since=None if row is None else row.since,
        calls=calls,
    )


async def _found_ill(
    session: AsyncSession, subject: UUID, kind: str, state: IllState, *, reason: str, now: datetime
) -> None:
    row: dict[str, Any] = {
        "subject_id": subject,
        "kind": kind,
        "state": state,
        "reason": reason,
        "since": now,
        "hold_seconds": _HOLD_S,
    }
    statement = insert(HealthRow).values(row)
    changes = {name: statement.excluded[name] for name in row if name != "subject_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["subject_id"], set_=changes))


async def _order(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """An order that is there already begins anew: what was looked at before may have come back."""
    if not rows:
        return
    statement = insert(RelaneOrder).values(list(rows))
    again = {"reason": statement.excluded.reason, "created_at": func.now(), "done_up_to": None}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "sender_id"], set_=again)
    )
