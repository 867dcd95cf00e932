"""The rates a new sender gets, figure by figure."""

import math

import pytest

from gateway.lanes.gates import (
    CampaignQuota,
    bound_of,
    campaign_quota,
    identity_rate,
    kept_rate,
    period_us,
    request_us,
)
from tenants.rates import FASTEST, SLOWEST

NOW_US = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("sender_type", "country", "rate"),
    [
        ("SHORT_CODE", "US", 100),
        ("SHORT_CODE", "CA", 100),
        ("TEN_DLC", "US", 1),
        ("LONG_CODE", "CA", 1),
        ("LONG_CODE", "GB", 10),
        ("TOLL_FREE", "US", 3),
        ("SENDER_ID", "DE", 10),
        ("SHARED", "FR", 20),
        ("SIMULATOR", "US", 1),
    ],
)
def test_a_new_sender_gets_the_rate_of_its_type_and_country(sender_type, country, rate):
    """AWS's quota page, in parts per second."""
    assert identity_rate(sender_type, country) == rate


@pytest.mark.parametrize(
    ("score", "rate", "per_day"),
    [
        (100, 75, 200_000),
        (75, 75, 200_000),
        (74, 40, 40_000),
        (50, 40, 40_000),
        (49, 4, 10_000),
        (1, 4, 10_000),
        (0, 0.2, 2_000),
        (None, 0.2, 2_000),
    ],
)
def test_a_campaigns_quota_follows_its_vetting_score(score, rate, per_day):
    """AWS's vetting table; without vetting the lower of its two figures."""
    assert campaign_quota(score) == CampaignQuota(rate, per_day)


@pytest.mark.parametrize("rate", [0.2, 1, 3, 19])
def test_a_slow_gates_period_leaves_room_for_thirty_milliseconds_of_jitter(rate):
    """The equality on which the proof of exactness stands where no bound is kept."""
    assert period_us(rate) * rate == pytest.approx(1_030_000)
    assert bound_of(rate) == 0


@pytest.mark.parametrize("rate", [20, 75.5, 100, 1000])
def test_a_fast_gate_is_bound_to_its_rate_and_its_period_only_spreads(rate):
    """A period above a second's share would hide what the bound is for."""
    assert period_us(rate) * rate <= 1_000_000
    assert bound_of(rate) == int(rate)


def test_a_rate_beyond_all_measure_is_a_bound_that_the_lanes_can_hold():
    """It may be stored; what cannot be packed would end the role that tells the lanes of it."""
    assert bound_of(1e300) == bound_of(math.inf) == 1_000_000_000


@pytest.mark.parametrize("cost_us", [period_us, request_us])
@pytest.mark.parametrize("rate", [5e-324, 1e-320, 1e-9, math.nan])
def test_a_rate_next_to_nothing_is_a_period_that_the_lanes_can_hold(cost_us, rate):
    """The longest message at a throttled lane's tenth of it is within the 53 bits of Lua's whole numbers."""
    assert 3 * 86_400_000_000 < cost_us(rate) == cost_us(1e-9)
    assert NOW_US + 255 * cost_us(rate) / 0.1 < 2**53
    assert bound_of(rate) == 0


@pytest.mark.parametrize("rate", [SLOWEST, 1.0, FASTEST])
def test_a_rate_that_a_person_may_name_is_kept_as_it_is(rate):
    """What the lanes hold reaches beyond what may be named, at both ends."""
    assert kept_rate(rate) == rate
