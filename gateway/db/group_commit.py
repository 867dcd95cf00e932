"""
Group commit: many waiting items, one transaction, and only its commit answers.

While one commit is under way the next batch gathers, so a lone item waits for nothing and a crowd shares one
fsync; a second commit begins beside the first only when enough waits to be worth it. Callers that send again
when they are answered stay one crowd, and the process would stand idle while it is stored: so a commit may
leave half of it to the next. A thin stream shares commits by keeping them a moment apart; only where nobody's
latency counts does a lone item wait, too. What was submitted together is stored together, by a commit of its
own; one such commit at a time, so that lone items always have a flusher. The line is bounded; a full line is
refused at once. An item the database refuses fails alone: its batch is tried again one by one. A connection
lost during the commit leaves the outcome in doubt; `find_committed` then says what is there, and what it
cannot say counts as not stored.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import asyncpg
import structlog
from prometheus_client import Histogram

from gateway.db.faults import DATABASE_FAULTS, REFUSED_ROWS
from gateway.db.party import Member, Party
from gateway.errors import Overloaded, Unavailable

_log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_WORTH_A_COMMIT = 32
"""Items that are a commit's own cost's worth; of small batches a quarter is enough."""
_ENOUGH_COMPANY = 16
"""Items that wait for no more of them where latency counts: callers that wait send nothing meanwhile."""
_IN_DOUBT_TRIES = 3
_IN_DOUBT_PAUSE_S = 0.2
_LOST_CONNECTION = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
)


class _Waiting(Generic[Item, Answer]):
    __slots__ = ("answer", "item")

    def __init__(self, item: Item, answer: asyncio.Future[Answer] | Member[Answer]) -> None:
        self.item = item
        self.answer = answer


class GroupCommit(Generic[Item, Answer]):
    """
    A waiting line and its flushers.

    Args:
        write: Stores a batch in one transaction of its own on the given connection; one answer per item.
        committed: Hears of each batch after its commit; must not block.
        linger_s: How long a few items wait for company; 0 where latency counts.
        apart_s: How long after the commit before theirs begins, so that only company makes them wait.
        in_halves: Whether a commit leaves half of a crowd to the next, if both are worth one.
        find_committed: After a lost connection, the answers of items that are stored after all.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        write: Callable[[Any, Sequence[Item]], Awaitable[list[Answer]]],
        *,
        queue_size: int,
        max_batch: int,
        sizes: Histogram,
        seconds: Histogram,
        linger_s: float = 0.0,
        apart_s: float = 0.0,
        in_halves: bool = False,
        committed: Callable[[Sequence[Item], Sequence[Answer]], None] | None = None,
        find_committed: Callable[[Any, Sequence[Item]], Awaitable[list[Answer | None]]] | None = None,
    ) -> None:
        self._pool = pool
        self._write = write
        self._queue_size = queue_size
        self._max_batch = max_batch
        self._sizes = sizes
        self._seconds = seconds
        self._linger_s = linger_s
        self._apart_s = apart_s
        self._halves = 2 if in_halves else 1
        self._began_at = float("-inf")
        self._committed = committed
        self._find_committed = find_committed
        self._line: deque[_Waiting[Item, Answer]] = deque()
        self._parties: deque[list[_Waiting[Item, Answer]]] = deque()
        self._party_under_way = False
        self._arrived = asyncio.Event()
        self._crowded = asyncio.Event()
        self._closed = False
        self._under_way = 0
        self._worth = min(_WORTH_A_COMMIT, max(1, max_batch // 4))
        self._company = self._worth if linger_s else min(_ENOUGH_COMPANY, self._worth)

    @property
    def waiting(self) -> int:
        """Items in the line, not yet taken by a flusher."""
        return len(self._line) + sum(map(len, self._parties))

    async def submit(self, item: Item) -> Answer:
        """
        Wait for the transaction that stores or decides this item.

        Raises:
            Overloaded: The line is full, or the process is stopping.
            Unavailable: Postgres did not take the batch; the item is not known to be stored.
        """
        if self._closed or self.waiting >= self._queue_size:
            raise Overloaded("more is waiting than can be stored in time")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._line.append(_Waiting(item, answer))
        if len(self._line) >= self._company:
            self._crowded.set()
        if self._is_ready():
            self._arrived.set()
        return await answer

    async def submit_together(self, items: Sequence[Item]) -> list[Answer | BaseException]:
        """
        Wait for the one transaction that stores or decides all of these; an answer or a failure per item.

        Raises:
            Overloaded: The line has no room for all of them, or the process is stopping.
        """
        if not items:
            return []
        if self._closed or self.waiting + len(items) > self._queue_size:
            raise Overloaded("more is waiting than can be stored in time")
        party: Party[Answer] = Party(len(items))
        self._parties.append([_Waiting(item, each) for item, each in zip(items, party.members, strict=True)])
        if self._is_ready():
            self._arrived.set()
        return await party.answers

    async def run(self, *, flushers: int) -> None:
        """Flush until cancelled; whoever still waits then is told, so nobody hangs."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(flushers):
                    group.create_task(self._flush_forever())
        finally:
            self._closed = True
            for left in (self._line, *self._parties):
                _fail(left, Unavailable("the process is stopping"))
            self._line.clear()
            self._parties.clear()

    async def _flush_forever(self) -> None:
        while True:
            while not self._is_ready():
                self._arrived.clear()
                await self._arrived.wait()
            self._under_way += 1
            try:
                if self._parties and not self._party_under_way:
                    await self._flush_party(self._parties.popleft())
                elif batch := await self._next_batch():
                    await self._flush_once(batch)
            finally:
                self._under_way -= 1
                if self._is_ready():
                    self._arrived.set()

    async def _flush_party(self, party: Sequence[_Waiting[Item, Answer]]) -> None:
        self._party_under_way = True
        try:
            await self._flush_once(party)
        finally:
            self._party_under_way = False

    async def _flush_once(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        started = time.perf_counter()
        try:
            await self._flush(batch)
        except DATABASE_FAULTS as error:
            _log.warning("group_commit_failed", items=len(batch), error=str(error))
            _fail(batch, Unavailable("the database did not take it"))
        except BaseException:
            _fail(batch, Unavailable("the process is stopping"))
            raise
        self._sizes.observe(len(batch))
        self._seconds.observe(time.perf_counter() - started)

    async def _next_batch(self) -> list[_Waiting[Item, Answer]]:
        await self._linger()
        self._began_at = time.monotonic()
        size = max(self._worth, -(-len(self._line) // self._halves))
        return [self._line.popleft() for _ in range(min(size, self._max_batch, len(self._line)))]

    async def _linger(self) -> None:
        """Wait for company, until there is enough."""
        wait_s = max(self._linger_s, self._began_at + self._apart_s - time.monotonic())
        if wait_s <= 0 or len(self._line) >= self._company:
            return
        self._crowded.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._crowded.wait()

    def _is_ready(self) -> bool:
        """Whether to begin a commit: at once if none is under way, else when enough has gathered."""
        if self._parties and not self._party_under_way:
            return True
        return len(self._line) >= (self._worth if self._under_way else 1)

    async def _flush(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            await self._store(batch)
        except _LOST_CONNECTION as error:
            if self._find_committed is None:
                raise
            _log.warning("group_commit_in_doubt", items=len(batch), error=str(error))
            await self._resolve_doubt(batch)
        except REFUSED_ROWS:
            await self._store_one_by_one(batch)
        except DATABASE_FAULTS:
            raise
        except Exception:  # noqa: BLE001 - logged, and tried apart
            # A fault of ours that one item brings out must not end the process: it would come again for ever.
            _log.exception("group_commit_broken", items=len(batch))
            await self._store_one_by_one(batch)

    async def _store(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        items = [waiting.item for waiting in batch]
        async with self._pool.acquire() as connection:
            answers = await self._write(connection, items)
        if self._committed is not None:
            self._committed(items, answers)
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _store_one_by_one(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        for waiting in batch:
            try:
                await self._store([waiting])
            except DATABASE_FAULTS as error:
                _log.warning("group_commit_row_refused", error=type(error).__name__)
                _fail([waiting], Unavailable("the database refused this row"))
            except Exception:  # noqa: BLE001 - logged, and told to the one who waits
                _log.exception("group_commit_item_broken")
                _fail([waiting], Unavailable("this item cannot be stored"))

    async def _resolve_doubt(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        assert self._find_committed is not None  # noqa: S101 - the caller has looked
        for _ in range(_IN_DOUBT_TRIES):
            try:
                async with self._pool.acquire() as connection:
                    found = await self._find_committed(connection, [waiting.item for waiting in batch])
            except DATABASE_FAULTS:
                await asyncio.sleep(_IN_DOUBT_PAUSE_S)
                continue
            for waiting, answer in zip(batch, found, strict=True):
                if answer is not None and not waiting.answer.done():
                    waiting.answer.set_result(answer)
            break
        _fail(batch, Unavailable("the connection to the database was lost"))


def _fail(
    batch: Sequence[_Waiting[Item, Answer]] | deque[_Waiting[Item, Answer]], error: Unavailable
) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
