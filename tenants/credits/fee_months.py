"""
Which months' fees are to be written down: the present one, and those in which nobody did.

The instant of the last round is kept. A round goes back to that instant's month, so what a stopped scheduler
has missed is made up for, however long it was away; what is written down already is found and left.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ROUNDS: Final = "monthly"
_OVERLAP: Final = timedelta(hours=1)
"""What was being written at the last round, and committed after it."""
_BEGIN: Final = text(
    "INSERT INTO fee_rounds (name, until) VALUES (:name, :now) ON CONFLICT DO NOTHING RETURNING until"
)
_UNTIL: Final = text("SELECT until FROM fee_rounds WHERE name = :name FOR UPDATE")
_DONE: Final = text("UPDATE fee_rounds SET until = :now WHERE name = :name AND until < :now")


async def months_due(session: AsyncSession, now: datetime) -> list[date]:
    """
    Return the first days of the months to write down, the oldest first and the present one last.

    Rounds that run at once wait here for each other, until the transaction ends. A first round begins with
    the present month: what was before the gateway kept these books is not its to charge.
    """
    if (await session.execute(_BEGIN, {"name": _ROUNDS, "now": now})).all():
        return list(_months(now, now))
    until: datetime = (await session.execute(_UNTIL, {"name": _ROUNDS})).scalar_one()
    return list(_months(min(until - _OVERLAP, now), now))


async def months_done(session: AsyncSession, now: datetime) -> None:
    """Note, in the same transaction, that everything until now is written down."""
    await session.execute(_DONE, {"name": _ROUNDS, "now": now})


def _months(start: datetime, end: datetime) -> Iterator[date]:
    month, last = start.date().replace(day=1), end.date().replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)
