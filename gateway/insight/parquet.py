"""
Rows as a Parquet file that is sent while it is made.

The writer is a library's and pulls: it runs in a thread of its own, asks the event loop for the next batch
and hands it what is ready. Both ways wait for the slower side, so no more than a row group is in memory.

There are few threads, and a writer has one as long as its reader takes the file. So nobody has more than a
share of them at once, and who takes nothing for a while loses its file: the others' wait no longer than that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from errno import ESPIPE
from typing import IO, Any, Final, cast, get_args
from uuid import UUID
from weakref import WeakValueDictionary

import arro3.core as arrow
import structlog
from arro3.io import write_parquet
from msgspec import Struct, structs

ROWS_IN_A_GROUP: Final = 10_000
_PIECES: Final = 4
_COMPRESSION: Final = "zstd(3)"
_WRITERS: Final = ThreadPoolExecutor(8, thread_name_prefix="parquet")
"""A writer waits for its reader; a slow one must not hold the threads that others need."""
STALLED_S: Final = 60.0
"""A reader that takes no piece for so long is given up."""
_EACH: Final = 2
"""Files of one owner that are written at once; its next ones wait for them."""
_log = structlog.get_logger(__name__)
_TURNS: Final[WeakValueDictionary[UUID, asyncio.Semaphore]] = WeakValueDictionary()


class _Abandoned(Exception):
    """Nobody reads the file any more."""


class _Stalled(Exception):
    """The reader stood still for too long: its file ends here, and is not whole."""


class _Sink:
    """A file to the writer, a bounded line of pieces to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stalled_s: float) -> None:
        self._loop = loop
        self._stalled_s = stalled_s
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES)
        self.closed = False
        self.stalled = False
        self._waits_for: Future[Any] | None = None

    def wait(self, work: Any) -> Any:
        """Return what a coroutine on the loop gives; called in the writer's thread."""
        if self.closed:
            work.close()
            raise _Abandoned
        self._waits_for = asyncio.run_coroutine_threadsafe(work, self._loop)
        return self._waits_for.result()

    def abandon(self) -> None:
        """Let the writer fail at once, wherever it waits, and whoever has the line's end to put into it."""
        self.closed = True
        if self._waits_for is not None:
            self._waits_for.cancel()
        while not self.pieces.empty():
            self.pieces.get_nowait()

    def write(self, data: bytes) -> int:
        """Hand on a piece; waits while the reader is slower, and fails where it stands still."""
        self.wait(self._taken(bytes(data)))
        return len(data)

    async def _taken(self, piece: bytes) -> None:
        try:
            await asyncio.wait_for(self.pieces.put(piece), self._stalled_s)
        except TimeoutError:
            self.stalled = True
            _log.warning("parquet_reader_stalled", seconds=self._stalled_s)
            raise

    def flush(self) -> None:
        """Nothing is held back."""

    def seek(self, *_: int) -> int:
        """Refuse: the library asks whether there is such a thing, and a stream has none."""
        raise OSError(ESPIPE, "a file that is sent while it is made has no way back")


async def parquet(
    row_type: type[Struct], batches: AsyncGenerator[list[Any]], *, owner: UUID, stalled_s: float = STALLED_S
) -> AsyncGenerator[bytes]:
    """
    Yield the pieces of a Parquet file of the rows, which are structs of `row_type`.

    Texts, integers and booleans become columns of their kind; what may be None may be null.

    Args:
        owner: Whose file it is: a tenant, or the nil UUID of the platform.
        stalled_s: Seconds without a piece being taken after which the file ends, broken off.
    """
    try:
        async with (
            _TURNS.setdefault(owner, asyncio.Semaphore(_EACH)),
            aclosing(_written(row_type, batches, stalled_s)) as pieces,
        ):
            async for piece in pieces:
                yield piece
    finally:
        await batches.aclose()


async def _written(
    row_type: type[Struct], batches: AsyncGenerator[list[Any]], stalled_s: float
) -> AsyncGenerator[bytes]:
    schema = schema_of(row_type)
    sink = _Sink(asyncio.get_running_loop(), stalled_s)

    def batches_in_thread() -> Generator[arrow.RecordBatch]:
        while (rows := sink.wait(_next(batches))) is not None:
            yield record_batch(schema, row_type, rows)

    def make() -> None:
        reader = arrow.RecordBatchReader.from_batches(schema, batches_in_thread())
        write_parquet(
            reader,
            cast("IO[bytes]", sink),
            compression=_COMPRESSION,
            max_row_group_size=ROWS_IN_A_GROUP,
            created_by="tollgate",
        )

    making = asyncio.create_task(_made(make, sink))
    try:
        while (piece := await sink.pieces.get()) is not None:
            yield piece
        if sink.stalled:
            raise _Stalled
        await making
    finally:
        sink.abandon()
        await asyncio.gather(making, return_exceptions=True)


def schema_of(row_type: type[Struct]) -> arrow.Schema:
    """Return the columns of a struct, under the names that the wire has."""
    return arrow.Schema(
        [
            arrow.Field(each.encode_name, _kind(each.type), nullable=type(None) in get_args(each.type))
            for each in structs.fields(row_type)
        ]
    )


def record_batch(schema: arrow.Schema, row_type: type[Struct], rows: Sequence[Any]) -> arrow.RecordBatch:
    """Return rows as columns."""
    columns = [
        arrow.Array([getattr(row, each.name) for row in rows], _kind(each.type))
        for each in structs.fields(row_type)
    ]
    batches: Any = arrow.RecordBatch
    return cast("arrow.RecordBatch", batches.from_arrays(columns, schema=schema))


def _kind(annotation: Any) -> arrow.DataType:
    kinds = set(get_args(annotation)) - {type(None)} or {annotation}
    if kinds == {bool}:
        return arrow.DataType.bool()
    return arrow.DataType.int64() if kinds == {int} else arrow.DataType.utf8()


async def _next(batches: AsyncIterator[list[Any]]) -> list[Any] | None:
    return await anext(batches, None)


async def _made(make: Any, sink: _Sink) -> None:
    """Run the writer to its end, whichever, and end the line of pieces."""
    try:
        await asyncio.get_running_loop().run_in_executor(_WRITERS, make)
    finally:
        if not sink.closed:
            await sink.pieces.put(None)
