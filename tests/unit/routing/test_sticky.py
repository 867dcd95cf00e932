"""One sender per recipient: the same everywhere, fair, and moved only where it must."""

from collections import Counter

from gateway.routing.sticky import sticky
from tests.unit.routing.worlds import sender

SENDERS = [sender(number) for number in range(5)]
RECIPIENTS = [number.to_bytes(16, "big") for number in range(2_000)]


def test_a_recipient_keeps_its_sender_whatever_the_order_of_the_rows_is():
    """Every process and every day."""
    for recipient in RECIPIENTS[:50]:
        assert sticky(SENDERS, recipient) == sticky(SENDERS[::-1], recipient)


def test_recipients_are_spread_evenly():
    """Five numbers carry a fifth each, give or take."""
    counts = Counter(sticky(SENDERS, recipient).id for recipient in RECIPIENTS)
    assert len(counts) == len(SENDERS)
    assert max(counts.values()) < 1.3 * len(RECIPIENTS) / len(SENDERS)


def test_a_sender_that_goes_moves_its_own_recipients_only():
    """And brings them back when it comes back."""
    gone = SENDERS[2]
    left = [each for each in SENDERS if each != gone]
    for recipient in RECIPIENTS:
        before = sticky(SENDERS, recipient)
        assert before == gone or sticky(left, recipient) == before
