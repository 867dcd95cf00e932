"""
A price book as a CSV file: read, and refused where it could charge somebody wrongly. Pure.

Columns: `country,channel,sell_usd,cost_usd,credits`, and where wanted `item,sender_type,valid_from,valid_to`.
Lines that begin with `#` are notes. A file is the whole book: what it does not name ends.
"""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, get_args

from msgspec import Struct

from tenants.countries import facts
from tenants.credits.money import parse_credits, parse_usd
from tenants.credits.pricing import EVERY, FEE_CHANNEL, Channel, Item, LineKey, PriceLine
from tenants.errors import InvalidInput, InvalidInputs
from tenants.instants import named_instant

REQUIRED: Final = ("country", "channel", "sell_usd", "cost_usd", "credits")
OPTIONAL: Final = ("item", "sender_type", "valid_from", "valid_to")
SENDER_TYPES: Final = frozenset(
    {"SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE", "SENDER_ID", "SHARED", "SIMULATOR"}
)
MOST_LINES: Final = 20_000
MOST_FAULTS: Final = 50
"""Faults named at once; a file in the wrong format has as many as lines."""

_LARGEST_PER_PART: Final = 10_000_000
"""10 dollars: AWS's dearest part is below one, so more is a slip of the decimal point."""
_LARGEST_FEE: Final = 100_000_000_000
_LARGEST_CREDITS: Final = 10_000
_PER_PART: Final = frozenset({"part", "carrier_fee", "protect_fee"})


class DatedLine(Struct, frozen=True, kw_only=True):
    """A line and when it holds; unsaid, from the import on and until the next one of its key."""

    line: PriceLine
    valid_from: datetime | None
    valid_to: datetime | None
    row: int
    """Line of the file, counting from 1."""


def read_book(text: str) -> list[DatedLine]:
    """
    Return the lines of a file.

    Raises:
        InvalidInputs: Every fault with its line and column, up to MOST_FAULTS; nothing of the file is good.
    """
    faults: list[InvalidInput] = []
    lines: list[DatedLine] = []
    for row, cells in _rows(text, faults):
        try:
            lines.append(_line(row, cells))
        except InvalidInput as fault:
            faults.append(fault)
    if not faults:
        faults = [*_time_faults(lines), *_missing_for_every_country(lines)]
    if not faults and not lines:
        faults = [InvalidInput("/csv", "empty", "the file has no line")]
    if faults:
        raise InvalidInputs("validation_failed", faults[0].detail, tuple(faults[:MOST_FAULTS]))
    return lines


def _rows(text: str, faults: list[InvalidInput]) -> list[tuple[int, dict[str, str]]]:
    written = [
        (number, row)
        for number, row in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
        if row.strip() and not row.startswith("#")
    ]
    if not written:
        return []
    header = _cells(*written[0], faults)
    if header is None:
        return []
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in (*REQUIRED, *OPTIONAL)]
    if missing or unknown or len(set(header)) != len(header):
        said = (
            f"missing {', '.join(missing)}"
            if missing
            else f"unknown or twice: {', '.join(unknown or header)}"
        )
        faults.append(InvalidInput("/csv/line/1", "columns", f"the first line names the columns; {said}"))
        return []
    if len(written) - 1 > MOST_LINES:
        faults.append(InvalidInput("/csv", "too_many", f"a book has at most {MOST_LINES} lines"))
        return []
    found: list[tuple[int, dict[str, str]]] = []
    for number, row in written[1:]:
        cells = _cells(number, row, faults)
        if cells is None:
            continue
        if len(cells) != len(header):
            faults.append(
                InvalidInput(
                    f"/csv/line/{number}",
                    "cells",
                    f"{len(cells)} cells where there are {len(header)} columns",
                )
            )
            continue
        found.append((number, dict(zip(header, cells, strict=True))))
    return found


def _cells(number: int, row: str, faults: list[InvalidInput]) -> list[str] | None:
    """Return the cells of a line, or None and its fault where it is no CSV."""
    try:
        return [cell.strip() for cell in next(csv.reader([row]))]
    except csv.Error as error:
        faults.append(InvalidInput(f"/csv/line/{number}", "not_csv", f"this line is no CSV: {error}"))
        return None


def _line(row: int, cells: dict[str, str]) -> DatedLine:
    place = f"/csv/line/{row}"
    item = _one_of(cells.get("item") or "part", get_args(Item), f"{place}/item")
    largest = _LARGEST_PER_PART if item in _PER_PART else _LARGEST_FEE
    sell, cost = (_usd(cells[name], largest, f"{place}/{name}") for name in ("sell_usd", "cost_usd"))
    line = PriceLine(
        country=_country(cells["country"], f"{place}/country"),
        channel=_channel(cells["channel"], item, f"{place}/channel"),
        sell_micros=sell,
        cost_micros=cost,
        credits=_credits(cells["credits"], f"{place}/credits"),
        item=item,  # type: ignore[arg-type]  # one of its words
        sender_type=_one_of(
            cells.get("sender_type") or EVERY, (EVERY, *sorted(SENDER_TYPES)), f"{place}/sender_type"
        ),
    )
    begins = _instant(cells.get("valid_from", ""), f"{place}/valid_from")
    ends = _instant(cells.get("valid_to", ""), f"{place}/valid_to")
    if begins is not None and ends is not None and ends <= begins:
        raise InvalidInput(f"{place}/valid_to", "ends_before_it_begins", "valid_to is after valid_from")
    return DatedLine(line=line, valid_from=begins, valid_to=ends, row=row)


def _country(text: str, field: str) -> str:
    if text != EVERY and text not in facts.by_iso():
        raise InvalidInput(
            field, "unknown_country", f"there is no country with the code {text[:10]!r}; * is all"
        )
    return text


def _channel(text: str, item: str, field: str) -> str:
    channel = _one_of(text, get_args(Channel), field)
    if item not in _PER_PART and channel != FEE_CHANNEL:
        detail = f"a {item} is of a number, whatever it carries, and stands under {FEE_CHANNEL}"
        raise InvalidInput(field, "other_channel", detail)
    return channel


def _one_of(text: str, known: Iterable[str], field: str) -> str:
    words = tuple(known)
    if text not in words:
        raise InvalidInput(field, "unknown", f"{text[:40]!r} is none of {', '.join(words)}")
    return text


def _usd(text: str, largest: int, field: str) -> int:
    amount = parse_usd(text, field=field)
    if amount > largest:
        raise InvalidInput(
            field, "amount_too_large", f"at most {largest // 1_000_000} dollars here: is the point right?"
        )
    return amount


def _credits(text: str, field: str) -> int:
    amount = parse_credits(text, field=field)
    if amount > _LARGEST_CREDITS:
        raise InvalidInput(field, "amount_too_large", f"a part costs at most {_LARGEST_CREDITS} credits")
    return amount


def _instant(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            field, "invalid_date", "a date is written 2026-01-31 or 2026-01-31T00:00:00Z"
        ) from None
    return named_instant(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant, field)


def _time_faults(lines: list[DatedLine]) -> list[InvalidInput]:
    """Lines of one key follow each other: none twice, none into the next, none with a hole behind it."""
    by_key: dict[LineKey, list[DatedLine]] = {}
    for line in lines:
        by_key.setdefault(line.line.key, []).append(line)
    faults: list[InvalidInput] = []
    for own in by_key.values():
        in_time = sorted(own, key=lambda each: each.valid_from or EARLIEST)
        for one, following in pairwise(in_time):
            if (fault := _between(one, following)) is not None:
                faults.append(fault)
    return faults


EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
"""Where a line stands that names no beginning."""


def _between(one: DatedLine, following: DatedLine) -> InvalidInput | None:
    place = f"/csv/line/{following.row}"
    if one.valid_from == following.valid_from:
        return InvalidInput(
            place, "duplicate", f"the same as line {one.row}: country, sender type, channel and date"
        )
    begins = following.valid_from
    if one.valid_to is None or begins is None or one.valid_to == begins:
        return None
    if one.valid_to > begins:
        return InvalidInput(f"{place}/valid_from", "overlap", f"line {one.row} still holds then")
    return InvalidInput(f"{place}/valid_from", "gap", f"line {one.row} ends before; nothing holds in between")


def _missing_for_every_country(lines: list[DatedLine]) -> list[InvalidInput]:
    """Each channel has a part's price for all other countries, whose last line does not end."""
    parts = [each for each in lines if each.line.item == "part" and each.line.sender_type == EVERY]
    endless = {each.line.channel for each in parts if each.line.country == EVERY and each.valid_to is None}
    return [
        InvalidInput("/csv", "no_line_for_every_country", f"{channel} needs a line for * that does not end")
        for channel in sorted({each.line.channel for each in lines} - endless)
    ]
