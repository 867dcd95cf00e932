"""Tells a tenant that its traffic looks like pumping, and keeps the hold: event, audit row, metric, row."""

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from gateway.admission.pumping import Hold
from gateway.db.faults import DATABASE_FAULTS
from gateway.messages.outbox import NewEvent, write_events
from gateway.messages.view import timestamp_of_ms
from gateway.telemetry import metrics
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

_KEEP = """
    INSERT INTO pumping_holds (tenant_id, workflow, prefix, rule, country, enforced, until)
    VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7::double precision / 1000))
    ON CONFLICT (tenant_id, workflow, prefix) DO UPDATE SET rule = excluded.rule, country = excluded.country,
        enforced = excluded.enforced, until = excluded.until, created_at = now()
"""
_AUDIT = """
    INSERT INTO audit_rows (tenant_id, id, actor, action, subject, detail)
    VALUES ($1, $2, 'tollgate', 'pumping.suspected', $3, $4::text::jsonb)
"""


class PumpingSuspected(Struct, frozen=True, kw_only=True):
    """The data of `pumping.suspected`; a prefix is of a thousand numbers or more, never one person's."""

    workflow: str
    rule: str
    prefix: str
    country: str
    enforced: bool
    """Whether messages to the prefix are refused; else the plan only watches."""
    until: str | None


async def tell(
    pool: "asyncpg.Pool[asyncpg.Record]", scope: TenantScope, workflow: str, *, country: str, hold: Hold
) -> None:
    """
    Put a new hold on record, for tenants to see and for a Redis that forgets it to get back.

    While Postgres is away it is only logged, since the hold itself stands.
    """
    metrics.PUMPING_SUSPECTED.labels(rule=hold.rule, enforced=str(hold.enforced).lower()).inc()
    _log.warning(
        "pumping_suspected",
        tenant_id=str(scope.tenant_id),
        workflow=workflow,
        rule=hold.rule,
        country=country,
        enforced=hold.enforced,
    )
    notice = PumpingSuspected(
        workflow=workflow,
        rule=hold.rule,
        prefix="+" + hold.scope,
        country=country,
        enforced=hold.enforced,
        until=timestamp_of_ms(hold.until_ms),
    )
    try:
        async with pool.acquire() as connection, connection.transaction():
            await _write(connection, scope, notice)
            await connection.execute(
                _KEEP,
                scope.tenant_id,
                workflow,
                hold.scope,
                hold.rule,
                country,
                hold.enforced,
                hold.until_ms,
            )
    except DATABASE_FAULTS as error:
        _log.warning("pumping_notice_lost", tenant_id=str(scope.tenant_id), error=str(error))


async def _write(connection: HotConnection, scope: TenantScope, notice: PumpingSuspected) -> None:
    data = msgspec.json.encode(notice)
    event = NewEvent(tenant_id=scope.tenant_id, type="pumping.suspected", data=msgspec.Raw(data))
    await write_events(connection, [event])
    await connection.execute(_AUDIT, scope.tenant_id, new_uuid(), notice.prefix, data.decode())
