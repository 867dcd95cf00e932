"""
Several writes in one statement: data-modifying CTEs that read their rows from arrays.

A batch that locks balances and then speaks five times with Postgres holds the lock across five waits for a
turn of a busy event loop. In one statement the lock lives as long as the server works, a few milliseconds;
without a transaction around it, one round trip is the whole commit (docs/adr/0006).

A column of ids that several writes share travels once; how the others travel is `tenants.columns`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

from msgspec import Struct

from tenants.columns import packed, selected, unpacked
from tenants.tables import HotConnection


class Write(Struct, frozen=True):
    """One CTE: `sql` has `{0}`, `{1}`, … where its arguments go; later writes may read from `name`."""

    name: str
    sql: str
    arrays: tuple[Any, ...]


def insert(name: str, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Write:
    """
    Return the insert of many rows; `columns` maps names to kinds (`tenants.columns`), in the rows' order.

    COPY would be as fast and needs BYPASSRLS.

    Raises:
        ValueError: A word is none.
    """
    return Write(name, _insert_sql(table, tuple(columns.items())), arrays(columns, rows))


class Alike(Struct, frozen=True, kw_only=True):
    """A table whose new rows agree in most columns, as the messages of a campaign do."""

    table: str
    own: Mapping[str, str]
    """Columns in which every row differs, with their kinds."""
    shared: Mapping[str, str]
    """Columns whose values travel once for all rows that agree in all of them; hashable values only."""
    made: Mapping[str, str] = {}
    """Columns that Postgres makes, as SQL over the others, and over what was sent under the same name."""
    beside: str | None = None
    """An earlier write of one row, from which `made` may read."""
    unless: str | None = None
    """What keeps a row from being written, as SQL over `own` and `shared`."""


def insert_alike(name: str, into: Alike, rows: Iterable[tuple[Sequence[Any], tuple[Any, ...]]]) -> Write:
    """
    Return the insert of many rows, each given by its own values and those it shares, in the columns' order.

    Raises:
        ValueError: A word is none.
    """
    places: dict[tuple[Any, ...], int] = {}
    own = [(*values, places.setdefault(shared, len(places) + 1)) for values, shared in rows]
    columns = (tuple(into.own.items()), tuple(into.shared.items()), tuple(into.made.items()))
    sql = _alike_sql(into.table, *columns, beside=into.beside, unless=into.unless)
    return Write(name, sql, (*arrays({**into.own, _PLACE: "bigint"}, own), *arrays(into.shared, [*places])))


_PLACE: Final = "place_"


def arrays(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """Return the arguments of `relation`."""
    by_column = zip(*rows, strict=True)
    return tuple([packed(kind, column) for kind, column in zip(columns.values(), by_column, strict=True)])


def relation(columns: Mapping[str, str]) -> str:
    """Return the SQL of a relation with these columns, whose `arrays` are a write's first arguments."""
    return f"(SELECT {_values(columns.items())} FROM {_rows([*columns.items()])})"  # noqa: S608 - names are ours


@cache
def _insert_sql(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    return f"INSERT INTO {table} ({_names(columns)}) SELECT {_values(columns)} FROM {_rows(columns)}"  # noqa: S608 - names are ours


_Columns: TypeAlias = tuple[tuple[str, str], ...]


@cache
def _alike_sql(
    table: str, own: _Columns, shared: _Columns, made: _Columns, *, beside: str | None, unless: str | None
) -> str:
    own_rows = _rows((*own, (_PLACE, "bigint")))
    shared_rows = _rows(shared, first=len(own) + 1, numbered=True)
    instead = {name for name, _ in made}
    sent = tuple(column for column in (*own, *shared) if column[0] not in instead)
    values = ", ".join((_values(sent), *(f"{sql} AS {name}" for name, sql in made)))
    other = "" if beside is None else f" CROSS JOIN {beside}"
    kept = "" if unless is None else f" WHERE NOT {unless}"
    return (
        f"INSERT INTO {table} ({_names((*sent, *made))}) SELECT {values} "  # noqa: S608 - names are ours
        f"FROM {own_rows} JOIN {shared_rows} USING ({_PLACE}){other}{kept}"
    )


def _names(columns: Iterable[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)


def _values(columns: Iterable[tuple[str, str]]) -> str:
    return ", ".join(selected(kind, name) for name, kind in columns)


def _rows(columns: Sequence[tuple[str, str]], *, first: int = 0, numbered: bool = False) -> str:
    """Return the relation of columns whose arguments are counted from `first`, numbered from 1 if wished."""
    arrays = ", ".join(unpacked(kind, f"{{{at}}}") for at, (_, kind) in enumerate(columns, first))
    names = _names(columns)
    if numbered:
        return f"unnest({arrays}) WITH ORDINALITY AS shared ({names}, {_PLACE})"
    return f"unnest({arrays}) AS own ({names})"


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
    """Return what equal columns of the same ids have in common, None for anything else."""
    if type(array) is not tuple:
        return None
    column = cast("tuple[object, ...]", array)
    return (id(column[0]), id(column[-1])) if column and isinstance(column[0], UUID) else None


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
