"""
How closely a country is watched for SMS pumping: by what it costs, and by what is unusual about it. Pure.

A pumper goes where a text earns most, to places the tenant hardly ever sent to, and its codes are typed in by
nobody. Each of these raises the country's level by one; at a higher level fewer numbers of one block are
enough for `pumping.lua` to hold it. None of them alone stops a message: a campaign in a new country does not
look like pumping unless its numbers do.
"""

from typing import Final, Literal

from msgspec import Struct

Reason = Literal["country_mix", "completion"]
MOST: Final = 3
_DEAR_MICROS: Final = (30_000, 100_000)
"""AWS's cost of a part, in micro-dollars, from which a country is watched a level closer, and two."""
_LEAST_HISTORY: Final = 500
"""Messages of four weeks without which the tenant has no usual mix."""
_LEAST_NOW: Final = 50
_LEAST_SHARE: Final = 0.1
_TIMES_USUAL: Final = 4
_LEAST_JUDGED: Final = 20
_USUAL_COMPLETION: Final = 0.4
"""What is taken as usual where the tenant's other countries cannot tell."""


class Traffic(Struct, frozen=True, kw_only=True):
    """Messages of one tenant, to one country or to all: otp and transactional, of live keys."""

    now: int = 0
    """Of today and yesterday."""
    before: int = 0
    """Of the four weeks before."""
    judged: int = 0
    """With feedback given or overdue, in the last hours."""
    received: int = 0
    """Of those, which were received."""


def cost_level(cost_micros_per_part: int) -> int:
    """Return how many levels a country's price alone is worth, 0 to 2."""
    return sum(cost_micros_per_part >= dear for dear in _DEAR_MICROS)


def level_of(cost_micros_per_part: int, reasons: int) -> int:
    """Return a country's level, 0 to 3."""
    return min(MOST, cost_level(cost_micros_per_part) + reasons)


def reasons_of(country: Traffic, tenant: Traffic) -> tuple[Reason, ...]:
    """Return what is unusual about a country, beside the tenant's traffic as a whole."""
    found: list[Reason] = []
    if _takes_an_unusual_share(country, tenant):
        found.append("country_mix")
    if _does_not_complete(country, tenant):
        found.append("completion")
    return tuple(found)


def _takes_an_unusual_share(country: Traffic, tenant: Traffic) -> bool:
    if tenant.before < _LEAST_HISTORY or country.now < _LEAST_NOW:
        return False
    share = country.now / tenant.now
    return share >= _LEAST_SHARE and share > _TIMES_USUAL * country.before / tenant.before


def _does_not_complete(country: Traffic, tenant: Traffic) -> bool:
    if country.judged < _LEAST_JUDGED:
        return False
    others = tenant.judged - country.judged
    usual = (tenant.received - country.received) / others if others >= _LEAST_JUDGED else _USUAL_COMPLETION
    return country.received / country.judged < usual / 2
