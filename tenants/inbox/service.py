"""
Posting to the operator's inbox, and closing what is settled.

Whoever meets something that needs a person calls `post` in the transaction that makes it true, and `settle`
when the cause has gone. One cause is open once: to post it again while it is open changes nothing.
"""

from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import NotFound
from tenants.ids import encode, new_uuid
from tenants.inbox import store
from tenants.inbox.models import InboxItem
from tenants.scope import TenantScope
from tenants.tables import HotConnection

PLATFORM: Final = UUID(int=0)
"""Owner of what concerns no single tenant."""

Writer: TypeAlias = "AsyncSession | HotConnection"
"""A session or an asyncpg connection, of any database role; a tenant's reaches its own tasks only."""

_POST: Final = """
    INSERT INTO inbox_items (tenant_id, id, kind, subject, summary, detail)
    VALUES ({}, {}, {}, {}, {}, {}) ON CONFLICT DO NOTHING
"""
_SETTLE: Final = """
    UPDATE inbox_items SET resolved_at = now(), resolved_by = 'gateway', note = {}
    WHERE tenant_id = {} AND kind = {} AND subject = {} AND resolved_at IS NULL
"""
_POST_SESSION: Final = text(
    _POST.format(":tenant", ":id", ":kind", ":subject", ":summary", "CAST(:detail AS jsonb)")
)
_SETTLE_SESSION: Final = text(_SETTLE.format(":note", ":tenant", ":kind", ":subject"))
_POST_HOT: Final = _POST.format("$1", "$2", "$3", "$4", "$5", "$6::text::jsonb")
_SETTLE_HOT: Final = _SETTLE.format("$1", "$2", "$3", "$4")


class Task(Struct, frozen=True, kw_only=True):
    """What needs a person."""

    kind: str
    """`thing.what`, such as `registration.stale` or `webhook_endpoint.disabled`."""
    subject: str
    """Public id of what it is about, or another name that is unique within the kind."""
    summary: str
    """One sentence that says what happened and what to do."""
    tenant_id: UUID = PLATFORM
    detail: dict[str, Any] = {}
    """What is worth knowing: never a secret, a number or a text."""


async def post(over: Writer, task: Task) -> None:
    """Put a task into the inbox, in the caller's transaction."""
    detail = msgspec.json.encode(task.detail).decode()
    if isinstance(over, AsyncSession):
        given = {
            "tenant": task.tenant_id,
            "id": new_uuid(),
            "kind": task.kind,
            "subject": task.subject,
            "summary": task.summary,
            "detail": detail,
        }
        await over.execute(_POST_SESSION, given)
    else:
        await over.execute(
            _POST_HOT, task.tenant_id, new_uuid(), task.kind, task.subject, task.summary, detail
        )


async def settle(over: Writer, *, kind: str, subject: str, tenant_id: UUID = PLATFORM, note: str) -> None:
    """Close the open task of a cause that has gone, if there is one, in the caller's transaction."""
    if isinstance(over, AsyncSession):
        given = {"tenant": tenant_id, "kind": kind, "subject": subject, "note": note}
        await over.execute(_SETTLE_SESSION, given)
    else:
        await over.execute(_SETTLE_HOT, note, tenant_id, kind, subject)


async def resolve(session: AsyncSession, item_id: UUID, *, at: datetime, note: str) -> InboxItem:
    """
    Close a task by the operator's hand; one that is closed stays as it was closed first.

    Raises:
        NotFound: There is no such task.
    """
    item = await store.locked(session, item_id)
    if item is None:
        raise NotFound("task")
    if item.resolved_at is None:
        await store.resolve_one(session, item, at=at, by=audit.OPERATOR, note=note)
        await audit.append(
            TenantScope(tenant_id=item.tenant_id),
            session,
            action="inbox.resolved",
            subject=encode("task", item.id),
            detail={"kind": item.kind, "subject": item.subject},
        )
    return item
