"""Queries on consents; each takes the tenant first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.consents.models import Consent, ConsentAsk, ConsentRecord, ConsentText
from tenants.ids import new_uuid
from tenants.scope import TenantScope


async def keep_text(scope: TenantScope, session: AsyncSession, *, text_hash: bytes, words: str) -> None:
    """Keep the words of a consent, unless they are known."""
    row = insert(ConsentText).values(tenant_id=scope.tenant_id, text_hash=text_hash, text=words)
    await session.execute(row.on_conflict_do_nothing())


async def text_of(scope: TenantScope, session: AsyncSession, text_hash: bytes) -> ConsentText | None:
    """Return the words behind a hash, or None if the tenant has shown no such."""
    query = select(ConsentText).where(
        ConsentText.tenant_id == scope.tenant_id, ConsentText.text_hash == text_hash
    )
    return await session.scalar(query)


async def note(scope: TenantScope, session: AsyncSession, **values: Any) -> ConsentRecord:
    """Add a line to the ledger."""
    line = ConsentRecord(tenant_id=scope.tenant_id, id=new_uuid(), test=not scope.live, **values)
    session.add(line)
    await session.flush()
    return line


async def get(
    scope: TenantScope, session: AsyncSession, recipient_hash: bytes, use_case: str
) -> Consent | None:
    """Return where a person stands with a use case; None where nothing is known."""
    key = (scope.tenant_id, not scope.live, recipient_hash, use_case)
    return await session.get(Consent, key, populate_existing=True)


async def put(scope: TenantScope, session: AsyncSession, **values: Any) -> Consent:
    """Write where a person stands; the row keeps its id."""
    owner = {"tenant_id": scope.tenant_id, "test": not scope.live}
    statement = insert(Consent).values(id=new_uuid(), **owner, **values)
    keys = [Consent.tenant_id, Consent.test, Consent.recipient_hash, Consent.use_case]
    changed = {name: value for name, value in values.items() if name not in {"recipient_hash", "use_case"}}
    query = statement.on_conflict_do_update(index_elements=keys, set_=changed).returning(Consent)
    return (await session.scalars(query, execution_options={"populate_existing": True})).one()


async def of_person(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> Sequence[Consent]:
    """Return where a person stands with every use case, in the order of their names."""
    query = select(Consent).where(
        Consent.tenant_id == scope.tenant_id,
        Consent.test == (not scope.live),
        Consent.recipient_hash == recipient_hash,
    )
    fresh = query.order_by(Consent.use_case).execution_options(populate_existing=True)
    return (await session.scalars(fresh)).all()


async def page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: tuple[bytes, str] | None = None,
    use_case: str | None = None,
    state: str | None = None,
) -> Sequence[Consent]:
    """Return up to `limit` consents in the order of the primary key, which means nothing."""
    query = select(Consent).where(Consent.tenant_id == scope.tenant_id, Consent.test == (not scope.live))
    if use_case is not None:
        query = query.where(Consent.use_case == use_case)
    if state is not None:
        query = query.where(Consent.state == state)
    if after is not None:
        query = query.where(tuple_(Consent.recipient_hash, Consent.use_case) > after)
    return (
        await session.scalars(query.order_by(Consent.recipient_hash, Consent.use_case).limit(limit))
    ).all()


async def records(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: UUID | None = None,
    recipient_hash: bytes | None = None,
) -> Sequence[ConsentRecord]:
    """Return up to `limit` lines of the ledger, the oldest first, of one person or of all."""
    query = select(ConsentRecord).where(
        ConsentRecord.tenant_id == scope.tenant_id, ConsentRecord.test == (not scope.live)
    )
    if recipient_hash is not None:
        query = query.where(ConsentRecord.recipient_hash == recipient_hash)
    if after is not None:
        query = query.where(ConsentRecord.id > after)
    return (await session.scalars(query.order_by(ConsentRecord.id).limit(limit))).all()


async def order(
    scope: TenantScope,
    session: AsyncSession,
    *,
    ask_id: UUID,
    kind: str,
    recipient_hash: bytes,
    number_sealed: bytes,
    text_sealed: bytes,
    due_at: datetime,
    closes_at: datetime,
) -> None:
    """Order a text; a worker makes a message of it."""
    row = ConsentAsk(
        tenant_id=scope.tenant_id,
        id=ask_id,
        test=not scope.live,
        kind=kind,
        recipient_hash=recipient_hash,
        number_sealed=number_sealed,
        text_sealed=text_sealed,
        due_at=due_at,
        closes_at=closes_at,
    )
    session.add(row)
    await session.flush()
