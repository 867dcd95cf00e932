"""
The order of the kinds of sender for one country, each with its reasons. Pure.

What cannot do what is asked for comes last, with what stands against it. Of the rest, a short code leads
where AWS advises one; otherwise the least cost of the first year, of equal ones what is there soonest, and
of those a name that recipients know where nobody has to answer. A shared route is the last resort wherever
it is possible.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from gateway.advice import facts
from gateway.advice.facts import KINDS, Kind, LeadTime
from gateway.advice.wish import Wish
from tenants.countries.facts import Country

_SHORT_CODE_FROM_MPS: Final = 20
_SHORT_CODE_FROM_A_DAY: Final = 400_000
_DAYS: Final = 30
_MONTHS: Final = 12
_TEN_DLC_AT_MOST: Final = 75.0
"""AT&T's ceiling of a campaign whose brand scored 75 and more; numbers do not add to it."""
_MOST_NUMBERS: Final = 5
"""More toll-free or long codes than that for one text are what carriers filter as snowshoeing."""


class Cost(Struct, frozen=True, kw_only=True):
    """What a kind of sender costs, in `unit` of the tenant's balance: micro-dollars or credits."""

    one_time: int
    """Registration, for all senders needed."""
    monthly: int
    """Leases of all senders needed."""
    per_part: int | None
    """None where the price book has no line."""


CostOf = Callable[[Kind, str, int], Cost]
"""By kind, country and number of senders."""
RateOf = Callable[[Kind, str], float]
"""Message parts a second of a new sender, by kind and country."""


class Option(Struct, frozen=True, kw_only=True):
    """One kind of sender for one country."""

    kind: Kind
    blockers: list[str]
    """What stands against it; empty for one that can do all that is asked for."""
    reasons: list[str]
    parts_per_second: float
    """Of one new sender."""
    senders_needed: int
    two_way: bool
    registered: bool
    lead_time: LeadTime
    cost: Cost
    first_year: int | None
    """One-time, twelve leases and the messages of twelve months; None without a price."""


def ranked(wish: Wish, country: Country, *, rate_of: RateOf, cost_of: CostOf) -> list[Option]:
    """Return the kinds of sender that exist in the country, the best first."""
    options = [
        _option(kind, wish, country, rate_of(kind, country.iso), cost_of)
        for kind in KINDS
        if facts.unavailable(kind, country) is None
    ]
    advised = _short_code_advised(wish)
    return sorted(options, key=lambda option: _order(option, wish, advised=advised is not None))


def absent(country: Country) -> dict[Kind, str]:
    """Return the kinds that do not exist in the country, each with why."""
    return {kind: why for kind in KINDS if (why := facts.unavailable(kind, country)) is not None}


def _order(option: Option, wish: Wish, *, advised: bool) -> tuple[object, ...]:
    lead = option.lead_time
    return (
        bool(option.blockers),
        option.kind == "SHARED",
        not (advised and option.kind == "SHORT_CODE"),
        option.first_year is None,
        option.first_year or 0,
        lead.days_at_least,
        wish.two_way or option.kind != "SENDER_ID",
        KINDS.index(option.kind),
    )


def _option(kind: Kind, wish: Wish, country: Country, rate: float, cost_of: CostOf) -> Option:
    needed = _needed(kind, wish, rate)
    cost = cost_of(kind, country.iso, needed)
    return Option(
        kind=kind,
        blockers=_blockers(kind, wish, country, rate, needed),
        reasons=_reasons(kind, wish, country, rate, needed),
        parts_per_second=rate,
        senders_needed=needed,
        two_way=facts.receives(kind, country),
        registered=facts.is_registered(kind, country),
        lead_time=facts.lead_time(kind, country),
        cost=cost,
        first_year=_first_year(cost, wish),
    )


def _needed(kind: Kind, wish: Wish, rate: float) -> int:
    """Return how many senders carry the rate; those whose rate is raised on request are one."""
    if kind in {"SHORT_CODE", "SENDER_ID", "SHARED"}:
        return 1
    whole, rest = divmod(wish.parts_per_second, rate)
    return max(int(whole) + (rest > 0), 1)


def _blockers(kind: Kind, wish: Wish, country: Country, rate: float, needed: int) -> list[str]:
    found: list[str] = []
    if wish.two_way and not facts.receives(kind, country):
        found.append("recipients cannot answer it")
    if wish.mms and not facts.carries_mms(kind, country):
        found.append("it sends no MMS there")
    if wish.voice and not facts.makes_calls(kind):
        found.append("it makes no calls")
    if wish.type == "promotional" and facts.transactional_only(country):
        found.append(f"{country.name} takes no promotional texts")
    if kind == "TEN_DLC" and wish.parts_per_second > _TEN_DLC_AT_MOST:
        found.append(f"a campaign reaches {_TEN_DLC_AT_MOST:g} parts/s at best, however many numbers it has")
    if kind in {"TOLL_FREE", "LONG_CODE"} and needed > _MOST_NUMBERS:
        found.append(f"one carries {rate:g} parts/s, and {needed} for one text look like snowshoeing")
    if kind == "SHARED" and wish.parts_per_second > rate:
        found.append(f"it carries {rate:g} parts/s, which nobody raises")
    return found


def _reasons(kind: Kind, wish: Wish, country: Country, rate: float, needed: int) -> list[str]:
    found: list[str] = []
    advised = _short_code_advised(wish)
    if kind == "SHORT_CODE" and advised is not None:
        found.append(f"AWS advises a short code: {advised}")
    if kind == "TEN_DLC":
        found.append("the campaign's ceiling follows the brand's vetting score: 0.2, 4, 40 or 75 parts/s")
    if kind in {"SHORT_CODE", "SENDER_ID"} and wish.parts_per_second > rate:
        found.append(f"starts at {rate:g} parts/s; request more")
    if needed > 1:
        found.append(f"{needed} senders of {rate:g} parts/s carry the rate")
    if facts.is_registered(kind, country):
        found.append("has to be registered before it may send")
    if not facts.receives(kind, country) and not wish.two_way:
        found.append("recipients cannot answer it: offer another way to opt out")
    if kind == "SHARED":
        found.append("last resort: what recipients see varies, and so does delivery")
    return found


def _short_code_advised(wish: Wish) -> str | None:
    if wish.parts_per_second > _SHORT_CODE_FROM_MPS:
        return f"more than {_SHORT_CODE_FROM_MPS} parts/s"
    if wish.messages_per_month > _SHORT_CODE_FROM_A_DAY * _DAYS:
        return f"more than {_SHORT_CODE_FROM_A_DAY:,} messages a day"
    if wish.regulated:
        return "a regulated trade wants a sender that is known and audited"
    return None


def _first_year(cost: Cost, wish: Wish) -> int | None:
    if cost.per_part is None:
        return None
    parts = wish.messages_per_month * wish.parts_per_message
    return cost.one_time + _MONTHS * (cost.monthly + cost.per_part * parts)
