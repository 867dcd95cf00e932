"""What doctor says of a receipt queue, from what SQS says of it."""

import pytest

from gateway.cli.queue_health import _judged
from gateway.receipts.sqs import QueueFacts

WEEK_S = 7 * 86_400


def facts(**changes):
    """What SQS says of a queue that is as it should be."""
    usual = {
        "waiting": 3,
        "in_flight": 2,
        "visibility_s": 30,
        "retention_s": WEEK_S,
        "dead_letter_arn": "arn:aws:sqs:us-east-1:123456789012:dead",
        "max_receives": 10,
    }
    return QueueFacts(**(usual | changes))


def test_a_queue_as_it_should_be_is_fine_and_says_what_is_in_it():
    """Nothing to do, and nothing is suggested."""
    found = _judged("receipt queue q", facts(), facts(waiting=0))
    assert (found.subject, found.said, found.way_out) == ("receipt queue q", "3 waiting, 2 in flight", "")
    assert found.held


def test_a_queue_without_dead_letters_is_a_fault():
    """What is not believed would come back for ever."""
    found = _judged("receipt queue q", facts(dead_letter_arn=None), None)
    assert not found.held
    assert "redrive policy" in found.way_out


@pytest.mark.parametrize(
    ("queue", "dead", "hint"),
    [
        ({}, {"waiting": 4}, "4 dead letters"),
        ({"max_receives": 2}, {"waiting": 0}, "maxReceiveCount"),
        ({"retention_s": 86_400}, {"waiting": 0}, "4 to 14 days"),
        ({}, {"waiting": 0, "retention_s": 3_600}, "4 to 14 days"),
    ],
)
def test_what_could_lose_a_receipt_one_day_is_named_with_the_way_out(queue, dead, hint):
    """It works today, so it is no fault."""
    found = _judged("receipt queue q", facts(**queue), facts(**dead))
    assert found.held
    assert hint in found.way_out
