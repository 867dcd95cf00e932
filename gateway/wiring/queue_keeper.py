"""
The queues of a receipts process: each row of `receipt_queues` has a consumer, at all times.

The rows are read every few seconds, so a queue that was added, changed or removed needs no restart. A queue
that cannot be read, for want of a permission or because it is gone, is tried on and holds up no other.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog
from msgspec import Struct

from gateway.carrier.session import AwsSession, session_of
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.receipts import roads
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.mailroom import Mailroom
from gateway.receipts.queue_consumer import BATCHES_IN_HAND, QueueConsumer
from gateway.receipts.roads import QueueOfAccount
from gateway.receipts.sqs import open_queue
from gateway.wiring.resources import Resources

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 3.0


class _Read(Struct, frozen=True):
    """How a queue is read: a change of any of these needs another consumer."""

    url: str
    signed_only: bool
    region: str
    role_arn: str | None
    external_id: str | None
    owner: UUID | None


class QueueKeeper:
    """Reads every queue of the operator's accounts."""

    def __init__(
        self, shared: Resources, session: AwsSession, mailroom: Mailroom, commit: ReceiptCommit
    ) -> None:
        self._shared = shared
        self._session = session
        self._mailroom = mailroom
        self._commit = commit
        self._reading: dict[_Read, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Keep the consumers until cancelled, then let them give back what they have in hand."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await asyncio.shield(self._stop(list(self._reading)))

    async def _look(self) -> None:
        try:
            async with worker_transaction(self._shared.worker_engine) as session:
                found = list(await roads.queues(session))
        except DATABASE_FAULTS as error:
            _log.warning("receipt_queues_not_read", error=str(error))
            return
        wanted = {_read(each): each for each in found}
        ended = [each for each, task in self._reading.items() if task.done() or each not in wanted]
        await self._stop(ended)
        for each in wanted.keys() - self._reading.keys():
            self._reading[each] = asyncio.create_task(self._consume(wanted[each]))

    async def _consume(self, found: QueueOfAccount) -> None:
        queue, account = found.queue, found.account
        session = session_of(self._session, account)
        pollers = self._shared.settings.queue_pollers
        try:
            async with open_queue(
                session, queue.url, region=account.region, connections=pollers + BATCHES_IN_HAND
            ) as opened:
                _log.info("receipt_queue_opened", queue=queue.url, account=account.name)
                await QueueConsumer(
                    opened,
                    self._mailroom,
                    self._commit,
                    pollers=pollers,
                    signed_only=queue.signed_only,
                    hidden_s=self._shared.settings.queue_hidden_s,
                    owner=account.owner_id,
                ).run()
        except Exception as error:  # noqa: BLE001 - one queue's mistake must not stop the others; it is opened again
            _log.error("receipt_queue_failed", queue=queue.url, account=account.name, error=str(error))

    async def _stop(self, reading: Sequence[_Read]) -> None:
        stopped = [self._reading.pop(each) for each in reading]
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)


def _read(found: QueueOfAccount) -> _Read:
    queue, account = found.queue, found.account
    return _Read(
        queue.url,
        queue.signed_only,
        account.region,
        account.role_arn,
        account.external_id,
        account.owner_id,
    )
