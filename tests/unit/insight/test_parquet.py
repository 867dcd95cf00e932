"""A Parquet file is sent while it is made, whole, and given up where nobody reads it."""

import asyncio
import io

import pytest
from arro3.io import read_parquet
from msgspec import Struct, field

from gateway.insight import parquet as module
from gateway.insight.parquet import parquet


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
    content = b"".join([piece async for piece in parquet(Row, Source(3, 10).rows())])
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
    content = b"".join([piece async for piece in parquet(Row, Source(0).rows())])
    assert read_parquet(io.BytesIO(content)).read_all().num_rows == 0


async def test_a_slow_reader_holds_the_rows_back() -> None:
    """Memory is bounded: no more than some row groups are read ahead of who takes the file."""
    source = Source(200)
    pieces = parquet(Row, source.rows())
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
        pieces = parquet(Row, source.rows())
        await anext(pieces)
        await pieces.aclose()
        assert source.closed
    content = b"".join([piece async for piece in parquet(Row, Source(1, 5).rows())])
    assert read_parquet(io.BytesIO(content)).read_all().num_rows == 5


async def test_a_fault_on_the_way_is_the_readers_to_see() -> None:
    """A file without its end must not look like a whole one."""

    async def broken():
        yield [row(1)]
        raise RuntimeError("the database is gone")

    with pytest.raises(Exception, match="the database is gone"):
        async for _piece in parquet(Row, broken()):
            pass
