"""When a sender counts as ill, and when as well again: hysteresis with hold and probes."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.routing.health import (
    HOLD,
    ILL_AT,
    LEAST_CALLS,
    LEAST_PROBES,
    LONGEST_HOLD,
    WELL_AT,
    Health,
    Tally,
    next_health,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def calls(number, **bad):
    """`number` calls, of which some went wrong."""
    return Tally(answered=number - sum(bad.values()), **bad)


@pytest.mark.parametrize(
    ("tally", "state"),
    [
        (Tally(), "healthy"),
        (calls(LEAST_CALLS - 1, failed=LEAST_CALLS - 1), "healthy"),
        (calls(100, failed=49), "healthy"),
        (calls(100, failed=50), "unhealthy"),
        (calls(100, unknown=24), "healthy"),
        (calls(100, unknown=25), "unhealthy"),
        (calls(100, throttled=79), "healthy"),
        (calls(100, throttled=80), "unhealthy"),
    ],
)
def test_a_healthy_one_falls_ill_at_its_limit_and_with_enough_calls(tally, state):
    """Two failures of three calls at night are no illness."""
    after = next_health(Health(), tally, NOW)
    assert after.state == state
    if state == "unhealthy":
        assert (after.since, after.hold) == (NOW, HOLD)
        assert "100 calls" in after.reason


def test_an_ill_one_rests_for_its_hold_whatever_comes():
    """Late answers of calls made before must not bring it back."""
    ill = Health(state="unhealthy", since=NOW)
    assert next_health(ill, calls(100), NOW + HOLD - timedelta(seconds=1)) is ill
    assert next_health(ill, Tally(), NOW + HOLD).state == "probing"


@pytest.mark.parametrize(
    ("tally", "state"),
    [
        (calls(LEAST_PROBES - 1), "probing"),
        (calls(LEAST_PROBES), "healthy"),
        (calls(100, failed=9), "healthy"),
        (calls(100, failed=10), "probing"),
        (calls(100, failed=49), "probing"),
        (calls(100, failed=50), "unhealthy"),
        (Tally(), "probing"),
    ],
)
def test_probes_decide_and_between_the_limits_nothing_moves(tally, state):
    """That is the hysteresis: a rate of 30 % neither cures nor condemns."""
    probing = Health(state="probing", since=NOW)
    assert next_health(probing, tally, NOW).state == state


def test_each_failed_probing_doubles_the_hold_up_to_a_quarter_of_an_hour():
    """A carrier that is down for a day is not asked every half minute."""
    health, holds = Health(state="unhealthy", since=NOW), []
    now = NOW
    for _ in range(7):
        now += health.hold
        health = next_health(health, Tally(), now)
        health = next_health(health, calls(10, failed=10), now)
        holds.append(health.hold)
    assert holds[:2] == [HOLD * 2, HOLD * 4]
    assert holds[-1] == LONGEST_HOLD


def test_what_an_operator_disabled_stays_so():
    """No number of good calls enables it."""
    disabled = Health(state="disabled", reason="blocked by the carrier", since=NOW)
    assert next_health(disabled, calls(1000), NOW + timedelta(days=1)) is disabled


def test_the_limits_leave_room_between_ill_and_well():
    """Equal limits would make the traffic swing."""
    assert all(WELL_AT[name] < ILL_AT[name] for name in ILL_AT)
