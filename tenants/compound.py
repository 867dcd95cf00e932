"""
Several writes in one statement: data-modifying CTEs that read their rows from arrays.

A batch that locks balances and then speaks five times with Postgres holds the lock across five waits for a
turn of a busy event loop. In one statement the lock lives as long as the server works, a few milliseconds;
without a transaction around it, one round trip is the whole commit (docs/adr/0006).

The driver asks two abstract classes about every element of an array before it writes it, which costs more
than the writing. So numbers and words travel as one string per column that Postgres takes apart, and a column
of ids or instants that several writes share travels once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, cast
from uuid import UUID

from msgspec import Struct

from tenants.tables import HotConnection


class Write(Struct, frozen=True):
    """One CTE: `sql` has `{0}`, `{1}`, … where its arguments go; later writes may read from `name`."""

    name: str
    sql: str
    arrays: tuple[Any, ...]


def insert(name: str, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Write:
    """
    Return the insert of many rows; `columns` maps each name to its Postgres type, in the rows' order.

    The type `word` is text of our own making: never empty, and without control characters. COPY would be as
    fast and needs BYPASSRLS.

    Raises:
        ValueError: A word is none.
    """
    columns_of = zip(*rows, strict=True)
    values = [
        _packed(column) if kind in _PACKED else column
        for kind, column in zip(columns.values(), columns_of, strict=True)
    ]
    return Write(name, _insert_sql(table, tuple(columns.items())), tuple(values))


@cache
def _insert_sql(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    arrays = (
        _UNPACK.format(place=f"{{{number}}}", kind=_PACKED[kind])
        if kind in _PACKED
        else f"{{{number}}}::{kind}[]"
        for number, (_, kind) in enumerate(columns)
    )
    names = ", ".join(name for name, _ in columns)
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - names are ours


_BETWEEN: Final = "\x1f"
_NULL: Final = "\x1e"
_UNPACK: Final = "string_to_array({place}, E'\\x1f', E'\\x1e')::{kind}[]"
_PACKED: Final = {
    "word": "text",
    "boolean": "boolean",
    "smallint": "smallint",
    "int": "int",
    "bigint": "bigint",
}


def _packed(column: Sequence[Any]) -> str:
    packed = _BETWEEN.join([_NULL if value is None else str(value) for value in column])
    if packed.count(_BETWEEN) != len(column) - 1 or not packed:
        raise ValueError("a word is empty or holds a separator")
    return packed


def _place(array: Any, arguments: list[Any], sent: dict[tuple[int, int], int]) -> int:
    """Return the number of the argument that holds `array`, which may be one that an earlier write sends."""
    key = _shared_key(array)
    if key is not None and key in sent and arguments[sent[key] - 1] == array:
        return sent[key]
    arguments.append(array)
    if key is not None:
        sent[key] = len(arguments)
    return len(arguments)


def _shared_key(array: Any) -> tuple[int, int] | None:
    """Return what equal columns of the same ids or instants have in common, None for anything else."""
    if type(array) is not tuple:
        return None
    column = cast("tuple[object, ...]", array)
    return (id(column[0]), id(column[-1])) if column and isinstance(column[0], _SHARED) else None


_SHARED: Final = (UUID, datetime)


async def execute(connection: HotConnection, writes: Sequence[Write], last: str = "SELECT 1") -> None:
    """
    Run the writes as one statement ending in `last`; all of them happen, or none.

    They see one snapshot, not each other's rows, except through RETURNING.
    """
    arguments: list[Any] = []
    sent: dict[tuple[int, int], int] = {}
    parts = tuple(
        (write.name, write.sql, tuple([_place(array, arguments, sent) for array in write.arrays]))
        for write in writes
    )
    if parts:
        await connection.execute(_statement(parts, last), *arguments)


@lru_cache(maxsize=256)
def _statement(parts: tuple[tuple[str, str, tuple[int, ...]], ...], last: str) -> str:
    ctes = (f"{name} AS ({sql.format(*(f'${number}' for number in places))})" for name, sql, places in parts)
    return f"WITH {', '.join(ctes)} {last}"
