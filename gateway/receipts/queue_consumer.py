"""
Reads one queue: receive, open, commit, and only then delete.

Several pollers wait on long polls; each hands its ten messages on and polls again, up to a number of batches
in hand, so that the commits are shared and SQS's round trips overlap. What is in hand stays hidden for as
long as it takes. An outage of Postgres is not the message's fault: it is kept in hand and tried again,
because each return to the queue would bring it nearer to the dead letters. What is not believed is left
alone, and SQS's redrive policy takes it to the dead-letter queue.

A process that dies between the commit and the delete gets its messages again: they are stored already, and
change nothing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog

from gateway.errors import QueueFault, Unavailable
from gateway.faultpoints import FaultPoint, fp
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.mailroom import Answered, Mailroom, Refused
from gateway.receipts.sqs import Letter, SqsQueue
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

BATCHES_IN_HAND: Final = 64
_POLL_S: Final = 20
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0


class QueueConsumer:
    """
    One queue in one process; any number of processes may read the same one.

    Args:
        signed_only: Refuse bodies that do not carry SNS's signature.
        hidden_s: How long SQS keeps from others what this process has; renewed while it has it.
        owner: The tenant whose own account the queue is of.
    """

    def __init__(
        self,
        queue: SqsQueue,
        mailroom: Mailroom,
        commit: ReceiptCommit,
        *,
        pollers: int,
        signed_only: bool,
        hidden_s: int,
        owner: UUID | None = None,
    ) -> None:
        self._queue = queue
        self._mailroom = mailroom
        self._commit = commit
        self._pollers = pollers
        self._signed_only = signed_only
        self._hidden_s = hidden_s
        self._owner = owner
        self._room = asyncio.Semaphore(BATCHES_IN_HAND)
        self._in_hand: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read until cancelled, then give back what is in hand."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._pollers):
                    group.create_task(self._poll())
        finally:
            for task in self._in_hand:
                task.cancel()
            await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _poll(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._room.acquire()
            try:
                letters = await self._queue.receive(wait_s=_POLL_S, hidden_s=self._hidden_s)
                pause_s = _FIRST_PAUSE_S
            except QueueFault as error:
                self._room.release()
                _log.warning("queue_not_read", queue=self._queue.url, error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            except BaseException:
                self._room.release()
                raise
            if letters:
                task = asyncio.create_task(self._handle(letters))
                self._in_hand.add(task)
                task.add_done_callback(self._put_down)
            else:
                self._room.release()

    def _put_down(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._room.release()

    async def _handle(self, letters: Sequence[Letter]) -> None:
        """See to one batch, keeping it hidden from others as long as that takes."""
        metrics.QUEUE_IN_HAND_LETTERS.inc(len(letters))
        work = asyncio.create_task(self._settle(letters))
        try:
            while not (await asyncio.wait({work}, timeout=self._hidden_s / 2))[0]:
                await self._keep(letters, seconds=self._hidden_s)
            work.result()
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._keep(letters, seconds=0)
            raise
        except Exception:  # noqa: BLE001 - the edge of a task that nobody awaits; logged
            # Nobody awaits this task; the messages come again when their visibility ends.
            _log.exception("queue_batch_failed", queue=self._queue.url, letters=len(letters))
        finally:
            metrics.QUEUE_IN_HAND_LETTERS.dec(len(letters))

    async def _keep(self, letters: Sequence[Letter], *, seconds: int) -> None:
        with suppress(QueueFault):
            await self._queue.hide(letters, seconds=seconds)

    async def _settle(self, letters: Sequence[Letter]) -> None:
        done = await asyncio.gather(*(self._stored(letter) for letter in letters))
        stored = [letter for letter, is_stored in zip(letters, done, strict=True) if is_stored]
        for letter in letters:
            if letter not in stored:
                await self._keep([letter], seconds=min(2**letter.receives, self._hidden_s))
        if not stored:
            return
        await fp(FaultPoint.QUEUE_BEFORE_DELETE)
        try:
            left = await self._queue.delete(stored)
        except QueueFault as error:
            _log.warning("queue_not_deleted", queue=self._queue.url, letters=len(stored), error=str(error))
            return
        if left:
            _log.warning("queue_not_deleted", queue=self._queue.url, letters=left)

    async def _stored(self, letter: Letter) -> bool:
        """Return once a message is committed (True) or not believed (False)."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                opened = await self._mailroom.open(
                    letter.body, signed_only=self._signed_only, owner=self._owner
                )
                if isinstance(opened, Refused):
                    return self._refuse(letter, opened)
                if not isinstance(opened, Answered):
                    await self._commit.submit(opened)
            except Unavailable as error:
                metrics.QUEUE_LETTERS.labels(outcome="repeated_later").inc()
                _log.warning("queue_letter_waits", letter=letter.id, error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                metrics.QUEUE_LETTERS.labels(outcome="stored").inc()
                metrics.RECEIPTS_TAKEN.labels(road="sqs").inc()
                return True

    def _refuse(self, letter: Letter, refused: Refused) -> bool:
        metrics.QUEUE_LETTERS.labels(outcome="refused").inc()
        _log.warning(
            "queue_letter_refused",
            queue=self._queue.url,
            letter=letter.id,
            reason=refused.reason,
            receives=letter.receives,
        )
        return False
