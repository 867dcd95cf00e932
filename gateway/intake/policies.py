"""
Tenants' snapshots in memory, kept true in three ways, any one of which is enough.

A NOTIFY from the transaction that changed a tenant throws its snapshot away and projects the new policy to
Redis; the admission script compares versions on every send and names a snapshot that is behind; and a
snapshot is never used for longer than its age limit. So a change is in force everywhere within a second of
its commit, and a process that missed the notice finds out from its next send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import structlog

from gateway.admission.gate import AdmissionGate
from gateway.admission.projection import Recipients
from gateway.admission.pumping import HeldPrefix, Hold, Watched
from gateway.clock import Clock
from gateway.intake.snapshot import TenantSnapshot, policy_of
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from tenants.errors import NotFound
from tenants.protection.precedence import Override, OverrideAction, holds

_log = structlog.get_logger(__name__)

ReadSnapshot = Callable[[UUID], Coroutine[Any, Any, TenantSnapshot]]
ReadRecipients = Callable[[UUID], Awaitable[Mapping[str, Recipients]]]
ReadListsOf = Callable[[UUID, bytes], Awaitable[frozenset[str]]]
"""The names of the tenant's opt-out lists on which a recipient stands."""
ReadOverride = Callable[[UUID, UUID, bytes], Awaitable[Override | None]]
"""What one of the tenant's protect configurations says of a recipient, expired or not."""


class ReadHolds(Protocol):
    """Reads what is held for suspected pumping."""

    async def __call__(
        self, tenant_id: UUID, *, prefixes: Collection[str] | None = None
    ) -> Sequence[HeldPrefix]:
        """Return the holds of some prefixes, or all, that have not ended."""
        ...


MAX_AGE_S = 30.0
_FILLED_WITHIN_S = 1.0
"""A tenant's list of a million opt-outs takes longer; its sends are then judged by Postgres meanwhile."""
_MOST = 20_000


class Policies:
    """Snapshots by tenant; reading one is single flight."""

    def __init__(
        self,
        *,
        read: ReadSnapshot,
        read_recipients: ReadRecipients,
        read_lists_of: ReadListsOf,
        read_override: ReadOverride,
        read_holds: ReadHolds,
        gate: AdmissionGate,
        clock: Clock,
    ) -> None:
        self._read = read
        self._read_recipients = read_recipients
        self._read_lists_of = read_lists_of
        self._read_override = read_override
        self._read_holds = read_holds
        self._gate = gate
        self._clock = clock
        self._snapshots: dict[UUID, TenantSnapshot] = {}
        self._reading: dict[UUID, asyncio.Task[TenantSnapshot]] = {}
        self._filling: dict[UUID, asyncio.Task[bool]] = {}
        self._owed: set[UUID] = set()

    async def of(self, tenant_id: UUID) -> TenantSnapshot:
        """
        Return the tenant's snapshot, from memory where it is young enough.

        Raises:
            NotFound: There is no such tenant.
        """
        snapshot = self._snapshots.get(tenant_id)
        if snapshot is not None and (self._clock.now() - snapshot.read_at).total_seconds() < MAX_AGE_S:
            return snapshot
        return await self.reload(tenant_id)

    async def reload(self, tenant_id: UUID) -> TenantSnapshot:
        """Read the tenant again; callers that come while a read is under way share it."""
        task = self._reading.get(tenant_id)
        if task is None:
            task = self._reading[tenant_id] = asyncio.create_task(self._read(tenant_id))
            task.add_done_callback(lambda done: self._read_done(tenant_id, done))
        return self._keep(await asyncio.shield(task))

    def _read_done(self, tenant_id: UUID, task: asyncio.Task[TenantSnapshot]) -> None:
        """Mark a failure as seen: those who wait get it, and where nobody waits it is no news."""
        if self._reading.get(tenant_id) is task:
            del self._reading[tenant_id]
        if not task.cancelled():
            task.exception()

    def _keep(self, snapshot: TenantSnapshot) -> TenantSnapshot:
        """Keep the newer of two: a read that began before a change may end after the one that saw it."""
        known = self._snapshots.get(snapshot.tenant_id)
        if known is not None and known.version > snapshot.version:
            return known
        if len(self._snapshots) >= _MOST:
            self._snapshots.clear()
        self._snapshots[snapshot.tenant_id] = snapshot
        return snapshot

    def _forget(self, tenant_id: UUID) -> None:
        """Throw away what is known and what is being read: both may be from before the change."""
        self._snapshots.pop(tenant_id, None)
        self._reading.pop(tenant_id, None)

    async def project(self, tenant_id: UUID, *, opt_outs: bool) -> bool:
        """
        Write the tenant's newest policy to Redis; with `opt_outs` also every recipient
        who said STOP, every number override, and what is held for pumping.

        False where a newer one is there, or another process is replacing the opt-outs at this moment.

        Raises:
            RedisUnavailable: Redis did not take it.
        """
        self._forget(tenant_id)
        snapshot = await self.reload(tenant_id)
        if not opt_outs:
            return await self._gate.project(policy_of(snapshot))
        holds = await self._read_holds(tenant_id)
        return await self._gate.project(
            policy_of(snapshot), lambda: self._read_recipients(tenant_id), holds=holds
        )

    async def fill(self, tenant_id: UUID) -> bool:
        """
        Project all of a tenant that Redis does not know; those who come meanwhile share it.

        Its rates stand in Redis, so whoever went on without it would count towards none of them. False where
        it takes long, or another process is at it.

        Raises:
            RedisUnavailable: Redis did not take it.
        """
        task = self._filling.get(tenant_id)
        if task is None:
            task = self._filling[tenant_id] = asyncio.create_task(self.project(tenant_id, opt_outs=True))
            task.add_done_callback(lambda done: self._filled(tenant_id, done))
        try:
            async with asyncio.timeout(_FILLED_WITHIN_S):
                return await asyncio.shield(task)
        except TimeoutError:
            return False

    def _filled(self, tenant_id: UUID, task: asyncio.Task[bool]) -> None:
        """Mark a failure as seen, as for a read."""
        del self._filling[tenant_id]
        if not task.cancelled():
            task.exception()

    async def noticed(self, tenant_id: UUID) -> None:
        """Follow a change made by any process, if this one holds the tenant; else the next send reads it."""
        if tenant_id in self._snapshots or tenant_id in self._reading:
            await self.changed(tenant_id)

    async def changed(self, tenant_id: UUID) -> None:
        """Forget the snapshot and project the new one; a failure is repaired by the next send."""
        try:
            await self.project(tenant_id, opt_outs=False)
        except RedisUnavailable as error:
            _log.warning("policy_projection_failed", tenant_id=str(tenant_id), error=str(error))

    async def opt_out_changed(
        self, tenant_id: UUID, list_name: str, recipient_hash: bytes, *, opted_out: bool
    ) -> None:
        """Put one opt-out into Redis or take it out; if Redis is away, `repair` reads them all later."""
        try:
            if opted_out:
                await self._gate.add_opt_out(tenant_id, list_name, recipient_hash)
            else:
                await self._gate.remove_opt_out(tenant_id, list_name, recipient_hash)
        except RedisUnavailable as error:
            _log.warning("opt_out_projection_failed", tenant_id=str(tenant_id), error=str(error))
            self._owed.add(tenant_id)

    async def override_changed(
        self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes, mark: bytes | None
    ) -> None:
        """Put one number override into Redis, None takes it out; `repair` makes up for a Redis away."""
        try:
            if mark is None:
                await self._gate.remove_override(tenant_id, configuration_id, recipient_hash)
            else:
                await self._gate.put_override(tenant_id, configuration_id, recipient_hash, mark)
        except RedisUnavailable as error:
            _log.warning("override_projection_failed", tenant_id=str(tenant_id), error=str(error))
            self._owed.add(tenant_id)

    async def repair(self) -> None:
        """Project all opt-outs of each tenant one of whose changes Redis did not take; to be called often."""
        for tenant_id in list(self._owed):
            self._owed.discard(tenant_id)
            try:
                if not await self.project(tenant_id, opt_outs=True):
                    self._owed.add(tenant_id)
            except NotFound:
                _log.info("opt_outs_of_absent_tenant", tenant_id=str(tenant_id))
            except ScriptFailed:
                self._owed.add(tenant_id)  # that tenant's keys alone are in the way
            except RedisUnavailable:
                self._owed.add(tenant_id)
                return

    async def stands_on_a_list(
        self, tenant_id: UUID, recipient_hash: bytes, list_names: Collection[str]
    ) -> bool:
        """Ask Postgres itself whether a recipient opted out of one of the lists."""
        return not (await self._read_lists_of(tenant_id, recipient_hash)).isdisjoint(list_names)

    async def override_that_holds(
        self, tenant_id: UUID, configuration_id: UUID | None, recipient_hash: bytes
    ) -> OverrideAction | None:
        """Ask Postgres itself what a protect configuration says of a recipient now."""
        if configuration_id is None:
            return None
        found = await self._read_override(tenant_id, configuration_id, recipient_hash)
        return found.action if found is not None and holds(found, self._clock.now()) else None

    async def hold_on(self, tenant_id: UUID, watched: Watched) -> Hold | None:
        """Ask Postgres itself what refuses a message as suspected pumping now."""
        scopes = (watched.block, watched.block[:-1])
        found = await self._read_holds(tenant_id, prefixes=scopes)
        return next(
            (each.hold for each in found if each.workflow == watched.workflow and each.hold.enforced), None
        )

    async def at_least(self, tenant_id: UUID, version: int) -> None:
        """
        Read until what is held is of `version` or newer; Redis knows of that one.

        A read that was under way may be from before it, so there may be two, shared by all who wait.
        """
        for _ in range(2):
            held = self._snapshots.get(tenant_id)
            if held is not None and held.version >= version:
                return
            await self.reload(tenant_id)

    async def no_older_than(self, tenant_id: UUID, age_s: float) -> TenantSnapshot:
        """Return a snapshot read within the last `age_s` seconds."""
        held = self._snapshots.get(tenant_id)
        if held is not None and (self._clock.now() - held.read_at).total_seconds() < age_s:
            return held
        return await self.reload(tenant_id)

    def forget_all(self) -> None:
        """Throw every snapshot away, and what is being read, after notices may have been missed."""
        self._snapshots.clear()
        self._reading.clear()
