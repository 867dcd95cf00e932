"""
One transaction for many sends: idempotency, credit, message, queue row, ledger hold and event, or nothing.

Nearly always one statement writes all of it, and its constraints hold what the rules demand (docs/adr/0006).
Where one breaks, the order is: lock the balances (in the order of tenant ids), look up the idempotency keys
(race-free under that lock), decide, write. `decide` is pure; only `commit_batch` does I/O.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from gateway.faultpoints import FaultPoint, fp
from gateway.intake import allowance
from gateway.intake.allowance import Guesses, guessed
from gateway.intake.idempotency import StoredAnswer, key_writes, look_up
from gateway.intake.new_message import NewMessage
from gateway.messages.change import describe_change
from gateway.messages.outbox import WAKE, NewEvent, event_writes
from gateway.messages.view import StatusReason
from tenants.budgets.budget import Count, resets_at
from tenants.budgets.counting import (
    Counter,
    CounterKey,
    count_writes,
    first_over,
    lock_counters,
    note_stopped,
    still_spent_writes,
    take,
)
from tenants.compound import Alike, Write, execute, insert_alike
from tenants.credits.batch import LockedBalance, Movement, ledger_writes, lock_balances, note_refused
from tenants.ids import new_uuid
from tenants.tables import HotConnection


class Stored(Struct, frozen=True, tag=True):
    """Committed: the message exists and its credit is held."""

    batch_id: UUID | None
    """The outbox batch that owes its push; None where the relay will find it."""
    included: int = 0
    """What of it the tenant's bundle covers; `allowance.covered` says what that leaves to pay."""


class Replay(Struct, frozen=True, tag=True):
    """The key was used before, for the same request."""

    message_id: UUID


class KeyMismatch(Struct, frozen=True, tag=True):
    """The key was used before, for another request."""


class NoCredit(Struct, frozen=True, tag=True):
    """The tenant's available credit does not cover the hold."""

    available: int
    needed: int


class PlanChanged(Struct, frozen=True, tag=True):
    """The tenant's balance counts in another unit than the price: its plan moved meanwhile."""


class TooDear(Struct, frozen=True, tag=True):
    """The bundle covers too little of it: it would cost more than the request's `max_price`."""


class OverBudget(Struct, frozen=True, tag=True):
    """A monthly budget would be passed."""

    budget: Count
    used: int
    """What was counted before, in the unit of the budget's owner."""

    @property
    def resets_at(self) -> datetime:
        """When the next month begins for it."""
        return resets_at(self.budget.month)


Decision: TypeAlias = Stored | Replay | KeyMismatch | NoCredit | PlanChanged | TooDear | OverBudget

_MESSAGES = Alike(
    table="messages",
    own={
        "id": "uuid", "created_at": "timestamptz", "recipient_hash": "bytea", "to_sealed": "bytea",
        "body_sealed": "bytea", "send_at": "timestamptz", "estimated_dispatch_at": "timestamptz",
        "expires_at": "timestamptz", "content": "jsonb", "context": "jsonb", "client_reference": "text",
        "rulings": "jsonb",
    },
    shared={
        "tenant_id": "uuid", "test": "boolean", "status": "word", "channel": "word", "type": "word",
        "country": "word", "template_id": "uuid", "template_version": "int", "encoding": "word",
        "parts": "smallint", "unit": "word", "price_estimated": "bigint", "max_price_micros": "bigint",
        "account_id": "uuid", "sender_id": "uuid", "sender_value": "word", "sender_arn": "word",
        "configuration_set": "word", "protect_configuration_id": "uuid", "feedback": "word",
        "cost_estimated": "bigint", "included": "int",
    },
)  # fmt: skip
_QUEUE = Alike(
    table="dispatch_queue",
    own={"message_id": "uuid", "due_at": "timestamptz", "lane": "jsonb", "need": "jsonb"},
    shared={"tenant_id": "uuid", "route": "word", "state": "word"},
)
_own_of_message = attrgetter(*_MESSAGES.own)
_shared_of_message = attrgetter(*_MESSAGES.shared)
_OUTBOX = "INSERT INTO outbox_batches (id, message_ids) VALUES ({0}::uuid, {1}::uuid[])"


def decide(
    batch: Sequence[NewMessage],
    balances: Mapping[UUID, LockedBalance],
    stored: Mapping[tuple[UUID, str], StoredAnswer],
    batch_id: UUID,
    counters: dict[CounterKey, Counter] | None = None,
) -> list[Decision]:
    """
    Decide each send in the order of arrival, letting earlier ones of the batch count for later ones.

    `balances` and `counters` are moved along: what one send holds is gone for the next.
    """
    answers = dict(stored)
    decisions: list[Decision] = []
    for message in batch:
        decision = _decide_one(message, balances, answers, batch_id, counters or {})
        if isinstance(decision, Stored) and message.idempotent is not None:
            answers[message.tenant_id, message.idempotent.key] = StoredAnswer(
                fingerprint=message.idempotent.fingerprint, message_id=message.id
            )
        decisions.append(decision)
    return decisions


def _decide_one(
    message: NewMessage,
    balances: Mapping[UUID, LockedBalance],
    answers: Mapping[tuple[UUID, str], StoredAnswer],
    batch_id: UUID,
    counters: dict[CounterKey, Counter],
) -> Decision:
    if (answered := _answered_before(message, answers)) is not None:
        return answered
    balance = balances.get(message.tenant_id)
    if balance is not None and balance.unit != message.unit:
        return PlanChanged()
    message = allowance.covered(message, allowance.coverable(message, counters))
    if message.too_dear:
        return TooDear()
    if (over := first_over(message.counts, counters)) is not None:
        return OverBudget(budget=over, used=counters[over.key].used)
    if balance is None or not balance.take(message.hold):
        return NoCredit(available=balance.available if balance else 0, needed=message.hold)
    take(message.counts, counters)
    allowance.take(message, counters)
    return Stored(batch_id=batch_id, included=message.included)


def _answered_before(
    message: NewMessage, answers: Mapping[tuple[UUID, str], StoredAnswer]
) -> Replay | KeyMismatch | None:
    if message.idempotent is None:
        return None
    known = answers.get((message.tenant_id, message.idempotent.key))
    if known is None:
        return None
    if known.fingerprint != message.idempotent.fingerprint or known.message_id is None:
        return KeyMismatch()
    return Replay(known.message_id)


async def commit_batch(
    connection: HotConnection, batch: Sequence[NewMessage], guesses: Guesses | None = None
) -> list[Decision]:
    """
    Store what can be stored of `batch` atomically; return one decision per send, in order.

    Nearly always everything can: so everything is tried first, as one statement without a transaction
    around it. A hold that is not covered, a budget that is spent or a key that was used breaks a constraint,
    and with it the whole statement; then the batch is decided send by send under the locks.

    Args:
        guesses: What earlier batches learned of bundles; without it each bundle is taken to have room.

    Raises:
        asyncpg.PostgresError: Nothing of the batch is stored.
    """
    batch_id = new_uuid()
    guesses = guesses or Guesses()
    await fp(FaultPoint.ACCEPT_BEFORE_COMMIT)
    tried = guessed(batch, guesses)
    if tried is None:
        return await _commit_decided(connection, batch, batch_id, guesses)
    try:
        held = still_spent_writes(allowance.undrawn(tried))
        await execute(connection, _writes(tried, batch_id, reuse_keys=False, also=held), WAKE)
    except _UNDECIDED:
        return await _commit_decided(connection, batch, batch_id, guesses)
    await fp(FaultPoint.ACCEPT_AFTER_COMMIT)
    if tried is batch:
        return [Stored(batch_id=batch_id)] * len(batch)
    return [Stored(batch_id=batch_id, included=message.included) for message in tried]


_UNDECIDED = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError, asyncpg.DeadlockDetectedError)


async def _commit_decided(
    connection: HotConnection, batch: Sequence[NewMessage], batch_id: UUID, guesses: Guesses
) -> list[Decision]:
    bundles = [message.bundle for message in batch if message.bundle is not None]
    async with connection.transaction():
        balances = await lock_balances(connection, (message.tenant_id for message in batch))
        keys = [(m.tenant_id, m.idempotent.key) for m in batch if m.idempotent is not None]
        stored = await look_up(connection, keys) if keys else {}
        counters = await lock_counters(connection, (*(c for m in batch for c in m.counts), *bundles))
        decisions = decide(batch, balances, stored, batch_id, counters)
        await note_refused(
            connection,
            (m.tenant_id for m, d in zip(batch, decisions, strict=True) if isinstance(d, NoCredit)),
        )
        await note_stopped(connection, (d.budget.key for d in decisions if isinstance(d, OverBudget)))
        accepted = [
            allowance.covered(m, decision.included)
            for m, decision in zip(batch, decisions, strict=True)
            if isinstance(decision, Stored)
        ]
        if accepted:
            await execute(connection, _writes(accepted, batch_id, reuse_keys=True), WAKE)
        await fp(FaultPoint.ACCEPT_IN_COMMIT)
    guesses.learn(bundles, counters)
    return decisions


def _writes(
    accepted: Sequence[NewMessage], batch_id: UUID, *, reuse_keys: bool, also: Sequence[Write] = ()
) -> list[Write]:
    due = tuple([message.id for message in accepted if message.status == "queued"])
    messages = [(_own_of_message(m), _shared_of_message(m)) for m in accepted]
    queue = [((m.id, m.send_at, m.entry, m.need), (m.tenant_id, m.route, m.status)) for m in accepted]
    keys = (
        (m.tenant_id, m.idempotent.key, m.idempotent.fingerprint, m.id, m.idempotent.expires_at)
        for m in accepted
        if m.idempotent is not None
    )
    return [
        *ledger_writes(
            [_hold(message) for message in accepted if not message.test],
            also_lock=(message.tenant_id for message in accepted),
        ),
        *count_writes((*(c for m in accepted for c in m.counts), *allowance.drawn_counts(accepted))),
        *also,
        *key_writes(keys, reuse=reuse_keys),
        insert_alike("stored_messages", _MESSAGES, messages),
        insert_alike("queued", _QUEUE, queue),
        Write("outbox", _OUTBOX, (batch_id, due)),
        *event_writes([_queued_event(message) for message in accepted]),
    ]


def _hold(message: NewMessage) -> Movement:
    return Movement(
        tenant_id=message.tenant_id,
        subject_id=message.id,
        subject_at=message.created_at,
        kind="hold",
        unit=message.unit,
        available=-message.hold,
        held=message.hold,
    )


def _queued_event(message: NewMessage) -> NewEvent:
    return NewEvent(
        tenant_id=message.tenant_id,
        type="message.queued",
        message_id=message.id,
        data=_queued_change(
            message.status, message.unit, message.price_estimated, message.rulings and message.rulings.held
        ),
    )


@lru_cache(maxsize=1024)
def _queued_change(status: str, unit: str, price_estimated: int, held: StatusReason | None) -> msgspec.Raw:
    """A campaign's messages begin alike, so what is said of them is said once."""
    reason = None if held is None else (held.code, held.detail)
    return describe_change(status=status, reason=reason, unit=unit, price_estimated=price_estimated)
