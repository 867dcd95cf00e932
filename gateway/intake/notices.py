"""Listens to Postgres for what admission must learn at once: changed policies, opt-outs and overrides."""

import asyncio
from typing import Any
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
_RECENT = """
    SELECT tenant_id, list_name, recipient_hash FROM opt_outs
    WHERE created_at > now() - interval '15 minutes'
"""
_RECENT_OVERRIDES = """
    SELECT tenant_id, configuration_id, recipient_hash, action, expires_at FROM protect_overrides
    WHERE updated_at > now() - interval '15 minutes'
"""
_NOTHING = "-"
_RECONNECT_S = 1.0
_CHECK_EVERY_S = 1.0


class PolicyNotices:
    """
    Keeps one connection that LISTENs; after a reconnect every snapshot is forgotten.

    LISTEN needs a connection of its own: a transaction pooler such as PgBouncer must be bypassed for it.
    """

    def __init__(self, database_url: str, policies: Policies) -> None:
        self._database_url = database_url
        self._policies = policies
        self._tasks: set[asyncio.Task[None]] = set()

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
        try:
            await connection.add_listener(POLICY_CHANNEL, self._policy_changed)
            await connection.add_listener(OPT_OUT_CHANNEL, self._opt_out_changed)
            await connection.add_listener(OVERRIDE_CHANNEL, self._override_changed)
            self._policies.forget_all()
            await self._catch_up(connection)
            while not connection.is_closed():
                await connection.fetchval("SELECT 1", timeout=5)
                await self._policies.repair()
                await asyncio.sleep(_CHECK_EVERY_S)
        finally:
            await connection.close(timeout=1)

    async def _catch_up(self, connection: HotConnection) -> None:
        """Project again what was stored while nobody listened; adding an opt-out twice changes nothing."""
        for row in await connection.fetch(_RECENT):
            await self._policies.opt_out_changed(
                row["tenant_id"], row["list_name"], row["recipient_hash"], opted_out=True
            )

        for row in await connection.fetch(_RECENT_OVERRIDES):
            said = mark(Override(action=row["action"], expires_at=row["expires_at"]))
            await self._policies.override_changed(
                row["tenant_id"], row["configuration_id"], row["recipient_hash"], said
            )

    def _policy_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        self._start(self._changed(UUID(payload)))

    def _opt_out_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        tenant, list_name, digest = str(payload)[1:].split(" ")
        self._start(
            self._policies.opt_out_changed(
                UUID(tenant), list_name, bytes.fromhex(digest), opted_out=payload[0] == "+"
            )
        )

    def _override_changed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        tenant, configuration, digest, said = str(payload).split(" ")
        self._start(
            self._policies.override_changed(
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

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
