"""The consumer of a queue on a queue in memory: nothing is deleted before its commit, nothing is given up."""

import asyncio
import contextlib
import json
from collections import Counter

import pytest

from gateway.errors import QueueFault, Unavailable
from gateway.receipts.mailroom import Answered, Refused
from gateway.receipts.queue_consumer import QueueConsumer
from gateway.receipts.reading import incoming_of
from gateway.receipts.sqs import Letter
from tests.harness.receipts import event
from tests.harness.waiting import until

HIDDEN_S = 1


class Queue:
    """Hands its letters out once, and writes down what is done with them."""

    url = "https://sqs.us-east-1.amazonaws.com/123456789012/receipts"

    def __init__(self, count=1, *, failing_polls=0, failing_deletes=0):
        self._left = [
            Letter(id=f"l{n}", handle=f"h{n}", body=f"body {n}", receives=1, sent_at_ms=0)
            for n in range(count)
        ]
        self.failing_polls = failing_polls
        self.failing_deletes = failing_deletes
        self.deleted = []
        self.hidden = Counter()
        self.given_back = []

    async def receive(self, **_):
        """Give the next ten, then nothing for ever."""
        if self.failing_polls:
            self.failing_polls -= 1
            raise QueueFault("SQS receive: no")
        taken, self._left = self._left[:10], self._left[10:]
        if not taken:
            await asyncio.Event().wait()
        return taken

    async def delete(self, letters):
        """Remember what is gone."""
        if self.failing_deletes:
            self.failing_deletes -= 1
            raise QueueFault("SQS delete: no")
        self.deleted += [each.id for each in letters]
        return 0

    async def hide(self, letters, *, seconds):
        """Remember for how long."""
        for each in letters:
            if seconds:
                self.hidden[each.id] += 1
            else:
                self.given_back.append(each.id)


class Commit:
    """Commits as often as it is let."""

    def __init__(self, *, failing=0, held=False):
        self.failing = failing
        self.free = asyncio.Event()
        self.committed = 0
        self.under_way = 0
        if not held:
            self.free.set()

    async def submit(self, _):
        """Commit one."""
        self.under_way += 1
        await self.free.wait()
        if self.failing:
            self.failing -= 1
            raise Unavailable("the database did not take it")
        self.committed += 1
        return "applied"


class Mail:
    """Opens everything, or as `opened` says."""

    def __init__(self, opened=None):
        self.opened = opened or incoming_of(json.dumps(event("DELIVERED")))

    async def open(self, *_, **__):
        """Return what is inside."""
        return self.opened


@contextlib.asynccontextmanager
async def consuming(queue, commit, mail=None):
    """Run a consumer for the length of a block."""
    consumer = QueueConsumer(queue, mail or Mail(), commit, pollers=2, signed_only=False, hidden_s=HIDDEN_S)
    running = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def all_deleted(queue, count):
    """Whether so many are gone."""

    async def look():
        return len(queue.deleted) == count

    await until(look)


async def test_nothing_is_deleted_before_its_commit():
    """What is deleted and not stored is lost."""
    queue, commit = Queue(25), Commit(held=True)
    async with consuming(queue, commit):

        async def all_under_way():
            return commit.under_way == 25

        await until(all_under_way)
        assert queue.deleted == []
        commit.free.set()
        await all_deleted(queue, 25)


async def test_an_outage_keeps_letters_in_hand_instead_of_wearing_them_out():
    """Each return to the queue would count as a receive and lead a sound receipt to the dead letters."""
    queue, commit = Queue(3), Commit(failing=6)
    async with consuming(queue, commit):
        await all_deleted(queue, 3)
    assert (commit.committed, queue.given_back) == (3, [])


async def test_what_takes_long_stays_hidden_meanwhile():
    """Otherwise another process would get it, too, and the receives would add up."""
    queue, commit = Queue(1), Commit(held=True)
    async with consuming(queue, commit):

        async def renewed_twice():
            return queue.hidden["l0"] >= 2

        await until(renewed_twice)
        commit.free.set()
        await all_deleted(queue, 1)


async def test_a_stopping_process_gives_back_what_it_has():
    """Whoever is left goes on at once, instead of after the visibility timeout."""
    queue, commit = Queue(4), Commit(held=True)
    async with consuming(queue, commit):

        async def all_under_way():
            return commit.under_way == 4

        await until(all_under_way)
    assert (sorted(queue.given_back), queue.deleted) == (["l0", "l1", "l2", "l3"], [])


async def test_what_is_not_believed_is_left_to_the_dead_letters():
    """It is not deleted: the operator has to see it."""
    queue, commit = Queue(2), Commit()
    async with consuming(queue, commit, Mail(Refused("signature_mismatch"))):

        async def both_hidden():
            return len(queue.hidden) == 2

        await until(both_hidden)
    assert (queue.deleted, commit.committed) == ([], 0)


async def test_a_question_of_sns_is_done_with_when_it_is_answered():
    """There is nothing to store."""
    queue, commit = Queue(1), Commit()
    async with consuming(queue, commit, Mail(Answered())):
        await all_deleted(queue, 1)
    assert commit.committed == 0


@pytest.mark.parametrize("faults", [{"failing_polls": 2}, {"failing_deletes": 1}], ids=repr)
async def test_a_fault_of_sqs_ends_nothing(faults):
    """A poll is tried again; what could not be deleted comes again and is known by then."""
    queue, commit = Queue(30, **faults), Commit()
    async with consuming(queue, commit):

        async def all_committed():
            return commit.committed == 30

        await until(all_committed)
