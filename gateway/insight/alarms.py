"""
What a tenant, or the operator for it, does with alarms; the scope comes first.

Alarms of `PLATFORM` are the operator's own and watch all tenants together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight.hysteresis import Against
from gateway.insight.metrics import DIRECTIONS, Watched
from gateway.insight.models import Alarm
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode, new_uuid
from tenants.inbox import service as inbox
from tenants.scope import TenantScope

MOST: Final = 100
"""Alarms of one tenant; each is measured at least every ten minutes."""
LONGEST_WINDOW_S: Final = 3600
"""Of throttles, whose counts are kept for an hour, and of all tenants, whose messages are many."""
INBOX_KIND: Final = "alarm.raised"
_GAP: Final = 0.1
"""Between the two thresholds where only one is given: a tenth of it."""


class Setting(Struct, frozen=True, kw_only=True):
    """What an alarm watches and when it is raised."""

    name: str
    metric: Watched
    country: str | None
    type: str | None
    against: Against
    raise_at: float
    clear_at: float | None
    window_s: int
    minimum: int
    rounds_to_raise: int
    rounds_to_clear: int
    after_s: int | None


async def create(scope: TenantScope, session: AsyncSession, setting: Setting) -> Alarm:
    """
    Add an alarm; it is judged within seconds.

    Raises:
        InvalidInput: The thresholds do not make sense.
        Conflict: The name is taken, or there are as many alarms as there may be.
    """
    _check_measurable(scope, setting)
    clear_at = checked_clear_at(setting)
    if await _count(scope, session) >= MOST:
        raise Conflict("too_many_alarms", f"There are {MOST} alarms: delete one first.")
    if await _named(scope, session, setting.name) is not None:
        raise Conflict("name_taken", "Another alarm has this name.")
    alarm = Alarm(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        name=setting.name,
        metric=setting.metric,
        country=setting.country,
        type=setting.type,
        against=setting.against,
        raise_at=setting.raise_at,
        clear_at=clear_at,
        window_s=setting.window_s,
        minimum=setting.minimum,
        rounds_to_raise=setting.rounds_to_raise,
        rounds_to_clear=setting.rounds_to_clear,
        after_s=setting.after_s,
    )
    session.add(alarm)
    await session.flush()
    await session.refresh(alarm)
    await _note(scope, session, "alarm.created", alarm)
    return alarm


async def get(scope: TenantScope, session: AsyncSession, alarm_id: UUID, *, lock: bool = False) -> Alarm:
    """
    Return an alarm.

    Raises:
        NotFound: There is none, or it is someone else's.
    """
    query = select(Alarm).where(Alarm.tenant_id == scope.tenant_id, Alarm.id == alarm_id)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("alarm")
    return found


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Alarm]:
    """Return up to `limit` alarms, the newest first."""
    query = select(Alarm).where(Alarm.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Alarm.id < after)
    return (await session.scalars(query.order_by(Alarm.id.desc()).limit(limit))).all()


async def switch(
    scope: TenantScope, session: AsyncSession, alarm_id: UUID, *, enabled: bool, now: datetime
) -> Alarm:
    """Put an alarm out of use or back into it; one that is out of use is not raised."""
    alarm = await get(scope, session, alarm_id, lock=True)
    if alarm.enabled != enabled:
        if not enabled:
            await _stand_down(session, alarm, "The alarm was switched off.")
        alarm.enabled, alarm.due_at = enabled, now
        await session.flush()
        await _note(scope, session, "alarm.enabled" if enabled else "alarm.disabled", alarm)
    return alarm


async def delete(scope: TenantScope, session: AsyncSession, alarm_id: UUID) -> None:
    """Delete an alarm and what it had to say."""
    alarm = await get(scope, session, alarm_id, lock=True)
    await _stand_down(session, alarm, "The alarm was deleted.")
    await _note(scope, session, "alarm.deleted", alarm)
    await session.delete(alarm)
    await session.flush()


def checked_clear_at(setting: Setting) -> float:
    """
    Return where the alarm is cleared: what was said, or a tenth on the good side of where it is raised.

    Raises:
        InvalidInput: It would be cleared where it is still raised, or never.
    """
    below = DIRECTIONS[setting.metric] == "below" and setting.against == "static"
    if setting.metric != "spend_pace" and not 0 <= setting.raise_at <= 1:
        raise InvalidInput("/raise_at", "invalid_threshold", "A share is between 0 and 1.")
    if setting.clear_at is None:
        moved = setting.raise_at * (1 + _GAP if below else 1 - _GAP)
        return min(moved, max(setting.raise_at, 1.0)) if below else moved
    wrong = setting.clear_at < setting.raise_at if below else setting.clear_at > setting.raise_at
    if wrong or setting.clear_at < 0 or (below and setting.clear_at > 1):
        side = "not below" if below else "not above"
        raise InvalidInput(
            "/clear_at", "invalid_threshold", f"`clear_at` is {side} `raise_at`, and reachable."
        )
    return setting.clear_at


def _check_measurable(scope: TenantScope, setting: Setting) -> None:
    throttles, of_all = setting.metric == "throttle_rate", scope.tenant_id == inbox.PLATFORM
    if throttles and (setting.country or setting.type):
        field = "/country" if setting.country else "/type"
        raise InvalidInput(field, "not_measured", "Throttled calls are counted for all messages together.")
    if of_all and setting.metric == "spend_pace":
        detail = "Tenants pay in dollars or in credits: watch all of them by a budget in /v1/admin/budgets."
        raise InvalidInput("/metric", "not_measured", detail)
    if (throttles or of_all) and setting.against != "static":
        raise InvalidInput("/against", "no_baseline", "There is no baseline for this: give fixed thresholds.")
    if (throttles or of_all) and setting.window_s > LONGEST_WINDOW_S:
        detail = f"This is measured over {LONGEST_WINDOW_S} seconds at most."
        raise InvalidInput("/window_seconds", "too_long", detail)


async def _stand_down(session: AsyncSession, alarm: Alarm, note: str) -> None:
    if alarm.raised:
        await inbox.settle(
            session,
            kind=INBOX_KIND,
            subject=encode("alm", alarm.id),
            tenant_id=alarm.tenant_id,
            note=note,
        )
    alarm.raised, alarm.streak = False, 0


async def _count(scope: TenantScope, session: AsyncSession) -> int:
    query = select(func.count()).select_from(Alarm).where(Alarm.tenant_id == scope.tenant_id)
    return await session.scalar(query) or 0


async def _named(scope: TenantScope, session: AsyncSession, name: str) -> UUID | None:
    return await session.scalar(
        select(Alarm.id).where(Alarm.tenant_id == scope.tenant_id, Alarm.name == name)
    )


async def _note(scope: TenantScope, session: AsyncSession, action: str, alarm: Alarm) -> None:
    await audit.append(
        scope,
        session,
        action=action,
        subject=encode("alm", alarm.id),
        detail={"name": alarm.name, "metric": alarm.metric},
    )
