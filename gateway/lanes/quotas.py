"""
The gates of one sender: the facts of its type, what the operator set otherwise, and its 10DLC campaign's.

A campaign's ceiling is one gate for all of its numbers, whosever they are, so more numbers do not raise it:
the registry gives an id to one campaign, and to one brand. A 10DLC number whose campaign is not known has its
own rate alone: 1 MPS, which AWS gives each number. What it shares with others, only its registration says.

T-Mobile's daily ceiling. Which carrier a number has is not known before the send, so every part of the
brand's and the campaign's counts against it at first; receipts that name another carrier give parts back
(`daily.py`). Too few may leave for a while, never too many. Its day ends at midnight in the Pacific; by UTC's
a brand could send twice its ceiling within one of T-Mobile's. The operator can set another figure for a
campaign.
"""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from gateway.lanes.entry import IN_PACIFIC_TIME, DailyCap, RateGate
from gateway.lanes.gates import campaign_quota
from tenants.senders.quotas import CampaignFacts, QuotaOf

OWN_CAP = "s:"
"""How the names of caps begin that are one sender's own: they count whatever carrier a part went to."""
_UNVETTED_USE_CASES = frozenset({"LOW_VOLUME", "MIXED"})
_NOTHING_SET = QuotaOf()


class SenderGates(Struct, frozen=True, kw_only=True):
    """What limits a sender, besides its tenant's plan and its account's requests."""

    parts_per_second: float
    countries: Mapping[str, float] = {}
    """Other rates, by destination country."""
    shared: tuple[RateGate, ...] = ()
    daily: tuple[DailyCap, ...] = ()

    def rate(self, country: str) -> float:
        """Return the sender's own parts per second to a country."""
        return self.countries.get(country, self.parts_per_second)

    def ceiling(self, country: str) -> float:
        """Return the parts per second that the sender can reach to a country."""
        return min(self.rate(country), *(gate.parts_per_second for gate in self.shared), float("inf"))


def sender_gates(
    *, identity: UUID, sender_type: str, usual_rate: float, quota: QuotaOf | None = None
) -> SenderGates:
    """Return the gates of an identity; `usual_rate` is what AWS says of it, or the fact of its type."""
    quota = quota or _NOTHING_SET
    shared, daily = _campaign_gates(quota.campaign) if sender_type == "TEN_DLC" else ((), ())
    own = () if quota.parts_per_day is None else (DailyCap(f"{OWN_CAP}{identity.hex}", quota.parts_per_day),)
    return SenderGates(
        parts_per_second=quota.parts_per_second or usual_rate,
        countries=quota.countries,
        shared=shared,
        daily=(*own, *daily),
    )


def _campaign_gates(campaign: CampaignFacts | None) -> tuple[tuple[RateGate, ...], tuple[DailyCap, ...]]:
    if campaign is None:
        return (), ()
    of_brand = campaign_quota(campaign.vetting_score)
    own = campaign_quota(None) if campaign.use_case in _UNVETTED_USE_CASES else of_brand
    name = f"c:{campaign.campaign_id}"
    caps = [DailyCap(f"{IN_PACIFIC_TIME}{name}", campaign.parts_per_day or own.tmobile_parts_per_day)]
    if campaign.parts_per_day is None:
        caps.append(DailyCap(f"{IN_PACIFIC_TIME}b:{campaign.brand_id}", of_brand.tmobile_parts_per_day))
    return (RateGate(name, campaign.parts_per_second or own.parts_per_second),), tuple(caps)
