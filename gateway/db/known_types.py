"""
What asyncpg asks the server about Postgres's own types, asked once per process.

asyncpg knows how to speak `uuid`, but asks each server process anew what `uuid[]` is made of, and the server
plans a recursive query over its catalog for the answer: 10 ms of its CPU in each new connection, 10 to 20 ms
of waiting for what was the first to need it (docs/adr/0031; MagicStack/asyncpg#1272).
"""

from collections.abc import Iterable
from typing import Any, Final

import asyncpg
from msgspec import Struct

_FIXED_BELOW: Final = 10_000
"""Postgres gives numbers below this by hand and never again; what is above is a database's own."""


class _NoStatement(Struct, frozen=True):
    """In the place of the statement that asked; an unnamed one is taken to have been overwritten by it."""

    name: str = ""


_known: dict[frozenset[int], Any] = {}


class ConnectionWithKnownTypes(asyncpg.Connection):
    """A connection that remembers, across all of them, what Postgres's own types are made of."""

    async def _introspect_types(self: Any, typeoids: Iterable[int], timeout: float | None) -> tuple[Any, Any]:
        """`self` is Any: what it has of its own is not in its stub."""
        asked = frozenset(typeoids)
        if asked in _known:
            return _known[asked], _NoStatement()
        usual: Any = super()
        types, statement = await usual._introspect_types(asked, timeout)  # noqa: SLF001 - it is ours, too
        if all(oid < _FIXED_BELOW for oid in asked):
            _known[asked] = types
        return types, statement
