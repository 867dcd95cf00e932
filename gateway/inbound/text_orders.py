"""
Orders of texts that Tollgate sends by itself: taken by a lease, given back by doing nothing.

An order is a row with `due_at`, `attempts` and `closes_at`. Who takes it moves its due time ahead, so that
a process that dies gives it back; one that could not be carried out waits two seconds, then four, up to a
minute.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.intake.outcome import DeclineCode
from gateway.lanes.errors import RedisUnavailable

_log = structlog.get_logger(__name__)

_BATCH: Final = 50
_LEASE: Final = timedelta(seconds=30)
_LONGEST_WAIT_S: Final = 60
_MOST_DOUBLINGS: Final = 6
WORTH_WAITING: Final[frozenset[DeclineCode]] = frozenset({"queue_full", "rate_limited", "daily_cap_reached"})
"""Why an order is not carried out now and may be later."""


class TextOrder(Struct, frozen=True, kw_only=True):
    """What every order has."""

    tenant_id: UUID
    id: UUID
    text_sealed: bytes
    attempts: int
    closes_at: datetime


_Order = TypeVar("_Order", bound=TextOrder)


class TextOrders(Generic[_Order]):
    """
    The orders of one table.

    `take` is SQL that leases what is due at `$1` until `$2`, at most `$3` rows, and returns the members of
    `kind`; `put_off` sets the due time of tenant `$1`'s order `$2` to `$3`.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        clock: Clock,
        kind: type[_Order],
        *,
        take: str,
        put_off: str,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._kind = kind
        self._take = take
        self._put_off = put_off

    async def work_off(self, act: Callable[[_Order], Awaitable[None]]) -> int:
        """
        Have all that is due carried out; returns how many orders were tried.

        One that brings out a fault of ours is put off: leased again and again beside the others, it would
        hold them up until it is too late for all.
        """
        tried = 0
        while orders := await self.take():
            for order in orders:
                try:
                    await act(order)
                except (RedisUnavailable, *DATABASE_FAULTS):
                    raise
                except Exception:  # noqa: BLE001 - one order that is broken must not stop the others; it is logged
                    _log.exception("text_order_broken", order_id=str(order.id))
                    await self.put_off(order)
            tried += len(orders)
        return tried

    async def take(self) -> Sequence[_Order]:
        """Lease some that are due."""
        now = self._clock.now()
        rows = await self._pool.fetch(self._take, now, now + _LEASE, _BATCH)
        return [self._kind(**dict(row)) for row in rows]

    def is_over(self, order: _Order) -> bool:
        """Whether nobody waits for it any more."""
        return self._clock.now() >= order.closes_at

    async def put_off(self, order: _Order) -> None:
        """Try it again later, the later the more often it was tried."""
        wait_s = min(2 ** min(order.attempts, _MOST_DOUBLINGS), _LONGEST_WAIT_S)
        due_at = self._clock.now() + timedelta(seconds=wait_s)
        await self._pool.execute(self._put_off, order.tenant_id, order.id, due_at)
