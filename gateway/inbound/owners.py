"""Whose number a text was sent to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.inbound.obeying import Mode, StopScope

_OWNERS: Final = text(
    """
    SELECT s.tenant_id, s.id, s.type, s.value, s.country, s.message_types, w.opt_outs, w.stop_scope
    FROM senders s JOIN tenants t ON t.id = s.tenant_id
    LEFT JOIN two_way_settings w ON w.tenant_id = s.tenant_id AND w.sender_id = s.id
    WHERE s.value = ANY (CAST(:values AS text[])) AND s.state <> 'released' AND t.state <> 'closed'
    ORDER BY s.id
    """
)
_OF_ERASED: Final = text(
    """
    SELECT coalesce(bool_and(t.data_key = ''), false)
    FROM senders s JOIN tenants t ON t.id = s.tenant_id
    WHERE s.value = ANY (CAST(:values AS text[])) AND s.state <> 'released'
    """
)
_PREVIOUS: Final = text(
    "SELECT tenant_id, message_id FROM provider_messages WHERE provider_message_id = :provider_id LIMIT 1"
)
_LAST: Final = text(
    """
    SELECT said.tenant_id, said.id
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:persons AS bytea[])) AS one (tenant_id, person)
    CROSS JOIN LATERAL (
        SELECT m.tenant_id, m.id, m.dispatched_at FROM messages m
        WHERE m.tenant_id = one.tenant_id AND m.recipient_hash = one.person AND NOT m.test
            AND m.sender_value = ANY (CAST(:values AS text[])) AND m.dispatched_at IS NOT NULL
        ORDER BY m.id DESC LIMIT 1
    ) AS said
    ORDER BY said.dispatched_at DESC LIMIT 1
    """
)


class Owner(Struct, frozen=True, kw_only=True):
    """The number that was written to, as one tenant has it."""

    tenant_id: UUID
    sender_id: UUID
    value: str
    country: str
    message_types: frozenset[str]
    mode: Mode
    stop_scope: StopScope


class Previous(Struct, frozen=True):
    """A message to the person who wrote."""

    tenant_id: UUID
    message_id: UUID


async def previous_of(session: AsyncSession, provider_message_id: str | None) -> Previous | None:
    """Return the message that AWS says it published last to the person, if it is one of ours."""
    if provider_message_id is None:
        return None
    row = (await session.execute(_PREVIOUS, {"provider_id": provider_message_id})).first()
    return None if row is None else Previous(row.tenant_id, row.message_id)


async def owners_of(
    session: AsyncSession, destination: str, *, published_by: UUID | None = None
) -> list[Owner]:
    """
    Return all who have the number.

    What a tenant's own account published (`published_by`) was written to that tenant alone.
    """
    rows = (await session.execute(_OWNERS, {"values": _spellings(destination)})).all()
    return [_owner(row) for row in rows if published_by in {None, row.tenant_id}]


async def last_to(session: AsyncSession, destination: str, persons: Mapping[UUID, bytes]) -> Previous | None:
    """
    Return the last message from the number to a person, of any of some tenants; None where there is none.

    Args:
        persons: The person's hash with each tenant that has the number.
    """
    asked = {
        "tenants": list(persons),
        "persons": list(persons.values()),
        "values": _spellings(destination),
    }
    row = (await session.execute(_LAST, asked)).first()
    return None if row is None else Previous(row.tenant_id, row.id)


async def is_of_erased(session: AsyncSession, destination: str) -> bool:
    """Return whether whoever had the number was erased, and nobody else has it."""
    return bool((await session.execute(_OF_ERASED, {"values": _spellings(destination)})).scalar_one())


def _spellings(number: str) -> list[str]:
    digits = number.removeprefix("+")
    return [digits, f"+{digits}"]


def chosen(owners: Sequence[Owner], *, country: str | None, previous: Previous | None) -> Owner | None:
    """
    Return the likeliest of those who have the number, if any is; a short code is one per country.

    Tenants that share it are told apart by the conversation: whoever wrote to the person last.
    """
    at_home = [each for each in owners if each.country == country] or list(owners)
    if len({each.tenant_id for each in at_home}) > 1:
        at_home = [each for each in at_home if previous and each.tenant_id == previous.tenant_id]
    return at_home[0] if at_home else None


def _owner(row: Any) -> Owner:
    return Owner(
        tenant_id=row.tenant_id,
        sender_id=row.id,
        value=row.value,
        country=row.country,
        message_types=frozenset(row.message_types),
        mode=mode_of(row.type, row.opt_outs),
        stop_scope=row.stop_scope or "everything",
    )


def mode_of(sender_type: str, stored: str | None) -> Mode:
    """Return who keeps a number's opt-outs: a toll-free number's network, whatever is wished; else AWS."""
    if sender_type == "TOLL_FREE":
        return "carrier"
    return "self_managed" if stored == "self_managed" else "managed"
