"""
Messages by any field, the newest first, a page at a time.

Recipients, client references, reasons and bad ends have indexes; every other condition filters a walk along
the tenant's messages, newest first, that the span of time bounds. A walk that finds too little in too long is
ended (`SearchTooWide`) instead of being let to burden the sends.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import GatewayError
from gateway.messages.models import Message
from gateway.messages.provider_ids import has_provider_id
from gateway.messages.status import FINALS, MessageStatus
from tenants.ids import created_at
from tenants.scope import TenantScope

LONGEST_MS: Final = 8_000
"""A search may take this long; the connection that it holds is one of few."""
_CANCELED: Final = "57014"
_MS: Final = 80
"""Bits below the milliseconds of a UUIDv7."""


_BOUNDS: Final = text(
    "SELECT set_config('statement_timeout', :limit, true), set_config('enable_seqscan', 'off', true)"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SearchTooWide(GatewayError):
    """The walk took too long; a shorter span of time, or an indexed condition, is needed."""


class PriceRange(Struct, frozen=True, kw_only=True):
    """What a message costs, both ends included; in both units, since a tenant may have changed from one."""

    micros: int
    credits: int


class Wanted(Struct, frozen=True, kw_only=True):
    """What a search is narrowed to; None narrows nothing."""

    status: MessageStatus | None = None
    country: str | None = None
    recipients: tuple[tuple[UUID, bytes], ...] | None = None
    """A number under the keys of those tenants whose messages are searched: (tenant, keyed hash)."""
    type: str | None = None
    channel: str | None = None
    sender: str | None = None
    template_id: UUID | None = None
    carrier: str | None = None
    mcc: str | None = None
    mnc: str | None = None
    reason: str | None = None
    """A stable code of ours, such as `spam`."""
    provider_status: str | None = None
    """AWS's word, such as `CARRIER_BLOCKED`."""
    provider_message_id: str | None = None
    client_reference: str | None = None
    context: dict[str, str] | None = None
    """Pairs that the send carried, all of them."""
    feedback: str | None = None
    price_from: PriceRange | None = None
    price_to: PriceRange | None = None
    created_after: datetime | None = None
    """Inclusive."""
    created_before: datetime | None = None
    """Exclusive."""


async def page(
    scope: TenantScope, session: AsyncSession, wanted: Wanted, *, limit: int, after: UUID | None = None
) -> Sequence[Message]:
    """Return up to `limit` of the tenant's messages of the key's mode, older than `after`."""
    owned = select(Message).where(Message.tenant_id == scope.tenant_id, Message.test == (not scope.live))
    return (await session.scalars(narrowed(owned, wanted, limit=limit, after=after))).all()


async def page_of_all(
    session: AsyncSession, wanted: Wanted, *, tenant_id: UUID | None, limit: int, after: UUID | None = None
) -> Sequence[Message]:
    """Return up to `limit` messages of every tenant or of one, of both modes; the operator's to ask."""
    query = select(Message)
    if tenant_id is not None:
        query = query.where(Message.tenant_id == tenant_id)
    return (await session.scalars(narrowed(query, wanted, limit=limit, after=after))).all()


def narrowed(
    query: Select[Message], wanted: Wanted, *, limit: int, after: UUID | None = None
) -> Select[Message]:
    """Return a select of messages with the conditions and the order of a search."""
    conditions = [*_equalities(wanted), *_prices(wanted), *_span(wanted, after)]
    return query.where(*conditions).order_by(Message.id.desc()).limit(limit)


@asynccontextmanager
async def bounded(session: AsyncSession, *, longest_ms: int = LONGEST_MS) -> AsyncGenerator[None]:
    """
    Bound every statement of the block, which must be the transaction's last, and keep it to the indexes.

    A tenant with half of a month's messages would else be planned a walk over everybody's.

    Raises:
        SearchTooWide: One of them took longer.
    """
    await session.execute(_BOUNDS, {"limit": str(longest_ms)})
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _CANCELED:
            raise SearchTooWide(f"nothing was found in {longest_ms} ms") from error
        raise


def first_id(at: datetime) -> UUID:
    """Return the least id that a message accepted at or after an instant can have."""
    return UUID(int=_ms(at) << _MS)


def last_id(at: datetime) -> UUID:
    """Return the greatest id that a message accepted in the millisecond of an instant can have."""
    return UUID(int=((_ms(at) + 1) << _MS) - 1)


def _ms(at: datetime) -> int:
    return max(0, (at - _EPOCH) // timedelta(milliseconds=1))


def _equalities(wanted: Wanted) -> list[ColumnElement[bool]]:
    values: list[tuple[Any, Any]] = [
        (Message.country, wanted.country),
        (Message.type, wanted.type),
        (Message.channel, wanted.channel),
        (Message.sender_value, wanted.sender),
        (Message.template_id, wanted.template_id),
        (Message.carrier, wanted.carrier),
        (Message.mcc, wanted.mcc),
        (Message.mnc, wanted.mnc),
        (Message.reason_code, wanted.reason),
        (Message.provider_status, wanted.provider_status),
        (Message.client_reference, wanted.client_reference),
        (Message.feedback, wanted.feedback),
    ]
    found: list[ColumnElement[bool]] = [column == value for column, value in values if value is not None]
    if wanted.provider_message_id is not None:
        found.append(has_provider_id(wanted.provider_message_id))
    if wanted.status is not None:
        found.append(_has_status(wanted.status))
    if wanted.recipients is not None:
        found.append(_goes_to(wanted.recipients))
    if wanted.context:
        found.append(Message.context.op("@>")(bindparam(None, wanted.context, type_=JSONB)))
    return found


def _has_status(status: MessageStatus) -> ColumnElement[bool]:
    """Bad ends have a column and an index of their own."""
    return (Message.bad_end if status in FINALS - {"delivered"} else Message.status) == status


def _goes_to(recipients: tuple[tuple[UUID, bytes], ...]) -> ColumnElement[bool]:
    if len(recipients) == 1:
        ((tenant_id, digest),) = recipients
        return and_(Message.tenant_id == tenant_id, Message.recipient_hash == digest)
    return tuple_(Message.tenant_id, Message.recipient_hash).in_(recipients)


def _prices(wanted: Wanted) -> list[ColumnElement[bool]]:
    price = func.coalesce(Message.price_final, Message.price_estimated)

    def bound(of: PriceRange) -> ColumnElement[int]:
        return case((Message.unit == "credits", of.credits), else_=of.micros)

    found: list[ColumnElement[bool]] = []
    if wanted.price_from is not None:
        found.append(price >= bound(wanted.price_from))
    if wanted.price_to is not None:
        found.append(price <= bound(wanted.price_to))
    return found


def _span(wanted: Wanted, after: UUID | None) -> list[ColumnElement[bool]]:
    """Bound the ids, for the indexes, and the instants, for the partitions."""
    found: list[ColumnElement[bool]] = []
    if wanted.created_after is not None:
        found += [
            Message.created_at >= wanted.created_after,
            Message.id >= first_id(wanted.created_after),
        ]
    if wanted.created_before is not None:
        found += [
            Message.created_at < wanted.created_before,
            Message.id <= last_id(wanted.created_before),
        ]
    if after is not None:
        found += [Message.id < after, Message.created_at <= created_at(after)]
    return found
