"""Settlement: any story of receipts, told in any order, ends at the same charge, never above the hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.credits.settlement import Position, Settlement, settle, target

AMOUNTS = st.integers(0, 10**12)


def apply(position: Position, settlement: Settlement) -> Position:
    return Position(
        hold=position.hold,
        settled=True,
        charged=position.charged + settlement.capture + settlement.recapture,
        excess=position.excess + settlement.excess,
    )


def test_a_delivered_message_captures_its_hold() -> None:
    """The common end: what was held is what it cost."""
    settlement = settle(Position(hold=19_350), target=19_350, available=0)
    assert settlement == Settlement(capture=19_350, first=True)


def test_a_message_that_costs_less_releases_the_rest() -> None:
    """The tenant gets back what the message did not need."""
    assert settle(Position(hold=100), target=60, available=0) == Settlement(
        capture=60, release=40, first=True
    )


def test_a_message_that_costs_nothing_releases_its_whole_hold() -> None:
    """Refused, failed and canceled messages are free."""
    assert settle(Position(hold=100), target=0, available=0) == Settlement(release=100, first=True)


def test_a_message_never_captures_more_than_its_hold() -> None:
    """A carrier's surprise is the platform's, not the tenant's."""
    assert settle(Position(hold=100), target=250, available=10**9) == Settlement(capture=100, first=True)


def test_a_repeated_receipt_posts_nothing() -> None:
    """Duplicates are the normal case at the end of SNS."""
    settled = Position(hold=100, settled=True, charged=100)
    assert settle(settled, target=100, available=50) == Settlement()
    assert settle(settled, target=100, available=50).legs == ()


def test_a_late_failure_gives_back_what_was_charged() -> None:
    """A later receipt corrects the one before it."""
    settled = Position(hold=100, settled=True, charged=100)
    assert settle(settled, target=0, available=0) == Settlement(recapture=-100)


def test_a_late_delivery_charges_what_was_released() -> None:
    """A message thought lost that arrived after all costs what it would have cost."""
    released = Position(hold=100, settled=True, charged=0)
    assert settle(released, target=100, available=500) == Settlement(recapture=100)


def test_a_late_charge_that_the_balance_cannot_bear_is_the_platforms() -> None:
    """The balance never goes below zero, whatever comes late."""
    released = Position(hold=100, settled=True, charged=0)
    settlement = settle(released, target=100, available=30)
    assert settlement == Settlement(recapture=100, excess=70)
    (leg,) = settlement.legs
    assert (leg.available, leg.revenue, leg.adjustment) == (-30, 100, -70)


def test_a_tenant_gets_back_only_what_it_paid_itself() -> None:
    """Else a charge that the platform bore would become the tenant's gain when it is undone."""
    borne = Position(hold=100, settled=True, charged=100, excess=70)
    settlement = settle(borne, target=0, available=0)
    (leg,) = settlement.legs
    assert (leg.available, leg.revenue, leg.adjustment) == (30, -100, 70)


@given(hold=AMOUNTS, targets=st.lists(AMOUNTS, min_size=1, max_size=6), available=AMOUNTS)
def test_the_charge_ends_at_the_last_target_within_the_hold(
    hold: int, targets: list[int], available: int
) -> None:
    """What counts is where the events lead, not how many there were on the way."""
    position = Position(hold=hold)
    for wanted in targets:
        position = apply(position, settle(position, target=wanted, available=available))
    assert position.charged == min(targets[-1], hold)


@given(hold=AMOUNTS, targets=st.lists(AMOUNTS, min_size=1, max_size=6), spare=AMOUNTS)
def test_every_leg_sums_to_zero_and_no_account_goes_below_it(
    hold: int, targets: list[int], spare: int
) -> None:
    """The ledger's CHECK and the balance's CHECK, before the database has to say so."""
    position, available, held = Position(hold=hold), spare, hold
    for wanted in targets:
        settlement = settle(position, target=wanted, available=available)
        for leg in settlement.legs:
            assert leg.available + leg.held + leg.revenue + leg.adjustment == 0
            available, held = available + leg.available, held + leg.held
        position = apply(position, settlement)
        paid_by_tenant = spare + hold - available
        assert available >= 0
        assert held == 0
        assert 0 <= paid_by_tenant == position.charged - position.excess <= hold


@given(hold=AMOUNTS, wanted=AMOUNTS, available=AMOUNTS)
def test_settling_twice_is_settling_once(hold: int, wanted: int, available: int) -> None:
    """A worker that died after its commit does no harm when it comes back."""
    once = apply(Position(hold=hold), settle(Position(hold=hold), target=wanted, available=available))
    assert settle(once, target=wanted, available=available).legs == ()


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_what_was_refused_or_canceled_costs_nothing(status: str) -> None:
    """Whatever else was heard of it."""
    assert target(status, hold=100, aws_accepted=True, aws_price_micros=5810) == 0


def test_a_delivered_message_costs_its_hold_even_if_aws_charged_nothing() -> None:
    """The tenant buys delivery; what AWS asks for it is the operator's affair."""
    assert target("delivered", hold=100, aws_accepted=False, aws_price_micros=0) == 100


@pytest.mark.parametrize("status", ["sent", "undelivered", "unknown", "expired"])
def test_what_aws_took_is_paid_unless_aws_charged_nothing(status: str) -> None:
    """AWS charges for the attempt; a price of zero is its word that it did not."""
    assert target(status, hold=100, aws_accepted=True, aws_price_micros=5810) == 100
    assert target(status, hold=100, aws_accepted=True, aws_price_micros=None) == 100
    assert target(status, hold=100, aws_accepted=True, aws_price_micros=0) == 0


@pytest.mark.parametrize("status", ["unknown", "expired"])
def test_what_aws_never_took_costs_nothing(status: str) -> None:
    """Expired in the queue, or lost without an answer."""
    assert target(status, hold=100, aws_accepted=False, aws_price_micros=None) == 0
