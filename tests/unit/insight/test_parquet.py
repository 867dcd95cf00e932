"""A Parquet file is sent while it is made, whole, and given up where nobody reads it."""

import asyncio
import io
from contextlib import AsyncExitStack, aclosing
from uuid import uuid4

import pytest
from arro3.io import read_parquet
from msgspec import Struct, field

from gateway.insight import parquet as module
from gateway.insight.parquet import parquet

OWNER = uuid4()


class Row(Struct, frozen=True, kw_only=True):
    """A row with a column of each kind."""

    id: str
    from_: str | None = field(name="from")
    parts: int
    version: int | None
    test: bool


def row(number: int) -> Row:
    """A row of which every second has nulls."""
    odd = number % 2 == 1
    return Row(
        id=f"msg_{number}",
        from_=None if odd else "=ACME",
        parts=number,
        version=None if odd else 7,
        test=odd,
    )


class Source:
    """Batches of rows, counted as they are asked for."""

    def __init__(self, batches: int, size: int = 1000) -> None:
        self.batches, self.size, self.asked, self.closed = batches, size, 0, False

    async def rows(self):
        """Yield the batches."""
        try:
            for batch in range(self.batches):
                self.asked += 1
                yield [row(batch * self.size + number) for number in range(self.size)]
        finally:
            self.closed = True


async def test_what_is_read_back_is_what_was_written() -> None:
    """Names of the wire, nulls, booleans and order."""
    content = b"".join([piece async for piece in parquet(Row, Source(3, 10).rows(), owner=OWNER)])
    table = read_parquet(io.BytesIO(content)).read_all()
    assert table.column_names == ["id", "from", "parts", "version", "test"]
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    wanted = [row(number) for number in range(30)]
    assert columns["id"] == [each.id for each in wanted]
    assert columns["from"] == [each.from_ for each in wanted]
    assert columns["parts"] == [each.parts for each in wanted]
    assert columns["version"] == [each.version for each in wanted]
    assert columns["test"] == [each.test for each in wanted]


async def test_no_rows_are_a_file_all_the_same() -> None:
    """An export of a quiet night opens in every tool."""
    content = b"".join([piece async for piece in parquet(Row, Source(0).rows(), owner=OWNER)])
    assert read_parquet(io.BytesIO(content)).read_all().num_rows == 0


async def test_a_slow_reader_holds_the_rows_back() -> None:
    """Memory is bounded: no more than some row groups are read ahead of who takes the file."""
    source = Source(200)
    pieces = parquet(Row, source.rows(), owner=OWNER)
    await anext(pieces)
    for _ in range(50):
        await asyncio.sleep(0.005)
    ahead = (module.ROWS_IN_A_GROUP * (2 + module._PIECES)) // source.size
    assert source.asked <= ahead
    await pieces.aclose()
    assert source.closed


async def test_a_reader_that_leaves_ends_the_writer() -> None:
    """Its thread is free for the next file at once."""
    for _ in range(6):
        source = Source(100)
        pieces = parquet(Row, source.rows(), owner=OWNER)
        await anext(pieces)
        await pieces.aclose()
        assert source.closed
    content = b"".join([piece async for piece in parquet(Row, Source(1, 5).rows(), owner=OWNER)])
    assert read_parquet(io.BytesIO(content)).read_all().num_rows == 5


async def test_a_fault_on_the_way_is_the_readers_to_see() -> None:
    """A file without its end must not look like a whole one."""

    async def broken():
        yield [row(1)]
        raise RuntimeError("the database is gone")

    with pytest.raises(Exception, match="the database is gone"):
        async for _piece in parquet(Row, broken(), owner=OWNER):
            pass


async def whole() -> int:
    """The rows of a small file of somebody who has no other."""
    pieces = [piece async for piece in parquet(Row, Source(1, 5).rows(), owner=uuid4())]
    return read_parquet(io.BytesIO(b"".join(pieces))).read_all().num_rows


async def test_one_owners_standing_readers_leave_threads_to_the_others() -> None:
    """However many it opens: two are written, the next ones wait for them."""
    async with AsyncExitStack() as opened:
        readers = [parquet(Row, Source(100).rows(), owner=OWNER) for _ in range(12)]
        for reader in readers:
            await opened.enter_async_context(aclosing(reader))
        for reader in readers[: module._EACH]:
            await anext(reader)
        waiting = [asyncio.create_task(anext(reader)) for reader in readers[module._EACH :]]
        assert await asyncio.wait_for(whole(), 20) == 5
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_readers_that_take_nothing_for_a_while_lose_their_files() -> None:
    """As many as there are threads, each of another owner: the next one has its thread then."""
    threads = module._WRITERS._max_workers
    async with AsyncExitStack() as opened:
        readers = [parquet(Row, Source(100).rows(), owner=uuid4(), stalled_s=0.2) for _ in range(threads)]
        for reader in readers:
            await opened.enter_async_context(aclosing(reader))
            await anext(reader)
        assert await asyncio.wait_for(whole(), 20) == 5
        with pytest.raises(module._Stalled):
            async for _piece in readers[0]:
                pass
