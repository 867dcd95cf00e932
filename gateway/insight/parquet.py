"""
Rows as a Parquet file that is sent while it is made.

The writer is a library's and pulls: it runs in a thread of its own, asks the event loop for the next batch
and hands it what is ready. Both ways wait for the slower side, so no more than a row group is in memory.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from errno import ESPIPE
from typing import IO, Any, Final, cast, get_args

import arro3.core as arrow
from arro3.io import write_parquet
from msgspec import Struct, structs

ROWS_IN_A_GROUP: Final = 10_000
_PIECES: Final = 4
_COMPRESSION: Final = "zstd(3)"
_WRITERS: Final = ThreadPoolExecutor(4, thread_name_prefix="parquet")
"""A writer waits for its reader; a slow one must not hold the threads that others need."""


class _Abandoned(Exception):
    """Nobody reads the file any more."""


class _Sink:
    """A file to the writer, a bounded line of pieces to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES)
        self.closed = False
        self._waits_for: Future[Any] | None = None

    def wait(self, work: Any) -> Any:
        """Return what a coroutine on the loop gives; called in the writer's thread."""
        if self.closed:
            work.close()
            raise _Abandoned
        self._waits_for = asyncio.run_coroutine_threadsafe(work, self._loop)
        return self._waits_for.result()

    def abandon(self) -> None:
        """Let the writer fail at once, wherever it waits."""
        self.closed = True
        if self._waits_for is not None:
            self._waits_for.cancel()

    def write(self, data: bytes) -> int:
        """Hand on a piece; waits while the reader is slower."""
        self.wait(self.pieces.put(bytes(data)))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def seek(self, *_: int) -> int:
        """Refuse: the library asks whether there is such a thing, and a stream has none."""
        raise OSError(ESPIPE, "a file that is sent while it is made has no way back")


async def parquet(row_type: type[Struct], batches: AsyncGenerator[list[Any]]) -> AsyncGenerator[bytes]:
    """
    Yield the pieces of a Parquet file of the rows, which are structs of `row_type`.

    Texts, integers and booleans become columns of their kind; what may be None may be null.
    """
    schema = schema_of(row_type)
    sink = _Sink(asyncio.get_running_loop())

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
        await making
    finally:
        sink.abandon()
        await asyncio.gather(making, return_exceptions=True)
        await batches.aclose()


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
