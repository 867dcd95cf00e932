"""When a delivery is tried again, and when an endpoint is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.webhooks.schedule import (
    DELAYS,
    MAX_ATTEMPTS,
    Decision,
    Delivered,
    DisableEndpoint,
    Done,
    Exhausted,
    Failed,
    RetryAt,
    decide,
    delay_before,
    failing_since,
    must_disable,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OK = Delivered(status=204, body_excerpt="", duration_ms=20)


def _failed(status: int | None = 500, retry_after_s: float | None = None) -> Failed:
    kind = "status" if status is not None else "timeout"
    return Failed(
        kind=kind, status=status, retry_after_s=retry_after_s, detail="", body_excerpt="", duration_ms=20
    )


def _after(outcome: Failed | Delivered, attempt: int = 1, jitter: float = 0.5) -> Decision:
    return decide(outcome, attempt=attempt, now=NOW, jitter=jitter)


def test_the_delays_are_the_contracts() -> None:
    """Between attempts: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""
    seconds = [delay.total_seconds() for delay in DELAYS]
    assert seconds == [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert sum(DELAYS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


def test_a_failing_delivery_walks_the_whole_schedule() -> None:
    """Nine retries, then it stays listed as failed."""
    steps = [_after(_failed(), attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert [step.at - NOW for step in steps if isinstance(step, RetryAt)] == list(DELAYS[1:])
    assert steps[-1] == Exhausted()


@settings(deadline=None)
@given(st.integers(1, MAX_ATTEMPTS), st.floats(0, 1))
def test_jitter_is_at_most_a_fifth(attempt, jitter) -> None:
    """Either way."""
    delay, plain = delay_before(attempt, jitter=jitter), DELAYS[attempt - 1]
    slack = timedelta(microseconds=1)
    assert plain * 0.8 - slack <= delay <= plain * 1.2 + slack


@pytest.mark.parametrize("attempt", range(1, MAX_ATTEMPTS + 1))
def test_success_ends_a_delivery_at_any_attempt(attempt) -> None:
    """The last one included."""
    assert _after(OK, attempt) == Done()


@pytest.mark.parametrize("attempt", [1, MAX_ATTEMPTS])
def test_410_switches_the_endpoint_off(attempt) -> None:
    """The receiver says it is gone for good."""
    assert _after(_failed(410), attempt) == DisableEndpoint()


@pytest.mark.parametrize("status", [None, 301, 302, 307, 400, 401, 404, 408, 418, 500, 502])
def test_any_other_failure_is_tried_again(status) -> None:
    """Redirects too; 4xx may be a deploy gone wrong."""
    assert _after(_failed(status)) == RetryAt(at=NOW + timedelta(seconds=5))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_slows_the_endpoint(status) -> None:
    """The delivery waits, and so do the endpoint's others."""
    until = NOW + timedelta(minutes=2)
    assert _after(_failed(status, 120)) == RetryAt(at=until, pause_endpoint_until=until)


def test_retry_after_never_hastens_a_retry() -> None:
    """It asks for patience, not for a push."""
    decision = _after(_failed(503, 1), attempt=4)
    assert isinstance(decision, RetryAt)
    assert decision.at == NOW + timedelta(hours=2)


@settings(deadline=None)
@given(st.floats(min_value=-1e300, max_value=1e300))
def test_retry_after_is_capped_at_an_hour(seconds) -> None:
    """A receiver cannot park its deliveries, whatever number it sends."""
    decision = _after(_failed(429, seconds))
    assert isinstance(decision, RetryAt)
    assert NOW + timedelta(seconds=5) <= decision.at <= NOW + timedelta(hours=1)


@pytest.mark.parametrize("status", [500, 200, 404, None])
def test_retry_after_means_something_on_429_and_503_only(status) -> None:
    """Elsewhere the header is noise."""
    assert _after(_failed(status, 3000)) == RetryAt(at=NOW + timedelta(seconds=5))


def test_an_endpoint_that_only_fails_for_120_hours_is_switched_off() -> None:
    """Counted from the first failure after the last success."""
    since = failing_since(_failed(), before=None, now=NOW)
    assert since == NOW
    later = NOW + timedelta(hours=119, minutes=59)
    assert failing_since(_failed(), before=since, now=later) == since
    assert not must_disable(since, now=later)
    assert must_disable(since, now=NOW + timedelta(hours=120))


def test_one_success_forgives_all_failures() -> None:
    """The clock starts anew."""
    since = failing_since(OK, before=NOW - timedelta(hours=119), now=NOW)
    assert since is None
    assert not must_disable(since, now=NOW + timedelta(days=365))
