"""Windows of quiet hours around the present moment, wherever the clock stands."""

from datetime import UTC, datetime, timedelta

from tenants.countries.timezones import zones_of


def night_now(number: str, *, hours_left: float = 2.0) -> dict[str, str]:
    """Return a window in which it is night at this number's place now and for some hours."""
    local = datetime.now(UTC).astimezone(zones_of(number)[0])
    begins, ends = local - timedelta(hours=2), local + timedelta(hours=hours_left)
    return {"from": begins.strftime("%H:%M"), "to": ends.strftime("%H:%M")}


def day_now(number: str) -> dict[str, str]:
    """Return a window that is hours away at this number's place."""
    local = datetime.now(UTC).astimezone(zones_of(number)[0])
    begins, ends = local + timedelta(hours=6), local + timedelta(hours=8)
    return {"from": begins.strftime("%H:%M"), "to": ends.strftime("%H:%M")}
