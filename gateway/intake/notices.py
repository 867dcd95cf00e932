"""Listens to Postgres for what admission must learn at once: changed policies, opt-outs and overrides."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import structlog

from gateway.db.engine import connect
from gateway.db.faults import DATABASE_FAULTS
from gateway.intake.policies import Policies
from tenants.errors import NotFound
from tenants.protection.overrides import mark
from tenants.protection.precedence import Override
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

POLICY_CHANNEL = "tollgate_policy"
OPT_OUT_CHANNEL = "tollgate_opt_out"
OVERRIDE_CHANNEL = "tollgate_override"
_REMOVED = """
    SELECT DISTINCT tenant_id, list_name, recipient_hash FROM opt_out_changes c
    WHERE change = 'opted_in' AND at > coalesce($1, now()) - interval '15 minutes' AND NOT EXISTS (
        SELECT FROM opt_outs o WHERE o.tenant_id = c.tenant_id AND o.list_name = c.list_name
            AND o.recipient_hash = c.recipient_hash)
"""
_RECENT = """
    SELECT tenant_id, list_name, recipient_hash FROM opt_outs
    WHERE created_at > coalesce($1, now()) - interval '15 minutes'
"""
"""The minutes are for transactions that were under way when notices were last heard, and for a start."""
_RECENT_OVERRIDES = """
    SELECT tenant_id, configuration_id, recipient_hash, action, expires_at FROM protect_overrides
    WHERE updated_at > coalesce($1, now()) - interval '15 minutes'
"""
_NOTHING = "-"
_Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
_RECONNECT_S = 1.0
_CHECK_EVERY_S = 1.0


class PolicyNotices:
    """
    Keeps one connection that LISTENs; after a reconnect every snapshot is forgotten, and what changed since
    the last word is projected again.

    LISTEN needs a connection of its own: a transaction pooler such as PgBouncer must be bypassed for it.
    """

    def __init__(self, database_url: str, policies: Policies) -> None:
        self._database_url = database_url
        self._policies = policies
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_at: datetime | None = None
        """When the connection was last found well, by Postgres's clock."""
        self._held: list[_Work] | None = []
        """Opt-outs and overrides heard before what is older has been caught up with; None once it has."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except DATABASE_FAULTS as error:
                _log.warning("policy_listener_lost", error=str(error))
            await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        connection = await connect(self._database_url, "worker")
        self._held = []
        try:
            await connection.add_listener(POLICY_CHANNEL, self._policy_changed)
            await connection.add_listener(OPT_OUT_CHANNEL, self._opt_out_changed)
            await connection.add_listener(OVERRIDE_CHANNEL, self._override_changed)
            self._policies.forget_all()
            await self._catch_up(connection)
            self._let_go()
            while not connection.is_closed():
                self._heard_at = await connection.fetchval("SELECT now()", timeout=5)
                await self._policies.repair()
                await asyncio.sleep(_CHECK_EVERY_S)
        finally:
            await connection.close(timeout=1)

    async def _catch_up(self, connection: HotConnection) -> None:
        """
        Project again what was stored while nobody listened; doing so twice changes nothing.

        Opt-outs are read when removals have been followed: whoever opted out meanwhile is put back.
        """
        for query, opted_out in ((_REMOVED, False), (_RECENT, True)):
            for row in await connection.fetch(query, self._heard_at):
                await self._policies.opt_out_changed(
                    row["tenant_id"], row["list_name"], row["recipient_hash"], opted_out=opted_out
                )
        for row in await connection.fetch(_RECENT_OVERRIDES, self._heard_at):
            said = mark(Override(action=row["action"], expires_at=row["expires_at"]))
            await self._policies.override_changed(
                row["tenant_id"], row["configuration_id"], row["recipient_hash"], said
            )

    def _policy_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        self._start(partial(self._changed, UUID(payload)))

    def _opt_out_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        tenant, list_name, digest = str(payload)[1:].split(" ")
        self._follow(
            partial(
                self._policies.opt_out_changed,
                UUID(tenant),
                list_name,
                bytes.fromhex(digest),
                opted_out=payload[0] == "+",
            )
        )

    def _override_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        tenant, configuration, digest, said = str(payload).split(" ")
        self._follow(
            partial(
                self._policies.override_changed,
                UUID(tenant),
                UUID(configuration),
                bytes.fromhex(digest),
                None if said == _NOTHING else said.encode(),
            )
        )

    async def _changed(self, tenant_id: UUID) -> None:
        try:
            await self._policies.noticed(tenant_id)
        except NotFound:
            _log.info("policy_notice_for_absent_tenant", tenant_id=str(tenant_id))
        except Exception as error:  # noqa: BLE001 - the next send reads the tenant anew and reports what is wrong
            _log.warning("policy_notice_not_followed", tenant_id=str(tenant_id), error=type(error).__name__)

    def _follow(self, work: _Work) -> None:
        """Follow a notice at once, or behind what is older than it."""
        if self._held is None:
            self._start(work)
        else:
            self._held.append(work)

    def _let_go(self) -> None:
        held, self._held = self._held or [], None
        for work in held:
            self._start(work)

    def _start(self, work: _Work) -> None:
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
