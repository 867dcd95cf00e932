"""
The plan of a roll-out as a table: a row per country, with the day on which it can begin. Pure.

Countries that need no registration come first, so a programme earns while the others are reviewed.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from gateway.advice.rank import Option
from gateway.advice.wish import Wish
from tenants.countries.facts import Country

COLUMNS: Final = (
    "country",
    "use_case",
    "messages_per_month",
    "parts_per_second",
    "two_way",
    "originator",
    "senders",
    "registration",
    "limits",
    "lead_time_days",
    "steps",
    "live_from",
    "notes",
)


class PlanRow(Struct, frozen=True, kw_only=True):
    """One country of the plan; `option` is None where nothing can do what is asked for."""

    country: Country
    option: Option | None
    live_from: date | None
    """The earliest day, if applications are complete on the first."""
    live_by: date | None
    """The latest day that lead times name; None where they name none."""
    blockers: list[str]


def planned(best: Sequence[tuple[Country, Sequence[Option]]], first_day: date) -> list[PlanRow]:
    """Return the countries in the order in which they can go live."""
    rows = [_row(country, options, first_day) for country, options in best]
    return sorted(rows, key=lambda row: (row.live_from is None, row.live_from or first_day, row.country.iso))


def as_csv(wish: Wish, rows: Sequence[PlanRow]) -> str:
    """Return the sheet as CSV with a header."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows(_cells(wish, row) for row in rows)
    return text.getvalue()


def _row(country: Country, options: Sequence[Option], first_day: date) -> PlanRow:
    best = next((option for option in options if not option.blockers), None)
    if best is None:
        against = sorted({blocker for option in options for blocker in option.blockers})
        return PlanRow(country=country, option=None, live_from=None, live_by=None, blockers=against)
    lead = best.lead_time
    return PlanRow(
        country=country,
        option=best,
        live_from=first_day + timedelta(days=lead.days_at_least),
        live_by=None if lead.days_at_most is None else first_day + timedelta(days=lead.days_at_most),
        blockers=[],
    )


def _cells(wish: Wish, row: PlanRow) -> list[str]:
    asked = [
        row.country.iso,
        wish.use_case or wish.type,
        str(wish.messages_per_month),
        f"{wish.parts_per_second:g}",
        "two-way" if wish.two_way else "one-way",
    ]
    option = row.option
    if option is None:
        return [*asked, *[""] * 7, "; ".join(row.blockers)]
    lead = option.lead_time
    until = "" if lead.days_at_most is None else str(lead.days_at_most)
    return [
        *asked,
        option.kind,
        str(option.senders_needed),
        "required" if option.registered else "none",
        f"{option.parts_per_second:g} parts/s each",
        f"{lead.days_at_least}-{until}" if until else f"{lead.days_at_least}+",
        " > ".join(lead.steps),
        "" if row.live_from is None else row.live_from.isoformat(),
        "; ".join(option.reasons),
    ]
