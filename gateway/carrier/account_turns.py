"""One run at a time changes an account: of this process by a lock, of others by Postgres's."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import Unavailable

_TRY: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_GIVE_BACK: Final = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_LOOK_AGAIN_S: Final = 0.2
_PATIENCE_S: Final = 100.0


class AccountTurns:
    """
    Turns of the runs that make, change and take away things in an account.

    AWS counts each action of an account to one request a second; runs side by side would throttle each
    other, and two that both look and then make would make twice.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._own: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def turn(self, account_id: UUID) -> AsyncGenerator[None]:
        """
        Hold the account; a process that dies lets go of it with its connection.

        Raises:
            Unavailable: Another run holds it for longer than a caller waits.
        """
        name = {"name": turn_name(account_id)}
        async with self._own[account_id], self._engine.connect() as connection:
            await _take(connection, name)
            try:
                yield
            finally:
                await connection.execute(_GIVE_BACK, name)
                await connection.commit()


def turn_name(account_id: UUID) -> str:
    """Return the name whose hash is the account's advisory lock."""
    return f"tollgate provisioning of {account_id}"


async def _take(connection: AsyncConnection, name: dict[str, str]) -> None:
    """Look again and again: a lock that is waited for would keep a transaction open."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                taken = await connection.scalar(_TRY, name)
                await connection.commit()
                if taken:
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError as error:
        raise Unavailable("another run is provisioning in this AWS account; try again later") from error
