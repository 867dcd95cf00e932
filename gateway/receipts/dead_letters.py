"""
The dead-letter queue of a queue, for a person: what is in it and why, and the way back.

SQS has no list: messages are received, looked at and given back at once. A redrive sends a message to its
queue again before it deletes the dead one, so that a fault in between makes a copy and never a loss.
"""

import re
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.session import AwsSession, session_of
from gateway.db.transaction import worker_transaction
from gateway.errors import QueueFault, Unavailable
from gateway.receipts import roads
from gateway.receipts.dead_letter import DeadLetter
from gateway.receipts.mailroom import Mailroom, Refused
from gateway.receipts.sqs import BATCH, Letter, SqsQueue, open_queue

_LOOKED_AT_S: Final = 20
_MOVED_S: Final = 30
_EMPTY_AFTER: Final = 2
"""Short polls ask only some of SQS's servers: one empty answer does not mean an empty queue."""
MOST_MOVED: Final = 1_000
_MOST_BYTES: Final = 262_144
"""Of one call together; SQS takes more by now, but not of every queue."""
_LONGEST_S: Final = 20.0
"""So long somebody waits for an answer: below a minute, after which load balancers give up."""
_EXCERPT: Final = 200
_DIGITS: Final = re.compile(r"[0-9]{5,}")


class DeadLetters:
    """Opens queues as the operator's rows name them, each with its account's credentials."""

    def __init__(self, session: AwsSession, engine: AsyncEngine, mailroom: Mailroom) -> None:
        self._session = session
        self._engine = engine
        self._mailroom = mailroom

    async def listed(self, queue_id: UUID, *, limit: int) -> list[DeadLetter]:
        """
        Return up to `limit` dead letters in no order, and give them back.

        Raises:
            tenants.errors.NotFound: There is no such queue.
            QueueFault: SQS refused, or the queue has no dead-letter queue.
        """
        shown: list[DeadLetter] = []
        async with self._opened(queue_id) as (_, dead, signed_only):
            seen: list[Letter] = []
            async for letters in _handfuls(dead, most=limit, hidden_s=_LOOKED_AT_S):
                shown += [await self._shown(letter, signed_only=signed_only) for letter in letters]
                seen += [_without_body(each) for each in letters]
            await _give_back(dead, seen)
        return shown[:limit]

    async def redrive(self, queue_id: UUID, *, only: Collection[str] | None) -> int:
        """
        Move dead letters back into their queue; returns how many, at most a thousand, or what takes 20 s.

        No more than ten of them are in memory, and no more goes in one call than SQS takes at once.

        Args:
            only: SQS's ids; None for all.

        Raises:
            tenants.errors.NotFound: There is no such queue.
            QueueFault: SQS refused; what was moved by then is moved.
        """
        moved = 0
        async with self._opened(queue_id) as (queue, dead, _):
            passed: list[Letter] = []
            async for letters in _handfuls(dead, most=MOST_MOVED, hidden_s=_MOVED_S):
                for together in sendable([each for each in letters if only is None or each.id in only]):
                    sent = await queue.send(together)
                    if sent:
                        await dead.delete(sent)
                    moved += len(sent)
                passed += [
                    _without_body(each) for each in letters if only is not None and each.id not in only
                ]
            await _give_back(dead, passed)
        return moved

    async def _shown(self, letter: Letter, *, signed_only: bool) -> DeadLetter:
        try:
            opened = await self._mailroom.open(letter.body, signed_only=signed_only)
            reason = opened.reason if isinstance(opened, Refused) else "none"
        except Unavailable as error:
            reason = str(error)
        body = letter.body.encode("utf-8", "replace")
        return DeadLetter(
            id=letter.id,
            reason=reason,
            sent_at=datetime.fromtimestamp(letter.sent_at_ms / 1000, UTC),
            receives=letter.receives,
            size_bytes=len(body),
            body_sha256=sha256(body).hexdigest(),
            excerpt=_DIGITS.sub(lambda found: "•" * len(found[0]), letter.body[:_EXCERPT]),
        )

    @asynccontextmanager
    async def _opened(self, queue_id: UUID) -> AsyncGenerator[tuple[SqsQueue, SqsQueue, bool]]:
        async with worker_transaction(self._engine) as session:
            found = await roads.queue(session, queue_id)
        there = session_of(self._session, found.account)
        async with open_queue(there, found.queue.url, region=found.account.region) as queue:
            arn = (await queue.facts()).dead_letter_arn
            if arn is None:
                raise QueueFault("the queue has no dead-letter queue; give it a redrive policy in SQS")
            yield queue, await queue.dead_letters(arn), found.queue.signed_only


async def _handfuls(queue: SqsQueue, *, most: int, hidden_s: int) -> AsyncGenerator[list[Letter]]:
    """Receive until there is no more, enough or no time left; each message once, however often it comes."""
    seen: set[str] = set()
    empty, ends_at = 0, time.monotonic() + _LONGEST_S
    while len(seen) < most and empty < _EMPTY_AFTER and time.monotonic() < ends_at:
        letters = {each.id: each for each in await queue.receive(wait_s=0, hidden_s=hidden_s)}
        new = [each for each in letters.values() if each.id not in seen]
        empty = 0 if new else empty + 1
        seen |= letters.keys()
        if new:
            yield new


def sendable(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Yield letters in groups that SQS takes in one call: ten, and together no larger than one may be."""
    group: list[Letter] = []
    size = 0
    for letter in letters:
        bytes_ = len(letter.body.encode("utf-8", "replace")) + len(msgspec.json.encode(letter.attributes))
        if group and (len(group) == BATCH or size + bytes_ > _MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(letter)
        size += bytes_
    if group:
        yield group


async def _give_back(queue: SqsQueue, letters: Sequence[Letter]) -> None:
    for start in range(0, len(letters), BATCH):
        await queue.hide(letters[start : start + BATCH], seconds=0)


def _without_body(letter: Letter) -> Letter:
    """Return what giving it back needs."""
    return structs.replace(letter, body="", attributes={})
