"""
The rules of the ledger without a database: any story, beside a model that tells it another way.

`LEDGER_OPERATIONS` sets how many operations are made in all; without it a small, seeded run.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec import structs

from tenants.credits.batch import LockedBalance
from tenants.credits.settlement import Position, Settlement, lapsed, settle, target
from tests.harness.book import Book, price_of

STEPS = 100
OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "20000"))
ACCOUNTS = ("available", "held", "revenue", "funding", "adjustment")
AMOUNTS = st.integers(-40, 40)
PRICES = st.integers(0, 12)
STATUSES = st.sampled_from(["delivered", "undelivered", "failed", "expired", "canceled", "unknown"])
AWS_PRICES = st.sampled_from([None, 0, 3, 10**9])


class PureLedger(RuleBasedStateMachine):
    """Transfers in a list, a cached balance, and the rules that the gateway applies to them."""

    settle = staticmethod(settle)

    @initialize()
    def open(self) -> None:
        """A new tenant, without money."""
        self.book = Book()
        self.cached = LockedBalance(unit="micros", posted=0, held=0)
        self.totals = dict.fromkeys(ACCOUNTS, 0)
        self.positions: dict[int, Position] = {}

    def post(self, **amounts: int) -> None:
        """Append a transfer and move the cached balance."""
        assert sum(amounts.values()) == 0
        for account, amount in amounts.items():
            self.totals[account] += amount
        self.cached.posted += amounts.get("available", 0) + amounts.get("held", 0)
        self.cached.held += amounts.get("held", 0)

    @rule(amount=AMOUNTS)
    def move(self, amount: int) -> None:
        """A top-up, an adjustment or a correction."""
        if self.book.move(amount):
            assert self.cached.available + amount >= 0
            self.post(available=amount, adjustment=-amount)

    @rule()
    def empty(self) -> None:
        """So that poor tenants, and plans that can change, are met often."""
        self.move(-self.book.available)

    @rule(price=PRICES)
    def hold(self, price: int) -> None:
        """A send."""
        name = len(self.positions)
        taken = self.cached.take(price)
        assert taken == self.book.hold(name, price)
        if taken:
            self.totals["available"] -= price
            self.totals["held"] += price
            self.positions[name] = Position(hold=price)

    @rule(which=st.integers(0, 30), status=STATUSES, accepted=st.booleans(), aws_price=AWS_PRICES)
    def end(self, which: int, status: Any, accepted: bool, aws_price: int | None) -> None:
        """A final state, the first or a later one, with or without a price."""
        if not self.positions:
            return
        name = which % len(self.positions)
        position = self.positions[name]
        goal = target(status, hold=position.hold, aws_accepted=accepted, aws_price_micros=aws_price)
        same = self.book.messages[name].unit == self.cached.unit
        settlement = self.settle(
            position,
            target=goal,
            available=self.cached.available if same else None,
            lapsed=lapsed(status),
        )
        for leg in settlement.legs:
            self.post(available=leg.available, held=leg.held, revenue=leg.revenue, adjustment=leg.adjustment)
        self.positions[name] = Position(
            hold=position.hold,
            settled=True,
            charged=position.charged + settlement.capture + settlement.recapture,
            excess=position.excess + settlement.excess,
        )
        self.book.settle(name, price_of(position.hold, status, accepted=accepted, aws_price=aws_price))

    @rule()
    def change_plan(self) -> None:
        """Only with an empty purse and nothing in flight."""
        other = "micros" if self.book.unit == "credits" else "credits"
        if self.book.change_unit(other):
            assert (self.cached.posted, self.cached.held) == (0, 0)
            self.cached.unit = other

    @invariant()
    def the_books_are_right(self) -> None:
        """Sum zero, cached = recomputed, nothing below zero, nobody pays above its hold, all = the model."""
        assert sum(self.totals.values()) == 0
        assert (self.cached.available, self.cached.held) == (self.totals["available"], self.totals["held"])
        assert self.cached.available >= 0
        assert (self.cached.available, self.cached.held) == (self.book.available, self.book.held)
        for name, sent in self.book.messages.items():
            position = self.positions[name]
            assert position.charged - position.excess == sent.paid
            assert 0 <= sent.paid <= sent.hold


def _tell_stories(machine: type[PureLedger], operations: int) -> None:
    quiet = settings(
        max_examples=max(1, operations // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(20261121)(machine), settings=quiet)


def test_no_story_of_rules_unbalances_the_books() -> None:
    """After every single step, not only in the end."""
    _tell_stories(PureLedger, OPERATIONS)


@pytest.mark.parametrize("forgets", ["the balance", "the hold"])
def test_a_broken_build_is_convicted(forgets: str) -> None:
    """A machine that never fails proves nothing."""

    def broken(position: Position, *, target: int, available: int | None, lapsed: bool = False) -> Settlement:
        if forgets == "the balance":
            available = None if available is None else 10**9
        else:
            position = structs.replace(position, hold=position.hold + 1)
        return settle(position, target=target, available=available, lapsed=lapsed)

    machine = type("Broken", (PureLedger,), {"settle": staticmethod(broken)})
    with pytest.raises((AssertionError, ExceptionGroup)):
        _tell_stories(machine, 20_000)
