"""
What became of attempts, recorded in batches: `Sent`, `Refused`, `NotSent`, `Unknown`, or expired on the way.

`decide` is pure. A receipt may have been faster than the record (it carries our Context) and then already
moved the message on and taken its queue row; the record then only adds what it alone knows. A record may also
come late, when the attempt counts as unknown and waits to be made once more: an outcome ends that wait.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct, structs
from prometheus_client import Counter

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS, REFUSED_ROWS
from gateway.db.write_behind import WriteBehind
from gateway.dispatch.expiry import expired
from gateway.dispatch.given_up import given_up
from gateway.dispatch.mark import MarkedMessage
from gateway.dispatch.quarantine import MOST_CLAIMS
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.state import MessageState, lock, save
from gateway.messages.status import advance
from gateway.telemetry import metrics
from tenants.compound import Write
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

WORTH_A_COMMIT = 128
MAX_BATCH = 512
LONGEST_LINE = 2 * MAX_BATCH
"""
Results that may wait while places are given out again: one batch at its commit and one that gathers. Beyond
it a call keeps its place.
"""
NOT_OPENED = "not_opened"
_OPENED_AGAIN_IN = timedelta(seconds=5)
_LINGER_S = 0.02
"""Results gathered for this long share a commit, unless there are enough for one; nobody waits for them."""
_RETRY_S = 0.5


class Expired(Struct, frozen=True, kw_only=True, tag="expired"):
    """Its life ended before its turn came; no call was made."""


class NotOpened(Struct, frozen=True, kw_only=True, tag="not_opened"):
    """Its own content could not be read, so no call was made; three times in a row and it is taken out."""


Result: TypeAlias = Sent | Refused | NotSent | Unknown | Expired | NotOpened


class Recorded(Struct, frozen=True, kw_only=True):
    """One attempt and its result, waiting to be written."""

    message: MarkedMessage
    result: Result
    at: datetime
    called: bool = True
    """Whether the carrier was asked."""


class QueueChange(Struct, frozen=True, kw_only=True):
    """What happens to the queue row: gone, or waiting in another state until `due_at`."""

    message_id: UUID
    attempt: int
    leased_until: datetime
    state: str | None
    """None deletes the row."""
    due_at: datetime | None = None
    next_attempt: int = 0
    waits_for: str | None = None
    """Why it was not sent, for whoever asks while it waits."""
    in_vain: bool = False
    """The claim counts towards the quarantine; any other outcome begins that count anew."""


_UNANSWERED: Final = frozenset({"scheduled", "queued", "dispatching"})


def decide(
    recorded: Recorded,
    state: MessageState,
    *,
    unknown_wait: timedelta,
    now: datetime,
    superseded: bool = False,
) -> tuple[MessageState, QueueChange]:
    """
    Return the message and its queue row after one result.

    Args:
        superseded: Whether another attempt was made since, of which the end of this one says nothing.
        now: When it is written, which may be long after the result; the wait for a receipt begins then.
    """
    marked, result = recorded.message, recorded.result
    gone = QueueChange(
        message_id=marked.message_id, attempt=marked.attempt, leased_until=marked.leased_until, state=None
    )
    attempts = max(state.attempts, marked.attempt)
    after_unknown = marked.attempt > 1
    match result:
        case Sent(provider_message_id=provider_id):
            return structs.replace(
                state,
                status=advance(state.status, "sent"),
                provider_message_id=provider_id,
                other_ids=state.has_another_id(provider_id),
                dispatched_at=state.dispatched_at or recorded.at,
                attempts=attempts,
            ), gone
        case Refused() | Expired() if superseded:
            return state, gone
        case Refused() as refusal:
            return _refused(state, refusal, attempts, after_unknown=after_unknown), gone
        case Expired():
            return expired(state, marked.waits_for, after_unknown=after_unknown), gone
        case NotSent() | NotOpened() | Unknown() if state.status in _UNANSWERED:
            return _waits(recorded, result, state, gone, until=now + unknown_wait)
        case _:
            return state, gone


def _waits(
    recorded: Recorded,
    result: NotSent | NotOpened | Unknown,
    state: MessageState,
    gone: QueueChange,
    *,
    until: datetime,
) -> tuple[MessageState, QueueChange]:
    """Keep the row: for another try, or where the outcome is unknown for a receipt, `until` then."""
    attempt = recorded.message.attempt
    if isinstance(result, Unknown):
        waiting = structs.replace(gone, state="unknown", due_at=until, next_attempt=attempt)
        attempts = max(state.attempts, attempt)
        return structs.replace(state, status=advance(state.status, "dispatching"), attempts=attempts), waiting
    again = structs.replace(gone, state="scheduled", next_attempt=attempt - 1)
    if isinstance(result, NotOpened):
        due_at = recorded.at + _OPENED_AGAIN_IN
        return state, structs.replace(again, due_at=due_at, waits_for=NOT_OPENED, in_vain=True)
    # If its life ends sooner, it ends then, and not in the morning: its money is held.
    due_at = min(recorded.at + timedelta(milliseconds=result.retry_after_ms), state.expires_at)
    return state, structs.replace(again, due_at=due_at, waits_for=result.reason)


def _refused(state: MessageState, refusal: Refused, attempts: int, *, after_unknown: bool) -> MessageState:
    if after_unknown:
        return structs.replace(given_up(state), attempts=attempts)
    moved = advance(state.status, "failed")
    if moved == state.status:
        return state
    return structs.replace(
        state, status=moved, reason_code=refusal.code, reason_detail=refusal.detail, attempts=attempts
    )


_ATTEMPTS = "SELECT message_id, attempt FROM dispatch_queue WHERE message_id = ANY($1::uuid[])"
_DELETE = """
    DELETE FROM dispatch_queue q USING unnest({0}::uuid[], {1}::smallint[]) AS d (message_id, attempt)
    WHERE q.message_id = d.message_id AND q.message_id = ANY({0}) AND q.attempt = d.attempt
"""
"""
Whatever its state: a row that waits to be sent once more has the number of the attempt before, and that one
has ended.
"""
_WAIT = f"""
    UPDATE dispatch_queue q SET
        state = CASE WHEN d.in_vain AND q.claims + 1 >= {MOST_CLAIMS} THEN 'quarantined' ELSE d.state END,
        due_at = d.due_at, attempt = d.next_attempt, worker = NULL, waits_for = d.waits_for,
        claims = CASE WHEN d.in_vain THEN q.claims + 1 ELSE 0 END
    FROM unnest({{0}}::uuid[], {{1}}::timestamptz[], {{2}}::text[], {{3}}::timestamptz[], {{4}}::smallint[],
            {{5}}::text[], {{6}}::boolean[])
        AS d (message_id, leased_until, state, due_at, next_attempt, waits_for, in_vain)
    WHERE q.message_id = d.message_id AND q.message_id = ANY({{0}}) AND q.due_at = d.leased_until
        AND q.state || '' = 'dispatching'
"""  # noqa: S608 - the number is ours
"""By the lease and not the attempt's number: a record written twice must not end the mark that came after."""


async def record_batch(
    connection: HotConnection, batch: Sequence[Recorded], *, unknown_wait: timedelta, now: datetime
) -> None:
    """Write a batch of results in one transaction."""
    async with connection.transaction():
        states = await lock(connection, [recorded.message.message_id for recorded in batch])
        superseded = await _superseded(connection, batch, states)
        decided = [
            (
                states[r.message.message_id],
                *decide(
                    r,
                    states[r.message.message_id],
                    unknown_wait=unknown_wait,
                    now=now,
                    superseded=r.message.message_id in superseded,
                ),
            )
            for r in batch
            if r.message.message_id in states
        ]
        queue = _queue_writes([change for _, _, change in decided])
        await save(connection, [(before, after) for before, after, _ in decided], now=now, also=queue)
        await fp(FaultPoint.RECORD_IN_COMMIT)


async def _superseded(
    connection: HotConnection, batch: Sequence[Recorded], states: Mapping[UUID, MessageState]
) -> Collection[UUID]:
    """
    Return the messages that were marked for a second attempt since the one that is recorded.

    The worker of the first stood still for as long as lease and wait together; the queue row, where there is
    one still, has the number of the last.
    """
    first = [r.message.message_id for r in batch if r.message.attempt == 1]
    resent = [each for each in first if each in states and states[each].resend_of_unknown]
    if not resent:
        return ()
    last = {row["message_id"]: row["attempt"] for row in await connection.fetch(_ATTEMPTS, resent)}
    return {each for each in resent if last.get(each) != 1}


def _queue_writes(changes: Sequence[QueueChange]) -> list[Write]:
    gone = [(c.message_id, c.attempt) for c in changes if c.state is None]
    waiting = [
        (c.message_id, c.leased_until, c.state, c.due_at, c.next_attempt, c.waits_for, c.in_vain)
        for c in changes
        if c.state is not None
    ]
    return [
        Write(name, sql, tuple(zip(*rows, strict=True)))
        for name, sql, rows in (("done", _DELETE, gone), ("waiting", _WAIT, waiting))
        if rows
    ]


class FailOver(Protocol):
    """Finds another sender for what failed; `gateway.dispatch.rerouting.Rerouting` fits."""

    def observe(self, message: MarkedMessage, result: Result) -> None:
        """Count what a call came to for the health of its sender and route."""
        ...

    async def take(self, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        """Move messages to other senders; returns the results that are left to be recorded."""
        ...


class Recorder:
    """
    Gathers results while a commit is under way and writes them together.

    A result is never dropped: while Postgres is away the batch is tried again. If the process dies first,
    the mark's lease runs out and the attempt is unknown, which is what it then is.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        clock: Clock,
        *,
        unknown_wait: timedelta,
        failover: "FailOver | None" = None,
    ) -> None:
        self._pool = pool
        self._failover = failover
        self._clock = clock
        self._unknown_wait = unknown_wait
        self._line = WriteBehind(self._write, linger_s=_LINGER_S, worth=WORTH_A_COMMIT, at_most=MAX_BATCH)

    def put(self, message: MarkedMessage, result: Result, *, called: bool = True) -> None:
        """
        Take one result to be written with the next batch.

        Args:
            called: Whether the carrier was asked. What was kept back without a call, such as the messages of
                a disabled sender, says nothing about the health of anybody.
        """
        _counter(message.route, _name(result)).inc()
        if called and self._failover is not None:
            self._failover.observe(message, result)
        self._line.put(Recorded(message=message, result=result, at=self._clock.now(), called=called))

    async def run(self) -> None:
        """Write until cancelled; what is put after that is written by `drained`."""
        await self._line.run()

    async def keep_up(self) -> None:
        """
        Return once so few results wait that a kill may lose them; writes meanwhile, as `run` does.

        The call that comes here keeps its place, so dispatch is never much faster than its records.
        """
        await self._line.shortened(LONGEST_LINE)

    async def drained(self) -> None:
        """Return when everything put so far is written; writes it, so that it also ends after `run` did."""
        await self._line.drained()

    async def _write(self, batch: Sequence[Recorded]) -> None:
        await fp(FaultPoint.WORKER_BEFORE_RECORD)
        while True:
            try:
                if self._failover is not None:
                    batch = await self._failover.take(batch)
                async with self._pool.acquire() as connection:
                    await record_batch(
                        connection, batch, unknown_wait=self._unknown_wait, now=self._clock.now()
                    )
            except REFUSED_ROWS as error:
                await self._write_apart(batch, error)
                return
            except DATABASE_FAULTS as error:
                _log.warning("record_failed", results=len(batch), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                await fp(FaultPoint.RECORD_AFTER_COMMIT)
                return

    async def _write_apart(self, batch: Sequence[Recorded], error: Exception) -> None:
        """
        Write each result by itself, so that one the database refuses does not hold up the others.

        What is refused alone keeps its mark; when the lease is over it is an unknown outcome.
        """
        if len(batch) == 1:
            message_id = str(batch[0].message.message_id)
            _log.error("result_refused", message_id=message_id, error=type(error).__name__)
            return
        for recorded in batch:
            await self._write([recorded])


_NAMES: dict[type, str] = {
    Sent: "sent",
    NotSent: "not_sent",
    Refused: "refused",
    Unknown: "unknown",
    Expired: "expired",
    NotOpened: "not_opened",
}


def _name(result: Result) -> str:
    return _NAMES[type(result)]


@lru_cache(maxsize=256)
def _counter(route: str, outcome: str) -> Counter:
    """Finding it by its labels costs four times what counting does."""
    return metrics.DISPATCH_OUTCOMES.labels(route=route, outcome=outcome)
