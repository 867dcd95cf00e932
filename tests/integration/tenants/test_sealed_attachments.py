"""Attachments at rest: a copy of the database shows none of what they show."""

from hashlib import sha256

import pytest

from gateway.db.transaction import worker_transaction
from gateway.registrations.sealing import seal_attachments
from tenants.errors import SealBroken
from tenants.ids import new_uuid
from tenants.registrations import service, store
from tenants.registrations.attached_files import CleanFile
from tenants.registrations.models import RegistrationAttachment
from tenants.registrations.sealed_files import opened
from tenants.scope import TenantScope
from tests.harness.tenants import enrol, key_of

LETTER = b"%PDF-1.7 Jane Doe, tax id 12-3456789 %%EOF"


async def keep(engine, scope, content=LETTER):
    """Attach a file; its row with its bytes."""
    file, key = CleanFile(content=content, content_type="application/pdf"), await key_of(engine, scope)
    async with worker_transaction(engine) as session:
        row = await service.add_attachment(scope, session, key, file, name="letter.pdf")
    return await whole(engine, scope, row.id)


async def whole(engine, scope, attachment_id):
    """A row with its bytes, as they lie in the table."""
    async with worker_transaction(engine) as session:
        return await store.attachment(scope, session, attachment_id, content=True)


async def test_a_kept_file_is_unreadable_without_its_tenants_key(worker_engine) -> None:
    """Not a word of it stands in the table, and nobody else's key opens it."""
    mine, others = await enrol(worker_engine), await enrol(worker_engine)
    row = await keep(worker_engine, mine)
    assert row.sealed
    assert b"Jane" not in row.content
    assert opened(row, await key_of(worker_engine, mine)) == LETTER
    with pytest.raises(SealBroken):
        opened(row, await key_of(worker_engine, others))


async def test_a_file_moved_to_another_row_does_not_open(worker_engine) -> None:
    """Whoever may write the table cannot put one file in another's place."""
    scope = await enrol(worker_engine)
    first, second = await keep(worker_engine, scope), await keep(worker_engine, scope, b"%PDF-1.7 another")
    second.content = first.content
    with pytest.raises(SealBroken):
        opened(second, await key_of(worker_engine, scope))


async def test_what_was_kept_before_is_sealed_by_the_scheduler(worker_engine) -> None:
    """Every old file, each with its own tenant's key, and nothing twice."""
    scopes = [await enrol(worker_engine) for _ in range(2)]
    ids = [new_uuid() for _ in scopes]
    async with worker_transaction(worker_engine) as session:
        for scope, attachment_id in zip(scopes, ids, strict=True):
            session.add(
                RegistrationAttachment(
                    tenant_id=scope.tenant_id,
                    id=attachment_id,
                    name="old.pdf",
                    content_type="application/pdf",
                    size_bytes=len(LETTER),
                    sha256=sha256(LETTER).digest(),
                    content=LETTER,
                )
            )

    async def key(tenant_id):
        return await key_of(worker_engine, TenantScope(tenant_id=tenant_id))

    assert await seal_attachments(worker_engine, key) >= len(ids)
    for scope, attachment_id in zip(scopes, ids, strict=True):
        row = await whole(worker_engine, scope, attachment_id)
        assert row.sealed
        assert LETTER not in row.content
        assert opened(row, await key(scope.tenant_id)) == LETTER
    assert await seal_attachments(worker_engine, key) == 0
