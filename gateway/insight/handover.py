"""
Everything of one tenant as a ZIP of JSON Lines, handed out while it is read.

Every page is read in a transaction of its own under the tenant's row-level security, so that neither a
forgotten filter nor a long export lets anybody else's rows in; one page is all that memory holds.
"""

import zipfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.insight.handover_rows import line_of
from gateway.insight.handover_tables import EXPORTED, LEFT_OUT, rows_per_page
from gateway.messages.view import timestamp
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.tables import Base

OpenSession = Callable[[], AbstractAsyncContextManager[AsyncSession]]
FORMAT: Final = 1


class Handover(Struct, frozen=True, kw_only=True):
    """Whose data is handed over, and as of when."""

    scope: TenantScope
    key: DataKey
    schema_revision: str
    created_at: datetime


class Manifest(Struct, frozen=True, kw_only=True):
    """The last file: what is in the others."""

    format: int
    tenant: str
    created_at: str | None
    schema_revision: str
    rows: dict[str, int]
    """By file, without `.jsonl`."""
    left_out: dict[str, str]
    """What is kept beside it and is not in here, and why."""


class _Pipe:
    """Where the ZIP is written to: nothing to seek in, so it describes each file behind it."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """What was written stays to be taken."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


async def handover(wanted: Handover, open_session: OpenSession) -> AsyncGenerator[bytes]:
    """Yield the pieces of the ZIP; one that lacks its end has lost the manifest and does not open."""
    pipe, rows = _Pipe(), dict[str, int]()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in EXPORTED:
            rows[name] = 0
            with archive.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                async for page in _pages(wanted.scope, Base.metadata.tables[name], open_session):
                    for row in page:
                        file.write(line_of(name, row, wanted.key))
                    rows[name] += len(page)
                    yield pipe.take()
        archive.writestr("manifest.json", _manifest(wanted, rows))
    yield pipe.take()


async def _pages(
    scope: TenantScope, table: Table, open_session: OpenSession
) -> AsyncGenerator[Sequence[RowMapping]]:
    owner = table.c.id if table.name == "tenants" else table.c.tenant_id
    order = [column for column in table.primary_key.columns if column is not owner] or [owner]
    most, after = rows_per_page(table.name), None
    while True:
        query = select(table).where(owner == scope.tenant_id, *_seen(table)).order_by(*order).limit(most)
        if after is not None:
            query = query.where(tuple_(*order) > after)
        async with open_session() as session:
            page = (await session.execute(query)).mappings().all()
        if page:
            yield page
        if len(page) < most:
            return
        after = tuple(page[-1][column.name] for column in order)


def _seen(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Of the ledger what its tenant sees of it: what AWS charged is the operator's to know."""
    return (table.c.cogs == 0,) if table.name == "ledger_transfers" else ()


def _manifest(wanted: Handover, rows: dict[str, int]) -> bytes:
    manifest = Manifest(
        format=FORMAT,
        tenant=encode("ten", wanted.scope.tenant_id),
        created_at=timestamp(wanted.created_at),
        schema_revision=wanted.schema_revision,
        rows=rows,
        left_out=dict(LEFT_OUT),
    )
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)
