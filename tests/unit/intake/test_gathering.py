"""When a commit begins: at once if none is under way, beside another only when it is worth its cost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import Histogram

from gateway.db import group_commit
from gateway.db.group_commit import GroupCommit
from gateway.errors import Overloaded, Unavailable


class Commits:
    """A pool and a write that end when they are told."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_end = asyncio.Event()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        """Lend no connection."""
        yield

    async def write(self, _connection: object, items: list[int]) -> list[int]:
        """Note the batch and wait for leave to end."""
        self.sizes.append(len(items))
        await self.may_end.wait()
        return items


@pytest.fixture
def commits() -> Commits:
    """Nothing was committed yet."""
    return Commits()


def line_of(commits: Commits, *, max_batch: int = 16, **options: Any) -> GroupCommit[int, int]:
    """Return a line; a quarter of its batch is four."""
    return GroupCommit(
        commits,
        commits.write,
        queue_size=100,
        max_batch=max_batch,
        sizes=Histogram("sizes", "-", registry=None),
        seconds=Histogram("seconds", "-", registry=None),
        **options,
    )


@contextlib.asynccontextmanager
async def running(line: GroupCommit[int, int], *, flushers: int = 2) -> AsyncIterator[GroupCommit[int, int]]:
    """Flush for the length of a block."""
    task = asyncio.create_task(line.run(flushers=flushers))
    yield line
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def line(commits: Commits) -> AsyncIterator[GroupCommit[int, int]]:
    """A line that is flushed."""
    async with running(line_of(commits)) as made:
        yield made


async def submit(line: GroupCommit[int, int], count: int) -> list[asyncio.Task[int]]:
    """Put items into the line and let everybody take some turns."""
    waiting = [asyncio.create_task(line.submit(number)) for number in range(count)]
    for _ in range(10):
        await asyncio.sleep(0)
    return waiting


async def test_a_lone_item_waits_for_nothing(line, commits) -> None:
    """No timer stands before a quiet hour's sends."""
    await submit(line, 1)
    assert commits.sizes == [1]


async def test_a_few_wait_for_the_commit_under_way_and_then_share_one(line, commits) -> None:
    """A commit costs much the same for one as for three."""
    first = await submit(line, 1)
    more = await submit(line, 3)
    assert commits.sizes == [1]
    commits.may_end.set()
    await asyncio.wait_for(asyncio.gather(*first, *more), 10)
    assert commits.sizes == [1, 3]


async def test_a_crowd_does_not_wait(line, commits) -> None:
    """The second flusher takes it beside the first."""
    await submit(line, 1)
    await submit(line, 3)
    await submit(line, 1)
    assert commits.sizes == [1, 4]


async def test_a_crowd_that_came_as_one_is_taken_in_halves(commits) -> None:
    """Who is answered together comes together again: one half is prepared while the other is stored."""
    async with running(line_of(commits, in_halves=True)) as line:
        await submit(line, 12)
        assert commits.sizes == [6, 4]
        commits.may_end.set()


async def test_half_a_crowd_that_is_not_worth_a_commit_is_not_left(commits) -> None:
    """Two commits of three cost twice as much as one of six."""
    async with running(line_of(commits, in_halves=True)) as line:
        await submit(line, 4)
        assert commits.sizes == [4]
        commits.may_end.set()


async def test_a_commit_that_fails_lets_the_next_begin(line, commits) -> None:
    """Its failure is counted off as its success would be."""

    async def refuse(_connection: object, items: list[int]) -> list[int]:
        commits.sizes.append(len(items))
        raise OSError

    line._write = refuse
    for expected in ([1], [1, 1]):
        [lost] = await submit(line, 1)
        assert isinstance((await asyncio.gather(lost, return_exceptions=True))[0], Exception)
        assert commits.sizes == expected


async def test_what_is_submitted_together_is_one_commit_whatever_its_size(line, commits) -> None:
    """A batch of a thousand is on disk at once or not at all."""
    party = asyncio.create_task(line.submit_together(range(60)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert commits.sizes == [60]
    commits.may_end.set()
    assert await asyncio.wait_for(party, 10) == list(range(60))


async def test_lone_items_pass_a_line_of_batches(line, commits) -> None:
    """A second batch waits for the first, so that one flusher is always left for single sends."""
    parties = [asyncio.create_task(line.submit_together(range(20))) for _ in range(2)]
    for _ in range(10):
        await asyncio.sleep(0)
    lone = await submit(line, 4)
    assert commits.sizes == [20, 4]
    commits.may_end.set()
    await asyncio.wait_for(asyncio.gather(*parties, *lone), 10)
    assert commits.sizes == [20, 4, 20]


async def test_a_batch_without_room_is_refused_whole(line, commits) -> None:
    """Half a batch in line would be half a batch on disk."""
    with pytest.raises(Overloaded):
        await line.submit_together(range(101))
    assert commits.sizes == []


async def test_a_batch_in_line_is_told_when_the_process_stops(commits) -> None:
    """Nobody hangs on a process that is gone."""
    async with running(line_of(commits)) as line:
        parties = [asyncio.create_task(line.submit_together([1, 2])) for _ in range(2)]
        for _ in range(10):
            await asyncio.sleep(0)
    for answers in await asyncio.wait_for(asyncio.gather(*parties), 10):
        assert all(isinstance(answer, Unavailable) for answer in answers)


async def test_a_line_that_lingers_goes_as_soon_as_enough_has_come(commits) -> None:
    """Callers that wait for their answers send nothing meanwhile: all of the wait would be lost."""
    commits.may_end.set()
    async with running(line_of(commits, linger_s=3600.0), flushers=1) as line:
        few = await submit(line, 3)
        assert commits.sizes == []
        more = await submit(line, 1)
        await asyncio.wait_for(asyncio.gather(*few, *more), 10)
        assert commits.sizes == [4]


@pytest.mark.parametrize(("options", "first"), [({"apart_s": 3600.0}, 16), ({"linger_s": 3600.0}, 32)])
async def test_only_where_latency_counts_half_a_crowd_is_company_enough(commits, options, first) -> None:
    """Receipts come four to a message, and the fewer their commits the better."""
    commits.may_end.set()
    line = line_of(commits, max_batch=256, **options)
    async with running(line, flushers=1):
        if "apart_s" in options:
            await submit(line, 1)
            commits.sizes.clear()
        await submit(line, first - 1)
        assert commits.sizes == []
        await submit(line, 1)
        assert commits.sizes == [first]


async def test_commits_of_a_thin_stream_keep_apart(commits) -> None:
    """The first waits for nothing; those right behind it share the next, at once if enough have come."""
    commits.may_end.set()
    async with running(line_of(commits, apart_s=3600.0)) as line:
        first = await submit(line, 1)
        few = await submit(line, 3)
        assert commits.sizes == [1]
        more = await submit(line, 1)
        await asyncio.wait_for(asyncio.gather(*first, *few, *more), 10)
        assert commits.sizes == [1, 4]


async def test_who_comes_a_moment_later_waits_for_nothing(commits, monkeypatch) -> None:
    """Only company makes an item wait: a one-time password in a quiet hour has none."""
    now_s = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now_s, perf_counter=time.perf_counter)
    monkeypatch.setattr(group_commit, "time", clock)
    commits.may_end.set()
    async with running(line_of(commits, apart_s=3600.0)) as line:
        first = await submit(line, 1)
        now_s += 3601.0
        second = await submit(line, 1)
        assert commits.sizes == [1, 1]
        await asyncio.wait_for(asyncio.gather(*first, *second), 10)
