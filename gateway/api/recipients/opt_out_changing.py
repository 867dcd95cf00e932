"""Changing opt-outs over the API: in a transaction with its events, then into admission's copy."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.ports import OptOutProjection
from gateway.webhooks.announcements import announce, announce_all
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.optouts import service
from tenants.optouts.service import Change, Origin, Source, Wish
from tenants.scope import TenantScope


class OptOutEvent(Struct, frozen=True, kw_only=True):
    """What an event keeps; its number is joined in when it is told."""

    list: str
    source: str
    change: str
    """`ooc_…`, the line in the ledger."""


async def change(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    number: str,
    list_name: str,
    opted_out: bool,
    origin: Origin,
) -> Change:
    """Put a number on a list or take it off, and tell the tenant what is news."""
    act = service.put if opted_out else service.remove
    made = await act(scope, session, key, number=number, list_name=list_name, origin=origin)
    if made.change_id is not None:
        event = OptOutEvent(list=made.list_name, source=origin.source, change=encode("ooc", made.change_id))
        await announce(scope, session, "opt_out.created" if opted_out else "opt_out.removed", event)
    return made


async def opt_out_all(
    scope: TenantScope, session: AsyncSession, key: DataKey, wishes: Sequence[Wish], *, source: Source
) -> list[Change]:
    """Put many numbers on lists, as many as a file holds; return what is news, and tell it."""
    news = await service.put_all(scope, session, key, wishes, source=source)
    told = [
        OptOutEvent(list=each.list_name, source=source, change=encode("ooc", each.change_id))
        for each in news
        if each.change_id is not None
    ]
    await announce_all(scope, session, "opt_out.created", told)
    return news


async def project(projection: OptOutProjection, tenant_id: UUID, changes: Iterable[Change]) -> None:
    """Bring admission's copy up to date; the transaction has been committed."""
    for each in changes:
        await projection(tenant_id, each.list_name, each.recipient_hash, opted_out=each.listed)
