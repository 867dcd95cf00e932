"""
AWS's request rate for control actions, kept by every process of the gateway together.

AWS counts each action of an account, whoever calls it: a web process that provisions and two schedulers that
register must not take a request a second each. The next turn of an action is a row in Postgres.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control import CONTROL_PER_SECOND, MakePace
from gateway.carrier.pace import Pace, Turns
from gateway.db.transaction import worker_transaction
from tenants.senders.models import AwsAccount

_TAKE: Final = text(
    "INSERT INTO control_turns AS held (account_id, action, next_at) "
    "VALUES (:account_id, :action, clock_timestamp() + make_interval(secs => :gap_s)) "
    "ON CONFLICT (account_id, action) DO UPDATE "
    "SET next_at = greatest(held.next_at, clock_timestamp()) + make_interval(secs => :gap_s) "
    "RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - :gap_s"
)


class SharedPace:
    """The turns of one account's actions; a process that dies with a turn costs the others its gap."""

    def __init__(
        self,
        engine: AsyncEngine,
        account_id: UUID,
        per_second: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._account_id = account_id
        self._gap_s = 1.0 / per_second
        self._sleep = sleep

    async def turn(self, action: str) -> None:
        """Take this action's next turn, and wait for it with no transaction open."""
        members = {"account_id": self._account_id, "action": action, "gap_s": self._gap_s}
        async with worker_transaction(self._engine) as session:
            wait_s = float((await session.execute(_TAKE, members)).scalar_one())
        if wait_s > 0:
            await self._sleep(wait_s)


def shared_pace(engine: AsyncEngine) -> MakePace:
    """Return what makes the pace of an account; an emulator asks for none."""

    def made(account: AwsAccount) -> Turns:
        if account.endpoint_url is not None:
            return Pace(None)
        return SharedPace(engine, account.id, CONTROL_PER_SECOND)

    return made
