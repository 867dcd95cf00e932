"""
Judges the alarms that are due: measure, compare, and tell whoever must know, in one transaction each.

What an alarm says goes to the tenant's webhooks and feed, to the operator's inbox, to the log and to the
metrics; the inbox's task closes when the alarm is cleared. What watches all tenants is told to the operator's
own webhooks instead.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.insight import baseline
from gateway.insight.alarms import INBOX_KIND
from gateway.insight.baseline import Usual
from gateway.insight.history import history
from gateway.insight.hysteresis import Against, Change, Standing, Terms, judge, limits
from gateway.insight.measuring import Window, measure, overdue_after
from gateway.insight.metrics import DIRECTIONS, Reading, Watched
from gateway.insight.models import Alarm
from gateway.messages.view import timestamp
from gateway.telemetry.metrics import ALARM_CHANGES
from gateway.webhooks.announcements import announce
from gateway.webhooks.event_types import EventType
from tenants.accounts.models import Tenant
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.inbox.service import Task
from tenants.scope import TenantScope

SILENT_FOR: Final = timedelta(days=1)
"""An alarm that has seen too few messages for this long is cleared: nothing is left to alarm about."""
_SOONEST: Final = timedelta(seconds=30)
_LATEST: Final = timedelta(minutes=10)
_ROUNDS_IN_A_WINDOW: Final = 10
_CAME_BACK: Final = "The figure came back."
_SILENT: Final = "For a day there was nothing to judge it by: too few messages, or no history."
_log = structlog.get_logger(__name__)


class AlarmChanged(Struct, frozen=True, kw_only=True):
    """Data of `alarm.raised` and `alarm.cleared`."""

    id: str
    name: str
    metric: str
    country: str | None
    """Null for all together."""
    message_type: str | None
    against: str
    """`static` or `baseline`."""
    value: float | None
    """A share, or dollars or credits an hour; null where too few messages are left to tell."""
    limit: float | None
    """Beyond which the alarm is raised; against a baseline, what it came to."""
    usual: float | None
    """The baseline's median."""
    window_seconds: int
    messages: int
    """Behind the value; of `throttle_rate`, calls."""
    at: str


class Judged(Struct, frozen=True, kw_only=True):
    """What one round made of an alarm."""

    standing: Standing
    change: Change | None
    found: Reading
    limit: float | None
    usual: Usual | None
    measured: bool
    """Whether there were messages enough, and a baseline where one is needed."""


class AlarmWatch:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def look(self) -> int:
        """Judge every alarm that is due now, the one that waits longest first; returns how many."""
        began, judged, broken = self._clock.now(), 0, set[UUID]()
        while (alarm_id := await self._next(began, broken)) is not None:
            judged += alarm_id not in broken
        return judged

    async def _next(self, began: datetime, broken: set[UUID]) -> UUID | None:
        """Judge one; what nobody foresaw of it must not keep the others from their turns."""
        async with worker_transaction(self._engine) as session:
            alarm = await _due(session, began, but=broken)
            if alarm is None:
                return None
            alarm_id = alarm.id
            try:
                async with session.begin_nested():
                    await self._round(session, alarm, now=self._clock.now())
            except DATABASE_FAULTS:
                raise
            except Exception:  # noqa: BLE001 - logged; it comes again in the next round
                broken.add(alarm_id)
                _log.exception("alarm_not_judged", alarm_id=encode("alm", alarm_id))
        return alarm_id

    async def _round(self, session: AsyncSession, alarm: Alarm, *, now: datetime) -> None:
        judged = await _judged(session, alarm, now=now)
        alarm.raised, alarm.streak = judged.standing.raised, judged.standing.streak
        alarm.judged_at = now
        alarm.due_at = now + next_round(timedelta(seconds=alarm.window_s))
        alarm.usual = None if judged.usual is None else judged.usual.median
        alarm.value = judged.found.value if judged.measured else None
        if judged.measured:
            alarm.measured_at = now
        if judged.change is not None:
            alarm.changed_at = now
            await self._tell(session, alarm, judged, judged.change, now=now)
        await session.flush()

    async def _tell(
        self, session: AsyncSession, alarm: Alarm, judged: Judged, change: Change, *, now: datetime
    ) -> None:
        data = _changed(alarm, judged, now)
        event_type: EventType = "alarm.raised" if change == "raised" else "alarm.cleared"
        await announce(TenantScope(tenant_id=alarm.tenant_id), session, event_type, data)
        if change == "raised":
            await inbox.post(session, _task(alarm, data))
        else:
            await inbox.settle(
                session,
                kind=INBOX_KIND,
                subject=data.id,
                tenant_id=alarm.tenant_id,
                note=_CAME_BACK if judged.measured else _SILENT,
            )
        ALARM_CHANGES.labels(alarm.metric, change).inc()
        _log.warning(
            f"alarm_{change}",
            tenant_id=None if alarm.tenant_id == inbox.PLATFORM else encode("ten", alarm.tenant_id),
            alarm_id=data.id,
            metric=alarm.metric,
            country=alarm.country,
            value=data.value,
            limit=data.limit,
        )


async def _due(session: AsyncSession, now: datetime, *, but: Collection[UUID]) -> Alarm | None:
    at_work = or_(Tenant.state != "closed", Alarm.tenant_id == inbox.PLATFORM)
    query = (
        select(Alarm)
        .outerjoin(Tenant, Tenant.id == Alarm.tenant_id)
        .where(Alarm.enabled, Alarm.due_at <= now, at_work, Alarm.id.not_in(but))
        .order_by(Alarm.due_at)
        .limit(1)
        .with_for_update(of=Alarm, skip_locked=True)
    )
    return await session.scalar(query)


def next_round(window: timedelta) -> timedelta:
    """Return when to look again: ten times in a window, every half minute at the most."""
    return min(max(_SOONEST, window / _ROUNDS_IN_A_WINDOW), _LATEST)


async def _judged(session: AsyncSession, alarm: Alarm, *, now: datetime) -> Judged:
    scope = TenantScope(tenant_id=alarm.tenant_id)
    metric, against = cast("Watched", alarm.metric), cast("Against", alarm.against)
    hours = (
        await history(
            scope,
            session,
            now=now,
            country=alarm.country,
            type_=alarm.type,
            apart=False,
            of_unit=metric == "spend_pace",
        )
        if scope.tenant_id != inbox.PLATFORM and (against == "baseline" or metric == "pending_rate")
        else []
    )
    window = Window(
        country=alarm.country,
        type=alarm.type,
        length=timedelta(seconds=alarm.window_s),
        overdue_after=overdue_after(baseline.usual_receipt_s(hours, at=now), fixed_s=alarm.after_s),
    )
    found = await measure(scope, session, metric, window, now=now)
    usual = (
        baseline.usual(metric, hours, at=now) if against == "baseline" and metric != "throttle_rate" else None
    )
    bounds = limits(metric, against, usual, raise_at=alarm.raise_at, clear_at=alarm.clear_at)
    standing = Standing(alarm.raised, alarm.streak)
    if bounds is None or found.of < alarm.minimum:
        silent = alarm.raised and now - (alarm.measured_at or alarm.created_at) >= SILENT_FOR
        return Judged(
            standing=Standing() if silent else standing,
            change="cleared" if silent else None,
            found=found,
            limit=None if bounds is None else bounds[0],
            usual=usual,
            measured=False,
        )
    terms = Terms(
        direction=DIRECTIONS[metric],
        raise_at=bounds[0],
        clear_at=bounds[1],
        rounds_to_raise=alarm.rounds_to_raise,
        rounds_to_clear=alarm.rounds_to_clear,
    )
    after, change = judge(standing, found.value, terms)
    return Judged(standing=after, change=change, found=found, limit=bounds[0], usual=usual, measured=True)


def _changed(alarm: Alarm, judged: Judged, now: datetime) -> AlarmChanged:
    return AlarmChanged(
        id=encode("alm", alarm.id),
        name=alarm.name,
        metric=alarm.metric,
        country=alarm.country,
        message_type=alarm.type,
        against=alarm.against,
        value=round(judged.found.value, 6) if judged.measured else None,
        limit=None if judged.limit is None else round(judged.limit, 6),
        usual=None if judged.usual is None else round(judged.usual.median, 6),
        window_seconds=alarm.window_s,
        messages=judged.found.of,
        at=timestamp(now) or "",
    )


def _task(alarm: Alarm, data: AlarmChanged) -> Task:
    where = " ".join(part for part in (alarm.country, alarm.type) if part) or "all traffic"
    return Task(
        kind=INBOX_KIND,
        subject=data.id,
        tenant_id=alarm.tenant_id,
        summary=f"{alarm.name}: {alarm.metric} of {where} is {data.value}, beyond {data.limit}.",
        detail=msgspec.to_builtins(data),
    )
