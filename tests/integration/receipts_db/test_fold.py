"""The fold of receipts into a message is a join: any order, any number of copies, one state. Pure."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages.state import MessageState
from gateway.messages.status import mapped_names
from gateway.receipts.fold import fold
from tests.harness.receipts import receipt

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = UUID("01a1fc20-8d91-7261-92c1-60f838a41a07")
NAMES = sorted(mapped_names())


def start(**changes):
    """A message that AWS took."""
    blank = dict.fromkeys(MessageState.__struct_fields__)
    return MessageState(
        **blank
        | {
            "tenant_id": ID,
            "id": ID,
            "created_at": NOW,
            "test": False,
            "type": "otp",
            "unit": "micros",
            "price_estimated": 10_000,
            "price_excess": 0,
            "cost_micros": 0,
            "cost_revision": 0,
            "expires_at": NOW + timedelta(hours=72),
            "status": "sent",
            "provider_message_id": "aws-1",
            "dispatched_at": NOW,
            "attempts": 1,
            "sequence": 2,
            "receipt_rank": 0,
            "resend_of_unknown": False,
        }
        | changes
    )


def folded(receipts, **changes):
    """The message after all receipts, in the given order."""
    state = start(**changes)
    for each in receipts:
        state = fold(state, each)
    return state


LIVES = {
    "delivered": ["QUEUED", "PENDING", "SUCCESSFUL", "DELIVERED"],
    "blocked": ["QUEUED", "PENDING", "BLOCKED"],
    "late delivery": ["QUEUED", "SENT", "UNKNOWN", "SUCCESSFUL", "DELIVERED"],
    "successful, then the phone refused": ["QUEUED", "PENDING", "SUCCESSFUL", "UNREACHABLE"],
    "two finals": ["QUEUED", "BLOCKED", "DELIVERED"],
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
@pytest.mark.parametrize("status", ["queued", "dispatching", "sent"])
def test_every_permutation_of_a_life_ends_in_the_same_state(life, status):
    """SNS promises no order: the last to arrive must not be the last word."""
    receipts = [receipt(name, second=second) for second, name in enumerate(life)]
    ends = [folded(order, status=status) for order in itertools.permutations(receipts)]
    assert all(end == ends[0] for end in ends)


SIXES = {
    "every step": ["QUEUED", "PENDING", "SENT", "UNKNOWN", "SUCCESSFUL", "DELIVERED"],
    "contradictions": ["QUEUED", "BLOCKED", "UNKNOWN", "TTL_EXPIRED", "DELIVERED", "INVALID"],
    "one instant": ["SUCCESSFUL", "DELIVERED", "BLOCKED", "SPAM", "UNREACHABLE", "TELEPATHY"],
}


@pytest.mark.parametrize("six", SIXES.values(), ids=SIXES)
def test_all_720_orders_of_six_events_end_in_one_state(six):
    """Contradictions and equal instants, too; prices, parts and encodings differ or are absent."""
    receipts = [
        receipt(
            name,
            second=0 if "TELEPATHY" in six else second,
            price=[None, 0.0, 0.00581][second % 3],
            totalMessageParts=second % 2 + 1,
            messageEncoding=["GSM", "UNICODE", None][second % 3],
            carrierName=[None, "A", "B"][second % 3],
        )
        for second, name in enumerate(six)
    ]
    ends = [folded(order) for order in itertools.permutations(receipts)]
    assert len(ends) == 720
    assert all(end == ends[0] for end in ends)
    assert (ends[0].provider_parts, ends[0].provider_encoding, ends[0].carrier) == (2, "UNICODE", "B")


EVENTS = st.tuples(st.sampled_from(NAMES), st.integers(0, 3), st.sampled_from([None, 0.0, 0.00581]))


@given(st.lists(EVENTS, max_size=5), st.randoms())
def test_any_events_in_any_order_with_any_copies_end_the_same(events, dice):
    """Not only sensible lives: also contradictions, equal instants and prices that differ."""
    receipts = [receipt(name, second=second, price=price) for name, second, price in events]
    copies = receipts + [dice.choice(receipts) for _ in range(dice.randint(0, 4)) if receipts]
    dice.shuffle(copies)
    assert folded(copies) == folded(receipts)


def test_a_copy_changes_nothing():
    """The same event twice is one event."""
    once = folded([receipt("DELIVERED", second=3)])
    assert folded([receipt("DELIVERED", second=3)] * 5) == once


def test_an_absent_field_never_wipes_one_that_was_there():
    """A later event without a price does not make the message free."""
    priced, bare = receipt("SUCCESSFUL", second=1, price=0.00581), receipt("DELIVERED", second=2, price=None)
    assert folded([priced, bare]).provider_price_micros == 5_810
    assert folded([bare, priced]).provider_price_micros == 5_810


def test_a_canceled_message_stays_canceled():
    """It never left; an event that claims otherwise is kept but moves nothing."""
    assert folded([receipt("DELIVERED")], status="canceled").status == "canceled"


def test_a_failed_message_that_was_delivered_after_all_is_delivered():
    """Evidence beats an error answer."""
    assert (
        folded([receipt("DELIVERED")], status="failed", reason_code="carrier_refused").status == "delivered"
    )


def test_an_unknown_status_is_shown_and_moves_nothing():
    """AWS invents names; the gateway must neither crash nor guess."""
    state = folded([receipt("TELEPATHY")])
    assert (state.status, state.provider_status) == ("sent", "TELEPATHY")


def test_shuffled_random_lives_agree_with_their_order():
    """A thousand shuffles of a long, repetitive life."""
    dice = random.Random(3)
    receipts = [receipt(dice.choice(NAMES), second=dice.randint(0, 5)) for _ in range(12)]
    expected = folded(receipts)
    for _ in range(1000):
        dice.shuffle(receipts)
        assert folded(receipts) == expected
