"""
What an event says of a person, joined in when it is told: events themselves hold no number and no text.

A text that has been deleted since is told by its id alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.inbound import InboundMessage, told_of
from tenants.accounts.sealing import DataKey
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.optouts.models import OptOutChange
from tenants.optouts.service import number_of
from tenants.tables import HotConnection

Personal: TypeAlias = InboundMessage | OptOutChange

_INBOUND: Final = "inbound.received"
_OPT_OUTS: Final = frozenset({"opt_out.created", "opt_out.removed"})
_TEXTS: Final = """
    SELECT m.* FROM unnest($1::uuid[], $2::uuid[]) AS told (tenant_id, id)
    JOIN inbound_messages m USING (tenant_id, id)
"""
_CHANGES: Final = """
    SELECT c.* FROM unnest($1::uuid[], $2::uuid[]) AS told (tenant_id, id)
    JOIN opt_out_changes c USING (tenant_id, id)
"""


class Told(Struct, frozen=True, kw_only=True):
    """An event, as far as it names something personal."""

    id: UUID
    tenant_id: UUID
    type: str
    data: Mapping[str, Any]


def opened(personal: Personal, key: DataKey) -> Mapping[str, object]:
    """Return the members that belong to an event's data, unsealed."""
    if isinstance(personal, InboundMessage):
        return told_of(personal, key)
    return {"number": number_of(personal, key)}


async def personal_of(connection: HotConnection, events: Iterable[Told]) -> dict[UUID, Personal]:
    """Return what belongs to each event that names something, by the event's id."""
    texts, changes = _named(events)
    found: dict[UUID, Personal] = {}
    for named, query, table in ((texts, _TEXTS, InboundMessage), (changes, _CHANGES, OptOutChange)):
        if named:
            tenants = [tenant_id for tenant_id, _ in named]
            rows = await connection.fetch(query, tenants, [wanted for _, wanted in named])
            for row in rows:
                members = dict(row)
                for event_id in named[members["tenant_id"], members["id"]]:
                    found[event_id] = table(**members)
    return found


async def personal_in(session: AsyncSession, events: Iterable[Told]) -> dict[UUID, Personal]:
    """Do the same in a session, under its tenant's fence."""
    texts, changes = _named(events)
    found: dict[UUID, Personal] = {}
    if texts:
        place = tuple_(InboundMessage.tenant_id, InboundMessage.id)
        for text in await session.scalars(select(InboundMessage).where(place.in_(list(texts)))):
            found |= dict.fromkeys(texts[text.tenant_id, text.id], text)
    if changes:
        place = tuple_(OptOutChange.tenant_id, OptOutChange.id)
        for change in await session.scalars(select(OptOutChange).where(place.in_(list(changes)))):
            found |= dict.fromkeys(changes[change.tenant_id, change.id], change)
    return found


_Named: TypeAlias = dict[tuple[UUID, UUID], list[UUID]]


def _named(events: Iterable[Told]) -> tuple[_Named, _Named]:
    """Return the texts and the changes that events name, each with the events that do."""
    texts: _Named = {}
    changes: _Named = {}
    for event in events:
        if event.type == _INBOUND:
            _add(texts, event, "inb", event.data.get("id"))
        elif event.type in _OPT_OUTS:
            _add(changes, event, "ooc", event.data.get("change"))
    return texts, changes


def _add(named: _Named, event: Told, prefix: str, text: object) -> None:
    try:
        wanted = decode(prefix, str(text))
    except InvalidId:
        return
    named.setdefault((event.tenant_id, wanted), []).append(event.id)
