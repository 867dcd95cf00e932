"""
The ledger under any story: random operations on real SQL, beside a model that tells it another way.

An operation is one message held or settled, or one movement by hand; those of a batch are one commit, as at
the API, and the books are proven after each. `LEDGER_OPERATIONS` sets how many are made in all; without it a
small, seeded run.
"""

import asyncio
import logging
import os
import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import uvloop
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import create_engine, create_pool
from gateway.db.transaction import worker_transaction
from gateway.intake.allowance import Guesses
from gateway.intake.commit import Stored, commit_batch
from gateway.messages.reconcile import every_difference
from gateway.messages.state import lock, save
from gateway.messages.usage import count
from tenants.accounts.purse import change_unit
from tenants.budgets.budget import BUNDLE, Count, month_of
from tenants.credits import service
from tenants.errors import Conflict
from tests.harness.book import Book, price_of
from tests.harness.tenants import enrol, new_message

STEPS = 60
_log = logging.getLogger(__name__)
"""A long run says how far it is: `--log-cli-level=INFO`."""
OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "4000"))
AMOUNTS = st.one_of(st.integers(1, 20), st.integers(1, 10**12))
PRICES = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 10**9))
SENDS = st.tuples(PRICES, st.integers(0, 3))
"""Price of a part, and the parts that may draw on the bundle; 0 for a send that is none of its."""
STORIES = 10
"""Told before the tables are swept."""
ENDS = st.tuples(
    st.sampled_from(["delivered", "undelivered", "failed", "expired", "canceled", "unknown"]),
    st.booleans(),
    st.sampled_from([None, 0, 3, 17, 10**8]),
)
WHICH = st.integers(0, 10**6)
BATCHES = {"min_size": 1, "max_size": 8}
CROWDS = st.integers(40, 128)
"""Operations of one commit; a crowd is drawn from a seed, since a story has room for few choices."""
SEEDS = st.integers(0, 2**32 - 1)
SOME_PRICES = (0, 0, 1, 3, 12, 7777, 10**9)
SOME_ENDS = ("delivered", "delivered", "undelivered", "failed", "expired", "canceled", "unknown")
PRICINGS = {"micros": "dollars", "credits": "credits"}

_BOOKS = """
    WITH sums AS (
        SELECT b.unit, b.posted - b.held AS available, b.held, coalesce(sum(t.available), 0) AS moved,
            coalesce(sum(t.held), 0) AS kept, coalesce(sum(t.cogs), 0) AS cogs,
            coalesce(sum(t.available + t.held + t.revenue + t.funding + t.adjustment + t.cogs + t.payable), 0)
                AS zero
        FROM balances b LEFT JOIN ledger_transfers t USING (tenant_id)
        WHERE b.tenant_id = $1 GROUP BY b.tenant_id
    ), stored AS (
        SELECT coalesce(sum(price_estimated) FILTER (WHERE price_final IS NULL), 0) AS open,
            coalesce(sum(cost_micros), 0) AS cost, coalesce(sum(price_final), 0) AS paid
        FROM messages WHERE tenant_id = $1
    ), bundle AS (
        SELECT coalesce(sum(used), 0) AS drawn FROM spend_counters WHERE tenant_id = $1
    )
    SELECT * FROM sums, stored, bundle
"""
"""One statement, so one round trip, after every step."""
_WAITS_FOR_NO_DISK = """
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
    END $$
"""
"""Nothing dies in these stories, and they end tens of thousands of transactions one after the other."""
_WAITS_AGAIN = """
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET synchronous_commit', current_database()); END $$
"""
_WIPE = (
    "ledger_transfers", "usage_batches", "usage_days", "events", "dispatch_queue", "audit_rows", "messages",
    "spend_counters", "balances",
)  # fmt: skip


class Shop:
    """The connections of a run, with a loop of their own: the machine's rules are not coroutines."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.owner: Any = self.runner.run(_connect(url))
        self.runner.run(self.owner.execute(_WAITS_FOR_NO_DISK))
        self.pool: Any = self.runner.run(create_pool(url, "worker", size=2))
        self.operations = 0
        self.engine: AsyncEngine = create_engine(url, "worker", pool_size=1)

    def sweep(self) -> None:
        """Take away what the stories' ends deleted, so that the last story costs what the first one did."""
        self.runner.run(self.owner.execute(f"VACUUM {', '.join(_WIPE)}, outbox_batches"))

    def close(self) -> None:
        """Give everything back."""
        self.runner.run(self.engine.dispose())
        self.runner.run(self.pool.close())
        self.runner.run(self.owner.execute(_WAITS_AGAIN))
        self.runner.run(self.owner.close())
        self.runner.close()


async def _connect(url: str) -> Any:
    return await asyncpg.connect(url)


class LedgerMachine(RuleBasedStateMachine):
    """One tenant, from its first top-up on."""

    shop: Shop

    @initialize(allowance=st.integers(1, 400))
    def open(self, allowance: int) -> None:
        """A new tenant with a bundle, without money."""
        self.scope = self.run(enrol(self.shop.engine))
        self.book = Book(unit="credits", allowance=allowance)
        self.guesses = Guesses()
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

    @rule(sends=st.lists(SENDS, **BATCHES))
    def hold(self, sends: list[tuple[int, int]]) -> None:
        """A batch: each is taken if what the earlier ones left, of the bundle too, covers it."""
        batch = [self.send(price, parts) for price, parts in sends]
        decisions = self.run(self.commit(batch))
        self.shop.operations += len(batch)
        for message, decision, (_, parts) in zip(batch, decisions, sends, strict=True):
            stored = isinstance(decision, Stored)
            assert stored == self.book.hold(message.id, message.price_estimated, parts=parts), decision
            if stored:
                assert decision.included == self.book.messages[message.id].included
                self.names.append(message.id)

    @rule(number=SEEDS, size=CROWDS)
    def hold_a_crowd(self, number: int, size: int) -> None:
        """As many as a busy process commits at once."""
        draw = random.Random(number)
        self.hold([(draw.choice(SOME_PRICES), draw.randint(0, 3)) for _ in range(size)])

    @rule(number=SEEDS, size=CROWDS)
    def end_a_crowd(self, number: int, size: int) -> None:
        """As many as a batch of receipts brings."""
        draw = random.Random(number)

        def end() -> tuple[str, bool, int | None]:
            return draw.choice(SOME_ENDS), draw.random() < 0.7, draw.choice((None, 0, 3, 10**8))

        self.end([(draw.randrange(10**6), end()) for _ in range(size)])

    def send(self, price: int, parts: int) -> Any:
        """A send, of which the bundle may cover some parts."""
        made = new_message(
            self.scope, parts=max(1, parts), price_estimated=price * max(1, parts), unit=self.book.unit
        )
        if not parts:
            return made
        bundle = Count(
            owner=self.scope.tenant_id,
            name=BUNDLE,
            month=month_of(made.created_at),
            amount=parts,
            cap=self.book.allowance,
        )
        return structs.replace(made, bundle=bundle)

    @rule(price=st.integers(0, 5))
    def hold_in_the_other_unit(self, price: int) -> None:
        """A send that was priced before the plan changed."""
        other = "micros" if self.book.unit == "credits" else "credits"
        batch = [new_message(self.scope, price_estimated=price, unit=other)]
        if price:
            (decision,) = self.run(self.commit(batch))
            assert not isinstance(decision, Stored)

    @rule(ends=st.lists(st.tuples(WHICH, ENDS), **BATCHES))
    def end(self, ends: list[tuple[int, tuple[str, bool, int | None]]]) -> None:
        """Captures, releases, expiries, late prices, refunds, or any of them again: whatever came."""
        if not self.names:
            return
        drawn = {self.names[which % len(self.names)]: end for which, end in ends}
        named = {name: drawn[name] for name in sorted(drawn)}
        self.run(self.finish(named))
        self.shop.operations += len(named)
        for name, (status, accepted, price) in named.items():
            sent = self.book.messages[name]
            sent.cost = max(sent.cost, price or 0)
            self.book.judge(name, free=not price_of(1, status, accepted=accepted, aws_price=price))
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
        sums = self.run(self.look())
        assert sums["drawn"] == self.book.drawn
        assert sums["zero"] == 0
        assert (sums["moved"], sums["kept"]) == (sums["available"], sums["held"])
        assert sums["available"] >= 0
        assert sums["held"] == sums["open"]
        assert sums["cogs"] == sums["cost"]
        assert (sums["unit"], sums["available"], sums["held"]) == (
            self.book.unit,
            self.book.available,
            self.book.held,
        )
        assert sums["paid"] == sum(sent.paid for sent in self.book.messages.values())

    def teardown(self) -> None:
        """The reconciler has the last word."""
        if hasattr(self, "scope"):
            self.run(self.close_books())

    def by_hand(self, move: Any, **terms: Any) -> bool:
        """Move money as the operator's API does; False if it was refused."""
        self.shop.operations += 1

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
            return await commit_batch(connection, batch, self.guesses)

    async def finish(self, named: dict[Any, Any]) -> None:
        """Save final states as dispatch, receipts and sweeps do."""
        async with self.shop.pool.acquire() as connection, connection.transaction():
            states = (await lock(connection, named)).values()
            ends = [(state, *named[state.id]) for state in states]
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
                for state, status, accepted, price in ends
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
        return await self.shop.owner.fetchrow(_BOOKS, self.scope.tenant_id)

    async def close_books(self) -> None:
        """The whole reconciler but AWS's events, of which this story has none; then make room."""
        found = await every_difference(self.shop.owner)
        assert [each for each in found if each.rule != "cost_is_what_aws_charged"] == []
        mine = f"WHERE tenant_id = '{self.scope.tenant_id}'"
        await self.shop.owner.execute(";".join(f"DELETE FROM {table} {mine}" for table in _WIPE))
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
        max_examples=STORIES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    number = 0
    while shop.operations < OPERATIONS:
        run_state_machine_as_test(seed(20261121 + number)(machine), settings=quiet)
        shop.sweep()
        number += 1
        _log.info("%s operations in %s stories", f"{shop.operations:,}", number * STORIES)
