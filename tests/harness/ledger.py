"""What must hold of money at every moment, whatever happened before; each fault is a sentence."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from gateway.messages.reconcile import every_difference

CHECKS = {
    "a transfer does not sum to zero": """
        SELECT tenant_id FROM ledger_transfers
        WHERE available + held + revenue + funding + adjustment <> 0
    """,
    "a balance is not the sum of its ledger": """
        SELECT b.tenant_id FROM balances b LEFT JOIN (
            SELECT tenant_id, sum(available + held) AS posted, sum(held) AS held
            FROM ledger_transfers GROUP BY tenant_id) l USING (tenant_id)
        WHERE b.posted <> coalesce(l.posted, 0) OR b.held <> coalesce(l.held, 0)
    """,
    "a balance is overspent": "SELECT tenant_id FROM balances WHERE posted - held < 0 OR held < 0",
    "a message has not exactly one hold": """
        SELECT m.id FROM messages m LEFT JOIN ledger_transfers l
            ON l.tenant_id = m.tenant_id AND l.subject_id = m.id AND l.kind = 'hold'
        WHERE NOT m.test AND m.price_estimated > 0 GROUP BY m.id, m.price_estimated
        HAVING count(l.id) <> 1 OR sum(l.held) <> m.price_estimated
    """,
    "a hold has no message": """
        SELECT l.subject_id FROM ledger_transfers l LEFT JOIN messages m
            ON m.tenant_id = l.tenant_id AND m.id = l.subject_id
        WHERE l.kind = 'hold' AND m.id IS NULL
    """,
    "a final message still holds money, or charged more than it held": """
        SELECT m.id FROM messages m
        JOIN ledger_transfers l ON l.tenant_id = m.tenant_id AND l.subject_id = m.id
        WHERE m.status IN ('delivered', 'undelivered', 'failed', 'expired', 'canceled', 'unknown')
        GROUP BY m.id, m.price_estimated
        HAVING sum(l.held) <> 0 OR sum(l.revenue) > m.price_estimated OR sum(l.revenue) < 0
    """,
    "a message is not final and its hold is gone": """
        SELECT m.id FROM messages m
        JOIN ledger_transfers l ON l.tenant_id = m.tenant_id AND l.subject_id = m.id
        WHERE m.status IN ('scheduled', 'queued', 'dispatching', 'sent')
        GROUP BY m.id, m.price_estimated HAVING sum(l.held) <> m.price_estimated
    """,
    "a key stands for a message that is not there": """
        SELECT k.message_id FROM idempotency_keys k LEFT JOIN messages m
            ON m.tenant_id = k.tenant_id AND m.id = k.message_id
        WHERE k.message_id IS NOT NULL AND m.id IS NULL
    """,
}


@contextlib.asynccontextmanager
async def agreeing_books(database: Any) -> AsyncIterator[None]:
    """Let a scenario run, and hold the reconciler to finding nothing after it that was not there before."""
    before = await every_difference(database)
    yield
    found = [each for each in await every_difference(database) if each not in before]
    assert found == [], found


async def faults(database: Any, *, of_tenant: UUID | None = None) -> list[str]:
    """
    Return every rule that the database breaks, with the first rows that break it.

    Args:
        of_tenant: The reconciler is asked of this tenant alone: a build that is broken on purpose leaves its
            differences behind for the scenarios after it.
    """
    found: list[str] = []
    for sentence, query in CHECKS.items():
        rows = await database.fetch(query)
        if rows:
            found.append(f"{sentence}: {[str(row[0]) for row in rows[:3]]} of {len(rows)}")
    differences = [each for each in await every_difference(database) if of_tenant in {None, each.tenant_id}]
    return [*found, *(f"the reconciler finds {each}" for each in differences)]
