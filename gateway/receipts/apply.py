"""
A batch of receipts into Postgres: events stored once, messages moved, money settled, tenants told.

One transaction: find the messages (by our id in the Context, else by AWS's id), lock them, insert the
events (a copy inserts nothing), fold the new ones, save. What no message claims is parked, sealed; it is
joined later or stays as evidence.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from gateway.messages.provider_ids import messages_of
from gateway.messages.state import MessageState, lock, save
from gateway.messages.status import Unmapped, outcome_of, project
from gateway.receipts.costs import with_every_price
from gateway.receipts.erased import unnamed
from gateway.receipts.event import InboundText, Receipt
from gateway.receipts.fold import fold
from gateway.receipts.protect_findings import findings
from gateway.receipts.several_texts import with_best_text
from gateway.receipts.stored_events import events_of_several
from gateway.telemetry import metrics
from tenants.accounts.sealing import DataKey
from tenants.compound import Write, arrays, relation
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

_PERSONAL = ("destinationPhoneNumber", "originationPhoneNumber")
"""Members of AWS's event that name a person; they are not stored with it."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Splits an event without reading what is in it."""

ParkReason = Literal["no_message", "foreign", "inbound", "unreadable", "unstorable", "unbelieved"]
"""
Why an event moves no message: none has its ids, or another one's than its Context names; it is an inbound
text; it cannot be read; the database refused it; a signature inside a trusted stream does not hold.
"""


class Stray(Struct, frozen=True, kw_only=True, tag="stray"):
    """Something that moves no message: an inbound text, an event that cannot be read, stored or believed."""

    event_key: bytes
    raw: bytes
    reason: ParkReason
    owner: UUID | None = None
    """The tenant in whose own AWS account it was published, whom alone it may concern; else None."""


Incoming: TypeAlias = Receipt | Stray
Applied: TypeAlias = Literal["applied", "repeated", "parked"]


def stray_of(inbound: InboundText) -> Stray:
    """Return an inbound text as what it is until the inbound road takes it: kept, and nobody's message."""
    return Stray(event_key=inbound.event_key, raw=inbound.raw, reason="inbound")


async def apply_batch(
    connection: HotConnection, batch: Sequence[Incoming], *, now: datetime, platform_key: DataKey
) -> list[Applied]:
    """Apply a batch in one transaction; one answer per item, in order."""
    async with connection.transaction():
        owners = await _owners(connection, [item for item in batch if isinstance(item, Receipt)])
        states = await lock(connection, set(owners.values()))
        owned: list[tuple[Receipt, MessageState]] = []
        homeless: list[Incoming] = []
        for item in batch:
            if isinstance(item, Receipt) and (state := _state_of(item, owners, states)) is not None:
                owned.append((item, state))
            else:
                homeless.append(item)
        fresh = await _store(connection, owned)
        await _move(connection, owned, fresh, now)
        await park(connection, homeless, platform_key)
    _count(owned, homeless, fresh.keys)
    parked = {id(item) for item in homeless}
    return [_answer(item, parked, fresh.keys) for item in batch]


def _state_of(
    receipt: Receipt, owners: dict[bytes, UUID], states: dict[UUID, MessageState]
) -> MessageState | None:
    """Return the message that it moves; what a tenant's own account publishes moves that tenant's alone."""
    named = owners.get(receipt.event_key)
    state = None if named is None else states.get(named)
    if state is None or receipt.owner not in {None, state.tenant_id}:
        return None
    return state


def _answer(item: Incoming, parked: Collection[int], fresh: Collection[bytes]) -> Applied:
    if id(item) in parked:
        return "parked"
    return "applied" if item.event_key in fresh else "repeated"


def _count(
    owned: Sequence[tuple[Receipt, MessageState]], homeless: Sequence[Incoming], fresh: Collection[bytes]
) -> None:
    """Count what became of a batch that is committed."""
    applied = Counter(r.event_type or r.status for r, _ in owned if r.event_key in fresh)
    for event_type, events in applied.items():
        metrics.RECEIPTS_APPLIED.labels(event_type=event_type).inc(events)
    metrics.RECEIPTS_REPEATED.inc(len(owned) - applied.total())
    parked = Counter("no_message" if isinstance(each, Receipt) else each.reason for each in homeless)
    for reason, events in parked.items():
        metrics.RECEIPTS_PARKED.labels(reason=reason).inc(events)


async def _owners(connection: HotConnection, receipts: Sequence[Receipt]) -> dict[bytes, UUID]:
    """Return the message that each event names; AWS's id is asked only for those without our Context."""
    owners = {r.event_key: r.message_id for r in receipts if r.message_id is not None}
    bare = [r for r in receipts if r.message_id is None]
    if bare:
        known = await messages_of(connection, [r.provider_message_id for r in bare])
        owners |= {r.event_key: known[r.provider_message_id] for r in bare if r.provider_message_id in known}
    return owners


_COLUMNS: Final = {
    "tenant_id": "uuid", "message_id": "uuid", "message_at": "timestamptz", "event_key": "bytea",
    "event_type": "word", "event_at": "timestamptz", "detail": "jsonb", "provider_message_id": "text",
    "price_micros": "bigint", "fee_micros": "bigint",
}  # fmt: skip
_ROWS: Final = relation(_COLUMNS).format(*(f"${number}" for number in range(1, len(_COLUMNS) + 1)))
_STORE: Final = f"""
    INSERT INTO receipts ({", ".join(_COLUMNS)})
    SELECT r.tenant_id, r.message_id, r.message_at, r.event_key, r.event_type, r.event_at,
        CASE WHEN t.data_key = '' THEN '{{}}' ELSE r.detail END, r.provider_message_id, r.price_micros,
        r.fee_micros
    FROM {_ROWS} r JOIN tenants t ON t.id = r.tenant_id
    ON CONFLICT DO NOTHING RETURNING event_key, CASE WHEN detail = '{{}}' THEN tenant_id END AS erased
"""  # noqa: S608 - names are ours
"""An event has members, so one that is stored without any is of a tenant that was erased."""


class _Fresh(Struct, frozen=True):
    """What was not there before."""

    keys: frozenset[bytes]
    """Of events."""
    erased: frozenset[UUID]
    """Tenants among theirs that were erased."""


async def _store(connection: HotConnection, owned: Sequence[tuple[Receipt, MessageState]]) -> _Fresh:
    """Insert the events, and return which were not there before."""
    if not owned:
        return _Fresh(frozenset(), frozenset())
    rows = await connection.fetch(
        _STORE,
        *arrays(
            _COLUMNS,
            [
                (
                    state.tenant_id,
                    state.id,
                    state.created_at,
                    receipt.event_key,
                    receipt.event_type or receipt.status,
                    receipt.at,
                    _impersonal(receipt.raw),
                    receipt.provider_message_id,
                    receipt.price_micros,
                    receipt.carrier_fee_micros,
                )
                for receipt, state in owned
            ],
        ),
    )
    return _Fresh(
        keys=frozenset(row["event_key"] for row in rows),
        erased=frozenset(row["erased"] for row in rows if row["erased"] is not None),
    )


def _impersonal(raw: bytes) -> dict[str, msgspec.Raw]:
    event = _MEMBERS.decode(raw)
    for name in _PERSONAL:
        event.pop(name, None)
    return event


async def _move(
    connection: HotConnection,
    owned: Sequence[tuple[Receipt, MessageState]],
    stored: _Fresh,
    now: datetime,
) -> None:
    fresh = [(receipt, state) for receipt, state in owned if receipt.event_key in stored.keys]
    named = [(receipt, state) for receipt, state in fresh if state.tenant_id not in stored.erased]
    metrics.RECEIPTS_OF_ERASED.inc(len(fresh) - len(named))
    before: dict[UUID, MessageState] = {}
    after: dict[UUID, MessageState] = {}
    for receipt, state in fresh:
        before.setdefault(state.id, state)
        after[state.id] = fold(after.get(state.id, state), receipt)
        metrics.RECEIPT_LAG_SECONDS.observe(max(0.0, (now - receipt.at).total_seconds()))
    _report_unmapped([receipt for receipt, _ in fresh])
    unanswered = {"queued", "dispatching"}
    answered = [i for i in before if before[i].status in unanswered and after[i].status not in unanswered]
    # An event is proof that AWS has it: an attempt of unknown outcome is known now.
    also = [Write("answered", _ANSWERED, (answered,))] if answered else []
    events = await events_of_several(connection, after.values())
    after |= with_every_price(after, events)
    after |= with_best_text(before, after, events)
    after |= unnamed(after, stored.erased)
    also += findings(named)
    changes = [(before[i], after[i]) for i in before]
    await save(connection, changes, now=now, also=also, untold=stored.erased)


_ANSWERED = "DELETE FROM dispatch_queue WHERE message_id = ANY({0}::uuid[])"
"""
Whatever its state: an attempt under way, unknown, or waiting to be sent once more; or one that was taken for
refused. What AWS has is not sent again, and its money, which is settled, is not given back by a cancel.
"""


def _report_unmapped(fresh: Sequence[Receipt]) -> None:
    """Raise the alarm on statuses that AWS has and the table lacks: such a message is never seen to end."""
    unmapped = [r.status for r in fresh if isinstance(outcome_of(project(None, r)), Unmapped)]
    if unmapped:
        metrics.RECEIPTS_UNMAPPED.inc(len(unmapped))
        _log.error("receipt_status_unmapped", statuses=sorted(set(unmapped)), events=len(unmapped))


async def park(connection: HotConnection, homeless: Sequence[Incoming], key: DataKey) -> None:
    """Keep what moves no message, each once, sealed under the operator's key."""
    if not homeless:
        return
    await connection.execute(
        """
        INSERT INTO parked_receipts (event_key, provider_message_id, reason, body_sealed, owner_id)
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::uuid[])
        ON CONFLICT DO NOTHING
        """,
        [item.event_key for item in homeless],
        [item.provider_message_id if isinstance(item, Receipt) else None for item in homeless],
        ["no_message" if isinstance(item, Receipt) else item.reason for item in homeless],
        [key.seal(item.raw, context=item.event_key) for item in homeless],
        [item.owner for item in homeless],
    )
