"""When an endpoint is left alone, and what it takes to be told again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.webhooks.circuit import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    OPENS_AFTER,
    Health,
    Seen,
    after,
    is_paused,
    pause,
    wants_probe,
)
from gateway.webhooks.schedule import Delivered, Failed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OK = Delivered(status=204, body_excerpt="", duration_ms=1)
NO = Failed(kind="status", status=500, retry_after_s=None, detail="", body_excerpt="", duration_ms=1)


def seen(attempt, seconds=0.0, **more):
    """One attempt that ended so many seconds after noon."""
    return Seen(attempt=attempt, at=NOW + timedelta(seconds=seconds), **more)


def failed(times, health=None):
    """What is known after so many failures in a row, a second apart."""
    return after(health or Health(), [seen(NO, number) for number in range(times)])


def test_a_few_failures_change_nothing():
    """A receiver that restarts is met by its retries as planned."""
    health = failed(OPENS_AFTER - 1)
    assert not is_paused(health, now=NOW)
    assert not wants_probe(health, now=NOW)
    assert health.failing_since == NOW


def test_failures_in_a_row_open_the_circuit():
    """The rest of its deliveries wait, and use up no attempt."""
    health = failed(OPENS_AFTER)
    opened = NOW + timedelta(seconds=OPENS_AFTER - 1)
    assert health.paused_until == opened + FIRST_PAUSE
    assert is_paused(health, now=opened)
    assert not wants_probe(health, now=opened)
    assert wants_probe(health, now=opened + FIRST_PAUSE)


def test_one_success_between_failures_starts_the_count_anew():
    """Only a receiver that fails all the time is left alone."""
    health = after(Health(), [seen(NO, 0), seen(NO, 1), seen(NO, 2), seen(NO, 3), seen(OK, 4), seen(NO, 5)])
    assert (health.failures, health.paused_until) == (1, None)


def test_posts_that_were_under_way_do_not_lengthen_the_pause():
    """Ten posts at a time fail together; that is one outage."""
    health = failed(OPENS_AFTER)
    assert after(health, [seen(NO, 6), seen(NO, 7)]) == health
    assert after(health, [seen(NO, 60)]) == health


def test_each_failed_probe_doubles_the_pause_up_to_its_bound():
    """A dead receiver costs one post in five minutes."""
    health, at, pauses = failed(OPENS_AFTER), 100.0, []
    for _ in range(40):
        health = after(health, [seen(NO, at, is_probe=True)])
        pauses.append(health.paused_until - (NOW + timedelta(seconds=at)))
        at += 1000
    assert pauses[:3] == [FIRST_PAUSE * 2, FIRST_PAUSE * 4, FIRST_PAUSE * 8]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_probe_that_arrives_closes_the_circuit():
    """Everything that waited may go."""
    health = after(failed(OPENS_AFTER), [seen(OK, 60, is_probe=True)])
    assert health == Health()


@pytest.mark.parametrize("failures", [0, 3])
def test_a_receiver_that_asks_for_a_pause_gets_it_and_then_one_probe(failures):
    """429 with Retry-After means all of its deliveries, not this one."""
    until = NOW + timedelta(seconds=90)
    health = after(failed(failures), [seen(NO, 10, asked_until=until)])
    assert (health.paused_until, health.pause_reason) == (until, "asked")
    assert wants_probe(health, now=until)


def test_a_success_under_way_does_not_end_a_pause_that_was_asked_for():
    """It was posted before the receiver asked; its probe will tell."""
    until = NOW + timedelta(seconds=90)
    asked = after(Health(), [seen(NO, 10, asked_until=until)])
    assert after(asked, [seen(OK, 11)]).paused_until == until
    assert after(asked, [seen(OK, 11, is_probe=True)]).paused_until is None


def test_the_order_in_which_a_batch_lists_attempts_is_no_matter():
    """They are judged by when they ended."""
    attempts = [seen(NO, number) for number in range(4)] + [seen(OK, 4), seen(NO, 5)]
    assert after(Health(), attempts) == after(Health(), attempts[::-1])


@given(st.integers(min_value=OPENS_AFTER, max_value=32), st.floats(min_value=0, max_value=1))
def test_a_pause_is_never_longer_than_its_bound_by_more_than_the_jitter(failures, jitter):
    """A receiver that came back is noticed within minutes."""
    assert FIRST_PAUSE * 0.79 <= pause(failures, jitter=jitter) <= LONGEST_PAUSE * 1.2
