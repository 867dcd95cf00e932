"""A calendar month in UTC, as statements are written for."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

_FORM: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_DECEMBER: Final = 12


class Month(Struct, frozen=True, order=True):
    """Written `2026-11`."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As the wire writes it."""
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        """Its last day."""
        return self.following.first_day - timedelta(days=1)

    @property
    def begin(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.following.begin

    @property
    def following(self) -> "Month":
        """The month after it."""
        return Month(self.year + 1, 1) if self.number == _DECEMBER else Month(self.year, self.number + 1)


def month_of(at: datetime) -> Month:
    """Return the month of an instant."""
    utc = at.astimezone(UTC)
    return Month(utc.year, utc.month)


def parse_month(text: str) -> Month | None:
    """Return the month that is written so, or None; the years 2000 to 2099 have some."""
    match = _FORM.fullmatch(text)
    return None if match is None else Month(int(match.group(1)), int(match.group(2)))


def months(since: datetime, until: datetime) -> Iterator[Month]:
    """Yield the months from that of the one instant to that of the other."""
    month, last = month_of(since), month_of(until)
    while month <= last:
        yield month
        month = month.following
