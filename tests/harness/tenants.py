"""Tenants and messages written straight into Postgres, for tests of one step of the road."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import worker_transaction
from gateway.intake.commit import Stored, commit_batch
from gateway.intake.new_message import IdempotentRequest, NewMessage
from gateway.lanes.entry import LaneEntry, Priority
from gateway.messages.keys import body_context, number_context
from tenants.accounts import service as accounts
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.plan import Plan
from tenants.accounts.sealing import DataKey
from tenants.credits import service as credits_
from tenants.ids import created_at, new_uuid
from tenants.scope import TenantScope
from tests.harness.numbers import us_number
from tests.harness.stack import SECRET_KEY

LIFE = timedelta(hours=72)
PRIORITIES = {
    "otp": Priority.OTP,
    "transactional": Priority.TRANSACTIONAL,
    "promotional": Priority.PROMOTIONAL,
}


async def enrol(engine: AsyncEngine, *, credit: int = 0, **plan: Any) -> TenantScope:
    """Create a tenant that pays in credits, with some."""
    new = NewTenant(
        name="Acme",
        slug=f"t-{uuid4().hex[:12]}",
        model=2,
        countries=["US"],
        plan=Plan(pricing="credits", **plan),
    )
    async with worker_transaction(engine) as session:
        tenant = await accounts.create_tenant(session, SECRET_KEY, new)
        scope = TenantScope(tenant_id=tenant.id)
        if credit:
            await credits_.top_up(scope, session, amount=credit)
    return scope


async def key_of(engine: AsyncEngine, scope: TenantScope) -> DataKey:
    """Return the tenant's data key."""
    async with worker_transaction(engine) as session:
        return accounts.data_key_of(await accounts.get(scope, session), SECRET_KEY)


def new_message(
    scope: TenantScope,
    *,
    key: str | None = None,
    fingerprint: bytes = b"f",
    data_key: DataKey | None = None,
    route: str = "route",
    **changes: Any,
) -> NewMessage:
    """Return a send that passed every gate but money; one credit unless it says otherwise."""
    message_id = new_uuid()
    at = created_at(message_id)
    kind = changes.get("type", "transactional")
    lane = LaneEntry(
        message_id=message_id,
        route=route,
        identity=scope.tenant_id,
        country="US",
        priority=PRIORITIES.get(kind, Priority.TRANSACTIONAL),
        tenant_id=scope.tenant_id,
        parts=1,
        identity_rate=1000.0,
    )
    number = us_number().encode()
    sealed = (
        (
            data_key.seal(number, context=number_context(message_id)),
            data_key.seal(b"Hello", context=body_context(message_id)),
        )
        if data_key
        else (b"to", b"body")
    )
    fields: dict[str, Any] = {
        "id": message_id,
        "tenant_id": scope.tenant_id,
        "created_at": at,
        "test": False,
        "status": "queued",
        "channel": "sms",
        "type": kind,
        "country": "US",
        "recipient_hash": b"recipient",
        "to_sealed": sealed[0],
        "body_sealed": sealed[1],
        "template_id": None,
        "template_version": None,
        "encoding": "GSM",
        "parts": 1,
        "unit": "credits",
        "price_estimated": 1,
        "max_price_micros": 100_000,
        "account_id": None,
        "sender_id": None,
        "sender_value": "SENDER",
        "sender_arn": None,
        "configuration_set": None,
        "protect_configuration_id": None,
        "send_at": None,
        "estimated_dispatch_at": at,
        "expires_at": at + LIFE,
        "context": None,
        "client_reference": None,
        "feedback": None,
        "route": route,
        "entry": lane,
        "need": None,
        "idempotent": IdempotentRequest(key=key, fingerprint=fingerprint, expires_at=at + LIFE)
        if key
        else None,
    }
    return NewMessage(**(fields | changes))


async def accept(pool: Any, *messages: NewMessage) -> list[NewMessage]:
    """Commit messages as the API does, all of which must be stored."""
    async with pool.acquire() as connection:
        decisions = await commit_batch(connection, messages)
    assert all(isinstance(decision, Stored) for decision in decisions), decisions
    return list(messages)


async def row_of(pool: Any, message_id: UUID) -> Any:
    """Return a message's row."""
    return await pool.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)


async def queue_row(pool: Any, message_id: UUID) -> Any:
    """Return a message's queue row, or None once it is gone."""
    return await pool.fetchrow("SELECT * FROM dispatch_queue WHERE message_id = $1", message_id)
