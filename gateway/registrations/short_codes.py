"""Who is told of a short code: its tenant of each stage, the operator of work and of silence."""

from datetime import datetime
from typing import Final, cast

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.webhooks.announcements import announce
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.scope import TenantScope
from tenants.shortcodes.models import ShortCode
from tenants.shortcodes.stages import STAGES, StageName, is_stale

TO_DO: Final = "short_code.to_do"
STALE: Final = "short_code.stale"


class ShortCodeMoved(Struct, frozen=True, kw_only=True):
    """Data of `short_code.stage_changed`."""

    short_code_id: str
    name: str
    country: str
    previous: str
    stage: str
    owner: str
    next_action: str


async def tell(scope: TenantScope, session: AsyncSession, row: ShortCode, *, previous: str) -> None:
    """Write the event and the inbox task of a stage, in the transaction that enters it."""
    stage, subject = STAGES[_stage(row)], encode("sc", row.id)
    told = ShortCodeMoved(
        short_code_id=subject,
        name=row.name,
        country=row.country,
        previous=previous,
        stage=row.stage,
        owner=stage.owner,
        next_action=stage.next_action,
    )
    await announce(scope, session, "short_code.stage_changed", told)
    for kind in (TO_DO, STALE):
        await inbox.settle(
            session, kind=kind, subject=subject, tenant_id=scope.tenant_id, note=f"it is {row.stage} now"
        )
    if stage.owner == "operator":
        task = inbox.Task(
            kind=TO_DO,
            subject=subject,
            summary=f"Short code {row.name} ({row.country}): {stage.next_action}",
            tenant_id=scope.tenant_id,
            detail={"stage": row.stage, "support_case": row.support_case},
        )
        await inbox.post(session, task)


class ShortCodeWatch:
    """Tells the operator of stages that last too long; any number of processes may look."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def look(self) -> int:
        """Post what is stale; returns how many were told of."""
        now, told = self._clock.now(), 0
        waiting = select(ShortCode).where(ShortCode.stage != "active").with_for_update(skip_locked=True)
        async with worker_transaction(self._engine) as session:
            for row in await session.scalars(waiting):
                if is_stale(_stage(row), since=row.stage_since, told_at=row.stale_told_at, now=now):
                    row.stale_told_at = now
                    await _alarm(session, row, now)
                    told += 1
        return told


async def _alarm(session: AsyncSession, row: ShortCode, now: datetime) -> None:
    stage, days = STAGES[_stage(row)], (now - row.stage_since).days
    text = (
        f"Case {row.support_case or '(number unknown)'}: the short code for {row.name} in {row.country} has "
        f"been in the stage {row.stage} for {days} days. Please tell us who has it and what is missing."
    )
    task = inbox.Task(
        kind=STALE,
        subject=encode("sc", row.id),
        summary=f"Short code {row.name} ({row.country}) has been {row.stage} for {days} days.",
        tenant_id=row.tenant_id,
        detail={"support_text": text, "owner": stage.owner, "stage": row.stage},
    )
    await inbox.post(session, task)


def _stage(row: ShortCode) -> StageName:
    return cast("StageName", row.stage)
