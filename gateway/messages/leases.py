"""The rounds of fees: written down once a month, posted when the balance covers them."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from tenants.credits import fee_months, lease_ends, monthly_fees, owed_fees, retaken_leases

_log = structlog.get_logger(__name__)


class Leases:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def write_down(self) -> None:
        """Write down what is owed since the last round, and log what no balance covers."""
        now = self._clock.now()
        async with worker_transaction(self._engine) as session:
            fees, tenants = await owed_fees.uncovered(session)
            for month in await fee_months.months_due(session, now):
                await monthly_fees.write_down_leases(session, now, month)
                await monthly_fees.write_down_platform_fees(session, now, month)
            await lease_ends.settle_ended_leases(session)
            if await retaken_leases.write_down_retaken(session, now):
                await lease_ends.settle_ended_leases(session)  # of those that were let go once more meanwhile
            await fee_months.months_done(session, now)
        if fees:
            _log.warning("fees_not_covered", fees=fees, tenants=tenants)

    async def post(self) -> int:
        """Post what balances cover, few at a time so that sends do not wait; return how many."""
        posted = 0
        while more := await self._post_some():
            posted += more
        return posted

    async def _post_some(self) -> int:
        async with worker_transaction(self._engine) as session:
            return await owed_fees.post_open_fees(session)
