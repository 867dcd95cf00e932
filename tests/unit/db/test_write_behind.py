"""The line of what nobody waits for: few commits, nothing dropped, and a length that callers can hold."""

import asyncio

import pytest

from gateway.db.write_behind import WriteBehind
from tests.harness.waiting import until

LONG_S = 60.0
SOON_S = 5.0


class Store:
    """Takes batches while it is open."""

    def __init__(self):
        self.batches = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, batch):
        """Keep the batch, once the store is open."""
        self.asked.set()
        await self.open.wait()
        self.batches.append(list(batch))


@pytest.fixture
def store():
    return Store()


def line_of(store, *, linger_s=LONG_S, worth=2, at_most=4):
    return WriteBehind(store.write, linger_s=linger_s, worth=worth, at_most=at_most)


async def run_until(line, condition):
    async def met():
        return condition()

    running = asyncio.create_task(line.run())
    await until(met, within_s=SOON_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_rests_only_while_less_than_a_commits_worth_waits(store):
    """One that rests after each batch falls behind whoever puts more in that time."""
    line = line_of(store)
    for item in range(10):
        line.put(item)
    await run_until(line, lambda: line.waiting == 0)
    assert store.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_a_lone_item_waits_for_company(store):
    """Several to a commit is what the line is for."""
    line = line_of(store, linger_s=0.05)
    line.put("first")
    asyncio.get_running_loop().call_later(0.01, line.put, "second")
    await run_until(line, lambda: line.waiting == 0 and bool(store.batches))
    assert store.batches == [["first", "second"]]


async def test_what_a_cancel_cuts_off_is_written_again(store):
    """Every deploy cancels a writer."""
    line = line_of(store)
    store.open.clear()
    for item in range(2):
        line.put(item)
    await run_until(line, store.asked.is_set)
    store.open.set()
    assert line.waiting == 2
    await line.drained()
    assert store.batches == [[0, 1]]


async def test_callers_that_wait_for_a_shorter_line_write_it(store):
    """They keep what they hold until no more than so many may be lost."""
    line = line_of(store, at_most=2)
    for item in range(7):
        line.put(item)
    async with asyncio.timeout(SOON_S):
        await asyncio.gather(*(line.shortened(4) for _ in range(3)))
    assert (line.waiting, store.batches) == (3, [[0, 1], [2, 3]])


async def test_a_line_that_is_short_enough_keeps_nobody(store):
    """Nor does it write: that is the writer's, in larger batches."""
    store.open.clear()
    line = line_of(store)
    for item in range(4):
        line.put(item)
    async with asyncio.timeout(SOON_S):
        await line.shortened(4)
    assert store.batches == []
