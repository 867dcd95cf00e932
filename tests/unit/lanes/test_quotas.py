"""The gates of a sender follow from AWS's tables, and more numbers never raise a campaign's ceiling."""

from typing import Any
from uuid import UUID

import pytest

from gateway.lanes.entry import DailyCap, RateGate
from gateway.lanes.quotas import SenderGates, sender_gates
from tenants.senders.quotas import CampaignFacts, QuotaOf


def gates_of(sender: int = 1, sender_type: str = "TEN_DLC", **quota: Any) -> SenderGates:
    return sender_gates(
        identity=UUID(int=sender),
        sender_type=sender_type,
        usual_rate=1.0,
        quota=QuotaOf(**quota),
    )


def campaign(**fields: Any) -> CampaignFacts:
    facts = {"campaign_id": "C1", "brand_id": "B1", "use_case": "MARKETING", "vetting_score": 80}
    return CampaignFacts(**(facts | fields))


def test_the_numbers_of_a_campaign_share_one_ceiling():
    """The gate's name is the campaign's, so Redis charges the same one for both."""
    one, two = gates_of(1, campaign=campaign()), gates_of(2, campaign=campaign())
    assert one.shared == two.shared == (RateGate("c:C1", 75.0),)
    assert one.daily == two.daily


def test_the_campaigns_of_a_brand_share_its_daily_ceiling():
    """T-Mobile counts the brand."""
    caps = [gates_of(campaign=campaign(campaign_id=name)).daily for name in ("C1", "C2")]
    assert caps[0][1] == caps[1][1] == DailyCap("pt:b:B1", 200_000)
    assert caps[0][0] != caps[1][0]


@pytest.mark.parametrize("use_case", ["LOW_VOLUME", "MIXED"])
def test_a_low_volume_or_mixed_campaign_keeps_the_quota_of_an_unvetted_brand(use_case):
    """Whatever the brand's score is."""
    gates = gates_of(campaign=campaign(use_case=use_case))
    assert gates.shared[0].parts_per_second == 0.2
    assert gates.daily[0].parts_per_day == 2_000


def test_a_number_whose_campaign_is_unknown_has_its_own_rate_alone():
    """AWS starts every number at 1 MPS; what it shares with others is not known."""
    assert gates_of() == SenderGates(parts_per_second=1.0)


@pytest.mark.parametrize(
    ("score", "rate", "per_day"), [(None, 0.2, 2_000), (0, 0.2, 2_000), (1, 4.0, 10_000)]
)
def test_a_known_campaign_has_its_scores_quota(score, rate, per_day):
    """Where vetting was skipped, too."""
    gates = gates_of(campaign=campaign(vetting_score=score))
    assert gates.shared[0].parts_per_second == rate
    assert {cap.parts_per_day for cap in gates.daily} == {per_day}


def test_only_10dlc_numbers_have_a_campaign():
    """A toll-free number's rate is its own."""
    assert gates_of(sender_type="TOLL_FREE") == SenderGates(parts_per_second=1.0)


def test_what_the_operator_set_goes_before_the_facts():
    """AWS granted another figure, for one country still another, and the carriers one for the campaign."""
    gates = gates_of(
        parts_per_second=30.0,
        countries={"GB": 50.0},
        parts_per_day=500,
        campaign=campaign(parts_per_second=20.0, parts_per_day=9_000),
    )
    assert (gates.rate("US"), gates.rate("GB")) == (30.0, 50.0)
    assert gates.ceiling("US") == 20.0
    assert [cap.parts_per_day for cap in gates.daily] == [500, 9_000]
