"""
Is it night where the phone is? Promotional texts wait for the morning or are refused (F-QUIET).

The usual windows are the strictest of the hours that regulators and carriers' codes give for marketing by
phone; an operator sets its own per country in the plan. A number whose country has several clocks is quiet
while any of them is: nobody is woken to save an hour.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from gateway.admission.rules.ports import Closed, HeldUntil, Open, RuleVerdict, SendFacts
from tenants.accounts.sending_rules import QuietHours, QuietWindow
from tenants.countries.timezones import zones_of

USUAL: Final = QuietWindow(from_="21:00", to="08:00")
"""United States (47 CFR 64.1200: 8 am to 9 pm at the called party's location), and everywhere unnamed."""
_SUNDAY: Final = 7
WINDOWS: Final = MappingProxyType(
    {
        "FR": QuietWindow(from_="20:00", to="08:00", whole_days=[_SUNDAY]),
        "IN": QuietWindow(from_="21:00", to="10:00"),
    }
)
"""France: AF2M's code for marketing texts. India: TRAI's TCCCP regulations, 10 am to 9 pm."""
_DAY: Final = timedelta(days=1)
_LONGEST_SEARCH: Final = 16
"""Windows passed before giving up: more than a week of whole days in several zones."""


def quiet_hours(facts: SendFacts) -> RuleVerdict:
    """Hold or refuse a promotional message that would arrive at night."""
    if facts.message_type != "promotional":
        return _at_any_hour(facts.message_type)
    terms = facts.plan.quiet_hours
    opens_at = quiet_until(terms, facts.number.country, facts.number.e164, facts.leaves_at)
    if opens_at is None:
        return Open(note="no quiet hours are kept" if terms.policy == "off" else "it is day there")
    until = opens_at.isoformat(timespec="minutes")
    if terms.policy == "hold":
        return HeldUntil(at=opens_at, note=f"it is night there; the message leaves at {until}")
    return Closed(
        code="quiet_hours",
        detail=f"it is night where the recipient is; promotional messages are taken from {until}",
        opens_at=opens_at,
    )


@lru_cache(maxsize=8)
def _at_any_hour(message_type: str) -> Open:
    return Open(note=f"{message_type} messages pass at any hour")


def quiet_until(terms: QuietHours, country: str, e164: str, at: datetime) -> datetime | None:
    """Return when a promotional message may arrive if `at` is in quiet hours, in UTC; None if it may now."""
    if terms.policy == "off":
        return None
    window = terms.windows.get(country) or WINDOWS.get(country, USUAL)
    opens_at = _opens_at(window, zones_of(e164), at)
    return None if opens_at == at else opens_at


def _opens_at(window: QuietWindow, zones: Sequence[ZoneInfo], at: datetime) -> datetime:
    """
    Return the first instant from `at` on that is quiet in none of the zones.

    Zones far apart may leave no common hour, as for a toll-free number of the whole North American plan; then
    the last one to wake is waited for.
    """
    latest = at
    for _ in range(_LONGEST_SEARCH):
        after = max(_after_quiet(window, zone, latest) for zone in zones)
        if after == latest:
            return latest
        latest = after
    return latest


def _after_quiet(window: QuietWindow, zone: ZoneInfo, at: datetime) -> datetime:
    """Return `at`, or the end of the quiet stretch around it, in UTC."""
    begins, ends = time.fromisoformat(window.from_), time.fromisoformat(window.to)
    local = at.astimezone(zone)
    for _ in range(_LONGEST_SEARCH):
        following = _step(local, begins, ends, window.whole_days)
        if following == local:
            break
        local = following
    return local.astimezone(at.tzinfo)


def _step(local: datetime, begins: time, ends: time, whole_days: Sequence[int]) -> datetime:
    """Return the end of the one quiet stretch that covers this local time, or the same time."""
    if local.isoweekday() in whole_days:
        return _at(local + _DAY, time())
    hour = local.time()
    if begins <= ends:
        return _at(local, ends) if begins <= hour < ends else local
    if hour >= begins:
        return _at(local + _DAY, ends)
    return _at(local, ends) if hour < ends else local


def _at(day: datetime, hour: time) -> datetime:
    """Return a wall-clock time of that day in its zone; a time that a clock change skips is the one after."""
    return datetime.combine(day.date(), hour, day.tzinfo)
