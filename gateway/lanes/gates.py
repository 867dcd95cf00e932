"""
How a rate becomes the period and the bound of a gate.

Every figure is in message parts, as AWS counts: one call with two parts halves the throughput.

Below 20 parts/s a gate is a period alone. The last message of a second, of n parts, goes out when the parts
before it have had their periods, so (parts before it) * period < 1 s + jitter, where jitter is how much more
one call than another was late on its way. With period = 1.03 s / rate they are fewer than the rate for up to
30 ms of jitter, and together with the last message at most rate + n - 1. From 20 parts/s on the gate also
holds every second and 20 ms to the rate itself. The period then only spreads the messages, at 1 s / rate so
evenly that nobody finds the bound used up for longer than 30 ms; what a message waits for the bound and not
for the period, those behind it make up for.
"""

from typing import Literal

from msgspec import Struct

SenderType = Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "SENDER_ID", "TOLL_FREE", "SHARED", "SIMULATOR"]

SECOND_US = 1_000_000
BOUND_FROM = 20.0
"""Parts per second from which no second may exceed the rate at all."""
_LONE_PERIOD_US = 1_030_000
_SPREAD_US = 1_000_000
_REQUESTS_US = 1_030_000
_SLOWEST = 1 / (30 * 86_400)
"""
One part in 30 days, ten times as long as a message lives: next to never. 255 parts of that, at a tenth for a
throttled lane, are 7e15 us, which Redis takes as a time; of 1e-320 parts a second it takes none.
"""
_FASTEST = 1_000_000_000.0
"""More than anybody sends, and a bound that 64 bits hold."""

_CANADA = "CA"
_LONG_CODE_RATES = {_CANADA: 1.0}
_LONG_CODE_RATE = 10.0
_RATES: dict[SenderType, float] = {
    "SHORT_CODE": 100.0,
    "TEN_DLC": 1.0,
    "SENDER_ID": 10.0,
    "TOLL_FREE": 3.0,
    "SHARED": 20.0,
    "SIMULATOR": 1.0,
}
_HIGH_SCORE = 75
_MEDIUM_HIGH_SCORE = 50
_LOWEST_VETTED_SCORE = 1


class CampaignQuota(Struct, frozen=True):
    """What the carriers allow a 10DLC campaign, however many numbers it has."""

    parts_per_second: float
    """AT&T's ceiling, used for all carriers: the carrier of a number is not known before the send."""
    tmobile_parts_per_day: int


def identity_rate(sender_type: SenderType, country: str) -> float:
    """
    Return the parts per second that a new sender of this type gets in a country.

    Short code 100, 10DLC number 1, Canadian long code 1, other long codes 10, toll-free 3, sender ID 10 per
    country, shared routes 20: "Quotas for AWS End User Messaging SMS", MPS limits
    (docs.aws.amazon.com/sms-voice/latest/userguide/quotas.html). Simulator number 1: the same page's default
    for numbers it does not name. All can be raised by a support case, except that a 10DLC number stays
    under its campaign's quota.
    """
    if sender_type == "LONG_CODE":
        return _LONG_CODE_RATES.get(country, _LONG_CODE_RATE)
    return _RATES[sender_type]


def campaign_quota(vetting_score: int | None) -> CampaignQuota:
    """
    Return the quota of a 10DLC campaign by its brand's vetting score, 0 to 100; None: vetting was skipped.

    75 and more: 75 MPS at AT&T and 200,000 a day at T-Mobile; 50 to 74: 40 and 40,000; 1 to 49: 4 and
    10,000; otherwise 0.2 and 2,000: AWS's post on 10DLC vetting. Another post of AWS's gives campaigns
    without vetting 1.25 MPS; the lower figure is the default. LOW_VOLUME and MIXED campaigns keep the quota
    of an unvetted brand whatever the score is: pass None for them.
    """
    if vetting_score is None or vetting_score < _LOWEST_VETTED_SCORE:
        return CampaignQuota(0.2, 2_000)
    if vetting_score < _MEDIUM_HIGH_SCORE:
        return CampaignQuota(4.0, 10_000)
    if vetting_score < _HIGH_SCORE:
        return CampaignQuota(40.0, 40_000)
    return CampaignQuota(75.0, 200_000)


def kept_rate(rate: float) -> float:
    """
    Return the rate as gates keep it, whatever was stored; what is no number is the slowest.

    `tenants.rates` holds what people name to much less. A rate that was stored before it did must not keep
    the lanes from being told of it, nor a claim from charging it.
    """
    return min(max(_SLOWEST, rate), _FASTEST)


def period_us(rate: float) -> float:
    """Return the microseconds that one part of a gate costs."""
    rate = kept_rate(rate)
    return (_LONE_PERIOD_US if rate < BOUND_FROM else _SPREAD_US) / rate


def bound_of(rate: float) -> int:
    """Return the parts that no second may exceed, 0 where the period alone decides."""
    rate = kept_rate(rate)
    return 0 if rate < BOUND_FROM else int(rate)


def request_us(rate: float) -> float:
    """Return the microseconds that one API request costs; requests have no length, so a period is enough."""
    return _REQUESTS_US / kept_rate(rate)
