"""
The ledger under any story: random operations on real SQL, beside a model that tells it another way.

`LEDGER_OPERATIONS` sets how many operations are made in all; without it a small, seeded run.
"""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import create_engine, create_pool
from gateway.db.transaction import worker_transaction
from gateway.intake.commit import Stored, commit_batch
from gateway.messages.reconcile import every_difference
from gateway.messages.state import lock, save
from gateway.messages.usage import count
from tenants.accounts.purse import change_unit
from tenants.credits import service
from tenants.errors import Conflict
from tests.harness.book import Book, price_of
from tests.harness.tenants import enrol, new_message

STEPS = 60
OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "1200"))
AMOUNTS = st.one_of(st.integers(1, 20), st.integers(1, 10**12))
PRICES = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 10**9))
ENDS = st.tuples(
    st.sampled_from(["delivered", "undelivered", "failed", "expired", "canceled", "unknown"]),
    st.booleans(),
    st.sampled_from([None, 0, 3, 17, 10**8]),
)
PRICINGS = {"micros": "dollars", "credits": "credits"}

_SUMS = """
    SELECT b.unit, b.posted - b.held AS available, b.held, coalesce(sum(t.available), 0) AS moved,
        coalesce(sum(t.held), 0) AS kept, coalesce(sum(t.cogs), 0) AS cogs,
        coalesce(sum(t.available + t.held + t.revenue + t.funding + t.adjustment + t.cogs + t.payable), 0)
            AS zero
    FROM balances b LEFT JOIN ledger_transfers t USING (tenant_id)
    WHERE b.tenant_id = $1 GROUP BY b.tenant_id
"""
_OPEN = """
    SELECT coalesce(sum(price_estimated) FILTER (WHERE price_final IS NULL), 0) AS open,
        coalesce(sum(cost_micros), 0) AS cost, coalesce(sum(price_final), 0) AS paid
    FROM messages WHERE tenant_id = $1
"""
_WIPE = (
    "ledger_transfers", "usage_batches", "usage_days", "events", "dispatch_queue", "audit_rows", "messages",
    "balances",
)  # fmt: skip


class Shop:
    """The connections of a run, with a loop of their own: the machine's rules are not coroutines."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.pool: Any = self.runner.run(create_pool(url, "worker", size=2))
        self.owner: Any = self.runner.run(_connect(url))
        self.engine: AsyncEngine = create_engine(url, "worker", pool_size=1)

    def close(self) -> None:
        """Give everything back."""
        self.runner.run(self.engine.dispose())
        self.runner.run(self.pool.close())
        self.runner.run(self.owner.close())
        self.runner.close()


async def _connect(url: str) -> Any:
    return await asyncpg.connect(url)


class LedgerMachine(RuleBasedStateMachine):
    """One tenant, from its first top-up on."""

    shop: Shop

    @initialize()
    def open(self) -> None:
        """A new tenant, without money."""
        self.scope = self.run(enrol(self.shop.engine))
        self.book = Book(unit="credits")
        self.names: list[Any] = []

    def run(self, work: Any) -> Any:
        """Run a coroutine to its end."""
        return self.shop.runner.run(work)

    @rule(amount=AMOUNTS)
    def top_up(self, amount: int) -> None:
        """What a tenant paid in."""
        self.by_hand(service.top_up, amount=amount)
        assert self.book.move(amount)

    @rule(amount=AMOUNTS, sign=st.sampled_from([1, -1]))
    def adjust(self, amount: int, sign: int) -> None:
        """By hand, up or down."""
        assert self.by_hand(service.adjust, amount=sign * amount) == self.book.move(sign * amount)

    @rule()
    def empty(self) -> None:
        """So that poor tenants, and plans that can change, are met often."""
        if self.book.available:
            assert self.by_hand(service.adjust, amount=-self.book.available)
            self.book.move(-self.book.available)

    @rule(amount=AMOUNTS, sign=st.sampled_from([1, -1]), which=st.none() | st.integers(0, 50))
    def correct(self, amount: int, sign: int, which: int | None) -> None:
        """A new entry with a reason, of a message or of none."""
        name = None if which is None or not self.names else self.names[which % len(self.names)]
        if name is not None:
            sent = self.book.messages[name]
            allowed = sent.unit == self.book.unit and sign * amount <= sent.paid - sent.refunded
            if not allowed:
                assert not self.by_hand(
                    service.correct, amount=sign * amount, reason="a test", message_id=name
                )
                return
        done = self.by_hand(service.correct, amount=sign * amount, reason="a test", message_id=name)
        assert done == self.book.move(sign * amount)
        if done and name is not None:
            self.book.messages[name].refunded += sign * amount

    @rule(prices=st.lists(PRICES, min_size=1, max_size=4))
    def hold(self, prices: list[int]) -> None:
        """A batch: each is taken if what the earlier ones left covers it."""
        batch = [new_message(self.scope, price_estimated=price, unit=self.book.unit) for price in prices]
        decisions = self.run(self.commit(batch))
        for message, decision in zip(batch, decisions, strict=True):
            stored = isinstance(decision, Stored)
            assert stored == self.book.hold(message.id, message.price_estimated), decision
            if stored:
                self.names.append(message.id)

    @rule(price=st.integers(0, 5))
    def hold_in_the_other_unit(self, price: int) -> None:
        """A send that was priced before the plan changed."""
        other = "micros" if self.book.unit == "credits" else "credits"
        batch = [new_message(self.scope, price_estimated=price, unit=other)]
        if price:
            (decision,) = self.run(self.commit(batch))
            assert not isinstance(decision, Stored)

    @rule(which=st.lists(st.integers(0, 50), min_size=1, max_size=3, unique=True), end=ENDS)
    def end(self, which: list[int], end: tuple[str, bool, int | None]) -> None:
        """A capture, release or expiry, a late price, a refund, or one of them again: whatever came."""
        names = sorted({self.names[each % len(self.names)] for each in which}) if self.names else []
        status, accepted, price = end
        self.run(self.finish(names, status, accepted=accepted, price=price))
        for name in names:
            sent = self.book.messages[name]
            sent.cost = max(sent.cost, price or 0)
            self.book.settle(name, price_of(sent.hold, status, accepted=accepted, aws_price=price))

    @rule()
    def change_plan(self) -> None:
        """With messages in flight, or money left, the plan's unit stays."""
        other = "micros" if self.book.unit == "credits" else "credits"
        assert self.run(self.change(other)) == self.book.change_unit(other)

    @rule()
    def count_usage(self) -> None:
        """At any moment between two settlements."""
        self.run(self.counted())

    @invariant()
    def the_books_are_right(self) -> None:
        """Sum zero, cached = recomputed, nothing below zero, holds = open messages, all = the model."""
        sums, stored = self.run(self.look())
        assert sums["zero"] == 0
        assert (sums["moved"], sums["kept"]) == (sums["available"], sums["held"])
        assert sums["available"] >= 0
        assert sums["held"] == stored["open"]
        assert sums["cogs"] == stored["cost"]
        assert (sums["unit"], sums["available"], sums["held"]) == (
            self.book.unit,
            self.book.available,
            self.book.held,
        )
        assert stored["paid"] == sum(sent.paid for sent in self.book.messages.values())

    def teardown(self) -> None:
        """The reconciler has the last word."""
        if hasattr(self, "scope"):
            self.run(self.close_books())

    def by_hand(self, move: Any, **terms: Any) -> bool:
        """Move money as the operator's API does; False if it was refused."""

        async def work() -> None:
            async with worker_transaction(self.shop.engine) as session:
                await move(self.scope, session, **terms)

        try:
            self.run(work())
        except Conflict:
            return False
        return True

    async def commit(self, batch: list[Any]) -> Any:
        """Accept as the API does."""
        async with self.shop.pool.acquire() as connection:
            return await commit_batch(connection, batch)

    async def finish(self, names: list[Any], status: Any, *, accepted: bool, price: int | None) -> None:
        """Save a final state as dispatch, receipts and sweeps do."""
        async with self.shop.pool.acquire() as connection, connection.transaction():
            states = (await lock(connection, names)).values()
            changes = [
                (
                    state,
                    structs.replace(
                        state,
                        status=status,
                        provider_message_id="aws" if accepted else None,
                        provider_price_micros=price,
                        cost_micros=max(state.cost_micros, price or 0),
                    ),
                )
                for state in states
            ]
            await save(connection, changes, now=datetime.now(UTC))

    async def change(self, unit: str) -> bool:
        """Change the plan's unit; False if it was refused."""
        try:
            async with worker_transaction(self.shop.engine) as session:
                await change_unit(self.scope, session, PRICINGS[unit])  # type: ignore[arg-type]
        except Conflict:
            return False
        return True

    async def counted(self) -> None:
        """Count usage as the scheduler does."""
        async with self.shop.pool.acquire() as connection:
            await count(connection)

    async def look(self) -> Any:
        """Read the books as the owner sees them."""
        who = self.scope.tenant_id
        return await self.shop.owner.fetchrow(_SUMS, who), await self.shop.owner.fetchrow(_OPEN, who)

    async def close_books(self) -> None:
        """The whole reconciler but AWS's events, of which this story has none; then make room."""
        found = await every_difference(self.shop.owner)
        assert [each for each in found if each.rule != "cost_is_what_aws_charged"] == []
        for table in _WIPE:
            await self.shop.owner.execute(f"DELETE FROM {table} WHERE tenant_id = $1", self.scope.tenant_id)
        await self.shop.owner.execute("DELETE FROM outbox_batches")


@pytest.fixture
def shop(database_url: str) -> Any:
    """What the machine works on."""
    made = Shop(database_url)
    yield made
    made.close()


def test_no_story_of_operations_unbalances_the_books(shop: Shop) -> None:
    """After every single step, not only in the end."""
    machine = type("Machine", (LedgerMachine,), {"shop": shop})
    quiet = settings(
        max_examples=max(1, OPERATIONS // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(20261121)(machine), settings=quiet)
