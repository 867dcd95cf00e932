"""
The moving part of messages, read under lock, changed in memory, written back once.

Dispatch, receipts and sweeps all go: lock → decide (pure) → `save`. `save` writes the state, settles the
money to its target and stores the events, all in the caller's transaction, so that status, ledger and
webhooks can never tell different stories.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Final
from uuid import UUID

from msgspec import Struct, structs

from gateway.messages.change import describe_change
from gateway.messages.outbox import WAKE, NewEvent, event_writes
from gateway.messages.status import FINALS, MessageStatus
from tenants.budgets.counting import Return, return_writes
from tenants.compound import Write, execute
from tenants.credits.batch import (
    LOCKED_BALANCES,
    LockedBalance,
    Movement,
    given_back,
    ledger_writes,
    lock_balances,
)
from tenants.credits.counting import Counted, count_writes
from tenants.credits.settlement import Leg, Position, Settlement, for_minutes, lapsed, settle, target
from tenants.ids import created_at
from tenants.tables import HotConnection


class MessageState(Struct, frozen=True):
    """
    One message's row as far as it changes; a decision is a `structs.replace` of it.

    Rows are read in the order of the members: by name, making a state of one takes twenty times as long.
    """

    tenant_id: UUID
    id: UUID
    created_at: datetime
    test: bool
    type: str
    unit: str
    price_estimated: int
    expires_at: datetime
    status: MessageStatus
    reason_code: str | None
    reason_detail: str | None
    price_final: int | None
    price_excess: int
    dispatched_at: datetime | None
    final_at: datetime | None
    attempts: int
    sequence: int
    provider_message_id: str | None
    provider_status: str | None
    carrier: str | None
    mcc: str | None
    mnc: str | None
    provider_price_micros: int | None
    provider_fee_micros: int | None
    cost_micros: int
    cost_revision: int
    receipt_rank: int
    receipt_at: datetime | None
    receipt_name: str | None
    resend_of_unknown: bool
    channel: str = "sms"
    parts: int = 1
    """What was held for: parts of an SMS, 1 for an MMS, minutes of a call."""
    call_seconds: int | None = None
    included: int = 0
    """What of it the tenant's bundle covers."""
    other_ids: bool = False
    """Whether AWS has it under more ids than `provider_message_id`."""
    provider_parts: int | None = None
    provider_encoding: str | None = None

    def has_another_id(self, provider_message_id: str) -> bool:
        """Return whether AWS has it under more than one id, now that it is named by this one."""
        return self.other_ids or self.provider_message_id not in {None, provider_message_id}


_COLUMNS = ", ".join(MessageState.__struct_fields__)
_LOCK = f"""
    SELECT {_COLUMNS} FROM messages
    WHERE id = ANY($1::uuid[]) AND created_at BETWEEN $2 AND $3 ORDER BY id FOR UPDATE
"""  # noqa: S608 - the names are a struct's fields

_PROGRESS: Final = {
    "status": "text", "reason_code": "text", "reason_detail": "text", "dispatched_at": "timestamptz",
    "final_at": "timestamptz", "attempts": "smallint", "sequence": "smallint", "provider_message_id": "text",
    "resend_of_unknown": "boolean", "other_ids": "boolean",
}  # fmt: skip
_RECEIVED: Final = {
    "provider_status": "text", "carrier": "text", "mcc": "text", "mnc": "text",
    "provider_price_micros": "bigint", "provider_fee_micros": "bigint", "cost_micros": "bigint",
    "cost_revision": "smallint", "receipt_rank": "smallint", "receipt_at": "timestamptz",
    "receipt_name": "text", "call_seconds": "integer", "provider_parts": "smallint",
    "provider_encoding": "text",
}  # fmt: skip
_PAID: Final = {"price_final": "bigint", "price_excess": "bigint"}
_GROUPS: Final = (_PROGRESS, _RECEIVED, _PAID)
"""Columns that change together; a batch writes the groups in which anything has changed."""
_KEY: Final = ("tenant_id", "id", "created_at")


_EVENT_OF: dict[MessageStatus, str] = {
    "sent": "message.sent",
    "delivered": "message.delivered",
    "undelivered": "message.undelivered",
    "failed": "message.failed",
    "expired": "message.expired",
    "canceled": "message.canceled",
    "unknown": "message.unknown",
}


async def lock(connection: HotConnection, message_ids: Iterable[UUID]) -> dict[UUID, MessageState]:
    """Lock the messages in the order of their ids and return them; absent ones are left out."""
    ids = sorted(set(message_ids))
    if not ids:
        return {}
    rows = await connection.fetch(_LOCK, ids, created_at(ids[0]), created_at(ids[-1]))
    states = [MessageState(*row) for row in rows]
    return {state.id: state for state in states}


async def save(
    connection: HotConnection,
    changes: Sequence[tuple[MessageState, MessageState]],
    *,
    now: datetime,
    also: Sequence[Write] = (),
    untold: Collection[UUID] = (),
) -> list[MessageState]:
    """
    Write what changed: rows, money and events. Returns the states as written.

    Args:
        changes: Pairs of the locked state and the decided one; equal pairs cost nothing.
        also: What else belongs to the same statement.
        untold: Tenants that hear nothing any more, since they were erased.
    """
    moved = [(before, _closed(before, after, now)) for before, after in changes if before != after]
    if not moved:
        await execute(connection, also)
        return []
    movements, counted, settled = await _settle(connection, moved)
    paid = {movement.subject_id for movement in movements if movement.kind != "cost"}
    told = [(before, _numbered(before, after, paid=after.id in paid)) for before, after in settled]
    events = [
        _event(after)
        for before, after in told
        if before.status != after.status and after.status in _EVENT_OF and after.tenant_id not in untold
    ]
    postings = ledger_writes(movements)
    writes = [
        _saved(told),
        *postings,
        *count_writes(counted),
        *return_writes(_returns(told), after_balances=any(each.name == LOCKED_BALANCES for each in postings)),
        *(event_writes(events) if events else []),
        *also,
    ]
    await execute(connection, writes, WAKE if events else "SELECT 1")
    return [after for _, after in told]


def _closed(before: MessageState, after: MessageState, now: datetime) -> MessageState:
    """Stamp the moment at which a message became final for the first time."""
    if after.status in FINALS and before.final_at is None:
        return structs.replace(after, final_at=now)
    return after


async def _settle(
    connection: HotConnection, moved: Sequence[tuple[MessageState, MessageState]]
) -> tuple[list[Movement], list[Counted], list[tuple[MessageState, MessageState]]]:
    """
    Bring each final message's money, and what AWS charged for any, to its target.

    A first settlement only divides its own hold. A later one may need credit, so the balance is read first.
    """
    again = any(_is_settled(before) and not after.test for before, after in moved)
    # All of them at once: locking some first would break the order of tenant ids.
    balances = await lock_balances(connection, (after.tenant_id for _, after in moved)) if again else {}
    returned = await given_back(
        connection, (_place(after) for before, after in moved if _is_refund(before, after))
    )
    movements: list[Movement] = []
    counted: list[Counted] = []
    settled: list[tuple[MessageState, MessageState]] = []
    for before, after in moved:
        if after.test:
            settled.append((before, _free(after)))
            continue
        booked, costs = _booked(before, after)
        made: list[Movement] = []
        if after.status in FINALS:
            position = structs.replace(_position(before), given_back=returned.get(after.id, 0))
            made, booked = _paid(position, before, booked, balances.get(after.tenant_id))
        movements += [*made, *costs]
        if made or costs:
            counted.append(_count(before, booked))
        settled.append((before, booked))
    return movements, counted, settled


_FILE_FAULTS: Final = frozenset({"FILE_INACCESSIBLE", "FILE_TYPE_UNSUPPORTED", "FILE_SIZE_EXCEEDED"})
"""The gateway judged and staged the file: what AWS finds wrong with it is not the tenant's to pay."""


def _free(state: MessageState) -> MessageState:
    """A test message costs nobody anything, whatever a carrier says."""
    return structs.replace(state, cost_micros=0, price_final=0 if state.status in FINALS else None)


def _booked(before: MessageState, after: MessageState) -> tuple[MessageState, list[Movement]]:
    """Bring what is booked as AWS's charge to what the events say it is."""
    more = after.cost_micros - before.cost_micros
    if not more:
        return after, []
    booked = structs.replace(after, cost_revision=before.cost_revision + 1)
    cost = Movement(
        tenant_id=booked.tenant_id,
        subject_id=booked.id,
        subject_at=booked.created_at,
        kind="cost",
        revision=booked.cost_revision,
        unit="micros",
        cogs=more,
        payable=-more,
    )
    return booked, [cost]


def _place(state: MessageState) -> tuple[UUID, UUID, datetime]:
    return state.tenant_id, state.id, state.created_at


def _is_refund(before: MessageState, after: MessageState) -> bool:
    """Return whether a settled message costs less than it did."""
    if after.test or not _is_settled(before):
        return False
    return _target(after, hold=after.price_estimated) < _position(before).charged


def _paid(
    position: Position, before: MessageState, after: MessageState, balance: LockedBalance | None
) -> tuple[list[Movement], MessageState]:
    """Settle one final message; `balance` is moved along, so that the next one sees what is left or freed."""
    settlement = settle(
        position,
        target=_target(after, hold=after.price_estimated),
        available=_spendable(balance, after.unit),
        lapsed=lapsed(after.status),  # type: ignore[arg-type]  # only finals come here
    )
    charged = _charged(before, after, settlement)
    made = _movements(after, settlement, included=_used(charged) - _used(before))
    if balance is not None:
        balance.posted += sum(movement.available + movement.held for movement in made)
        balance.held += sum(movement.held for movement in made)
    return made, charged


def _spendable(balance: LockedBalance | None, unit: str) -> int | None:
    """Return what a later settlement may take; None where the plan has changed to another unit since."""
    if balance is None:
        return 0
    return balance.available if balance.unit == unit else None


def _count(before: MessageState, after: MessageState) -> Counted:
    return Counted(
        tenant_id=after.tenant_id,
        message_id=after.id,
        message_at=after.created_at,
        first=after.price_final is not None and before.price_final is None,
        charged=(after.price_final or 0) - (before.price_final or 0),
        cost_micros=after.cost_micros - before.cost_micros,
        included=_used(after) - _used(before),
    )


def _used(state: MessageState) -> int:
    """Return what a settled message uses of the bundle: what it drew, unless it cost nothing after all."""
    return state.included if state.included and _is_settled(state) and _costs(state) else 0


def _is_settled(state: MessageState) -> bool:
    return state.price_final is not None


def _charged(before: MessageState, after: MessageState, settlement: Settlement) -> MessageState:
    excess = before.price_excess + settlement.excess
    charged = _position(before).charged + settlement.capture + settlement.recapture
    return structs.replace(after, price_final=charged - excess, price_excess=excess)


def _position(state: MessageState) -> Position:
    return Position(
        hold=state.price_estimated,
        settled=_is_settled(state),
        charged=(state.price_final or 0) + state.price_excess,
        excess=state.price_excess,
    )


def _target(state: MessageState, *, hold: int) -> int:
    if state.receipt_name in _FILE_FAULTS:
        return 0
    whole = target(
        state.status,  # type: ignore[arg-type]  # only finals come here
        hold=hold,
        aws_accepted=state.provider_message_id is not None or state.receipt_rank > 0,
        aws_price_micros=state.provider_price_micros,
    )
    if state.channel != "voice":
        return whole
    return for_minutes(whole, minutes=state.parts, call_seconds=state.call_seconds)


def _returns(moved: Sequence[tuple[MessageState, MessageState]]) -> list[Return]:
    """A message counts against its budgets from the accept on, unless it turns out to cost nothing."""
    return [
        Return(
            tenant_id=after.tenant_id,
            message_id=after.id,
            created_at=after.created_at,
            sign=int(_costs(after)) - int(_costs(before)),
        )
        for before, after in moved
        if not after.test and _costs(after) != _costs(before)
    ]


def _costs(state: MessageState) -> bool:
    return state.status not in FINALS or _target(state, hold=1) > 0


def _movements(state: MessageState, settlement: Settlement, *, included: int) -> list[Movement]:
    """
    A revision per change of state keeps the ledger's key unique however often a message is corrected.

    What is used of the bundle stands on the first leg; where no money moves it has one of its own.
    """
    legs = settlement.legs or ((Leg(kind="recapture"),) if included else ())
    return [
        Movement(
            tenant_id=state.tenant_id,
            subject_id=state.id,
            subject_at=state.created_at,
            kind=leg.kind,
            revision=state.sequence,
            unit=state.unit,
            available=leg.available,
            held=leg.held,
            revenue=leg.revenue,
            adjustment=leg.adjustment,
            included=0 if number else included,
        )
        for number, leg in enumerate(legs)
    ]


def _numbered(before: MessageState, after: MessageState, *, paid: bool) -> MessageState:
    """Count what is told or paid: the number is the event's sequence and the transfers' revision."""
    counts = paid or (before.status != after.status and after.status in _EVENT_OF)
    return structs.replace(after, sequence=before.sequence + 1) if counts else after


def _event(state: MessageState) -> NewEvent:
    reason = (state.reason_code, state.reason_detail or "") if state.reason_code else None
    return NewEvent(
        tenant_id=state.tenant_id,
        type=_EVENT_OF[state.status],
        message_id=state.id,
        sequence=state.sequence,
        data=describe_change(
            status=state.status,
            reason=reason,
            attempts=state.attempts,
            unit=state.unit,
            price_estimated=state.price_estimated,
            price_final=state.price_final,
            carrier=state.carrier,
            dispatched_at=state.dispatched_at,
            final_at=state.final_at,
            provider_message_id=state.provider_message_id,
            provider_status=state.provider_status,
            resend_of_unknown=state.resend_of_unknown,
        ),
    )


def _saved(told: Sequence[tuple[MessageState, MessageState]]) -> Write:
    """Return the update of the rows, in the columns that have changed in any of them."""
    columns = tuple(name for group in _GROUPS if _has_changed(told, group) for name in group)
    columns = columns or tuple(_PROGRESS)
    states = [after for _, after in told]
    arrays = [list(map(attrgetter(name), states)) for name in (*_KEY, *columns)]
    return Write("saved", _save_sql(columns), tuple(arrays))


def _has_changed(told: Sequence[tuple[MessageState, MessageState]], names: Iterable[str]) -> bool:
    values = attrgetter(*names)
    return any(values(before) != values(after) for before, after in told)


@cache
def _save_sql(columns: tuple[str, ...]) -> str:
    kinds = {name: kind for group in _GROUPS for name, kind in group.items()}
    values = "".join(f", {{{n}}}::{kinds[name]}[]" for n, name in enumerate(columns, start=len(_KEY)))
    return f"""
        UPDATE messages m SET {", ".join(f"{name} = d.{name}" for name in columns)}
        FROM unnest({{0}}::uuid[], {{1}}::uuid[], {{2}}::timestamptz[]{values})
            AS d ({", ".join((*_KEY, *columns))})
        WHERE m.tenant_id = d.tenant_id AND m.id = d.id AND m.created_at = d.created_at
    """  # noqa: S608 - the names are ours
