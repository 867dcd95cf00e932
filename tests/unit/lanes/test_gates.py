"""The rates a new sender gets, figure by figure."""

import pytest

from gateway.lanes.gates import SLACK_US, CampaignQuota, campaign_quota, identity_rate, period_us


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


@pytest.mark.parametrize("rate", [0.2, 1, 3, 20, 100, 1000])
def test_a_period_is_longer_by_the_slack_so_that_a_second_and_the_slack_hold_the_rate(rate):
    """The equality on which the proof of exactness stands."""
    assert period_us(rate) * rate == pytest.approx(1_000_000 + SLACK_US)
