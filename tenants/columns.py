"""
How a column of many rows travels to Postgres: as one string that it takes apart, or as an array.

The driver asks two abstract classes about every element of an array before it writes it, and takes instants
apart by arithmetic on dates, which costs more than the writing. So numbers, words, instants, bytes and JSON
travel as one string per column; ids, which the driver writes as quickly, and free text stay arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

_BETWEEN: Final = "\x1f"
_NULL: Final = "\x1e"
_UNPACK: Final = "string_to_array({place}, E'\\x1f', E'\\x1e')::{kind}[]"
_ELEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "word": "text",
        "boolean": "boolean",
        "smallint": "smallint",
        "int": "int",
        "bigint": "bigint",
        "timestamptz": "bigint",
        "bytea": "bytea",
        "jsonb": "jsonb",
    }
)
"""The element type of what a packed column is taken apart into."""
_INSTANT: Final = "timestamptz 'epoch' + {name} * interval '1 microsecond' AS {name}"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S: Final = 86_400
_SECOND_US: Final = 1_000_000


def packed(kind: str, column: Sequence[Any]) -> Any:
    """
    Return a column as it travels.

    The kind `word` is text of our own making: never empty, and without control characters.

    Raises:
        ValueError: A word is none.
    """
    if kind not in _ELEMENTS:
        return column
    spell = _SPELLED.get(kind, str)
    text = _BETWEEN.join([_NULL if value is None else spell(value) for value in column])
    if text.count(_BETWEEN) != len(column) - 1 or not text:
        raise ValueError("a word is empty or holds a separator")
    return text


def unpacked(kind: str, place: str) -> str:
    """Return the SQL of the array behind an argument."""
    element = _ELEMENTS.get(kind)
    return f"{place}::{kind}[]" if element is None else _UNPACK.format(place=place, kind=element)


def selected(kind: str, name: str) -> str:
    """Return the SQL of one element under the column's name."""
    return _INSTANT.format(name=name) if kind == "timestamptz" else name


def _microseconds(instant: datetime) -> str:
    since = instant - _EPOCH
    return str((since.days * _DAY_S + since.seconds) * _SECOND_US + since.microseconds)


def _hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _json(value: object) -> str:
    """JSON holds no control character, so it cannot be mistaken for a separator."""
    return msgspec.json.encode(value).decode()


_SPELLED: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {"timestamptz": _microseconds, "bytea": _hex, "jsonb": _json}
)
