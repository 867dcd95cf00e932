"""Dead letters in groups that one call of SQS takes."""

from gateway.receipts.dead_letters import sendable
from gateway.receipts.sqs import Letter


def letter(size, **attributes):
    """A letter whose body has so many bytes."""
    return Letter(id="m", handle="h", body="x" * size, receives=1, sent_at_ms=0, attributes=attributes)


def sizes(letters):
    """How the letters are grouped."""
    return [len(group) for group in sendable(letters)]


def test_small_ones_go_by_tens():
    """The most entries that a call has."""
    assert sizes([letter(10) for _ in range(23)]) == [10, 10, 3]
    assert sizes([]) == []


def test_no_group_is_larger_than_one_letter_may_be():
    """SQS counts all bodies of a call together, with their attributes."""
    assert sizes([letter(100_000) for _ in range(5)]) == [2, 2, 1]
    assert sizes([letter(130_000, note="x" * 4_000), letter(130_000)]) == [1, 1]


def test_a_letter_that_is_larger_goes_alone():
    """Queues may take up to a mebibyte by now."""
    assert sizes([letter(10), letter(1_000_000), letter(10)]) == [1, 1, 1]
