"""
The steps of provisioning runs as they happen, each written down at once by itself.

A run holds its account's turn, which ends with its process. So one that is `running` while nobody holds the
turn was cut off; running again goes on from there.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, structs
from sqlalchemy import CheckConstraint, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from gateway.carrier.account_turns import turn_name
from gateway.db.transaction import worker_transaction
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tenants.tables import Base, Instant, JsonList

StepState = Literal["waiting", "running", "done", "failed"]
RunState = Literal["running", "done", "refused", "failed", "interrupted"]
_HELD: Final = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32 | objid::bigint) = hashtextextended(:name, 0))"
)


class RunStep(Struct, frozen=True, kw_only=True):
    """One step of a run."""

    name: str
    """Such as `opt_out_list` or `sender US:TOLL_FREE`."""
    state: StepState = "waiting"
    started_at: datetime | None = None
    ended_at: datetime | None = None


class ProvisionRunRow(Base):
    """One run of one tenant in one account."""

    __tablename__ = "provision_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'refused', 'failed', 'interrupted')", name="state"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="running")
    steps: Mapped[JsonList] = mapped_column(server_default=text("'[]'"))
    """`RunStep`s in the order in which they are taken."""
    detail: Mapped[str | None]
    """Why it was refused or failed."""
    started_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    ended_at: Mapped[datetime | None]


async def runs(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[ProvisionRunRow]:
    """Return up to `limit` runs, the newest first."""
    query = select(ProvisionRunRow).where(ProvisionRunRow.tenant_id == scope.tenant_id)
    query = query if after is None else query.where(ProvisionRunRow.id < after)
    return (await session.scalars(query.order_by(ProvisionRunRow.id.desc()).limit(limit))).all()


async def run_of(scope: TenantScope, session: AsyncSession, run_id: UUID) -> ProvisionRunRow | None:
    """Return a run of the tenant, or None."""
    return await session.get(ProvisionRunRow, (scope.tenant_id, run_id))


async def state_of(session: AsyncSession, row: ProvisionRunRow) -> RunState:
    """Return where a run stands; one whose process died is `interrupted`."""
    if row.state == "running" and not await session.scalar(_HELD, {"name": turn_name(row.account_id)}):
        return "interrupted"
    return row.state  # type: ignore[return-value] # the CHECK holds it to these


def steps_of(row: ProvisionRunRow) -> list[RunStep]:
    """Return the steps of a run."""
    return msgspec.convert(row.steps, list[RunStep])


class Progress:
    """Writes one run down; made by `begun`, while it is the run's turn at the account."""

    def __init__(self, engine: AsyncEngine, scope: TenantScope, run_id: UUID, names: Sequence[str]) -> None:
        self._engine = engine
        self._scope = scope
        self._run_id = run_id
        self._steps = [RunStep(name=name) for name in names]

    @asynccontextmanager
    async def step(self, name: str) -> AsyncGenerator[None]:
        """Show the first waiting step of this name as running, then as done, or as failed."""
        at = next(at for at, each in enumerate(self._steps) if (each.name, each.state) == (name, "waiting"))
        await self._put(at, state="running", started_at=datetime.now(UTC))
        try:
            yield
        except Exception:
            await self._put(at, state="failed", ended_at=datetime.now(UTC))
            raise
        await self._put(at, state="done", ended_at=datetime.now(UTC))

    async def end(self, state: RunState, detail: str | None = None) -> None:
        """Say how the run ended."""
        await self._write(state=state, detail=detail, ended_at=datetime.now(UTC))

    async def _put(self, at: int, **changes: object) -> None:
        self._steps[at] = structs.replace(self._steps[at], **changes)
        await self._write(steps=msgspec.to_builtins(self._steps))

    async def _write(self, **values: object) -> None:
        one = (ProvisionRunRow.tenant_id == self._scope.tenant_id) & (ProvisionRunRow.id == self._run_id)
        async with worker_transaction(self._engine) as session:
            await session.execute(update(ProvisionRunRow).where(one).values(**values))


async def begun(scope: TenantScope, engine: AsyncEngine, account_id: UUID, names: Sequence[str]) -> Progress:
    """Write a run down whose steps all wait; whoever begins holds the turn, so no other one still runs."""
    run_id = new_uuid()
    progress = Progress(engine, scope, run_id, names)
    left = (
        (ProvisionRunRow.tenant_id == scope.tenant_id)
        & (ProvisionRunRow.account_id == account_id)
        & (ProvisionRunRow.state == "running")
    )
    async with worker_transaction(engine) as session:
        await session.execute(update(ProvisionRunRow).where(left).values(state="interrupted"))
        steps = msgspec.to_builtins([RunStep(name=name) for name in names])
        session.add(ProvisionRunRow(tenant_id=scope.tenant_id, id=run_id, account_id=account_id, steps=steps))
    return progress
