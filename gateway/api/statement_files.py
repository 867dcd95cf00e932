"""A statement as a CSV file and as a page to print; both are made of its JSON and say the same."""

from html import escape
from typing import Final

from gateway.api.csv_cells import csv_text
from gateway.api.statement_views import StatementAccountView, StatementFeeView, StatementView

_HEADER: Final = (
    "month", "unit", "item", "country", "channel", "type", "sender", "messages", "parts", "included", "id",
    "at", "message_id", "note", "amount", "aws_cost_usd",
)  # fmt: skip
_STYLE: Final = """
body { font: 11pt/1.4 system-ui, sans-serif; margin: 2cm; color: #111; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5em; }
th, td { text-align: left; padding: .25em .6em; border-bottom: 1px solid #ccc; vertical-align: top; }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums; }
tr.total td { font-weight: bold; border-top: 2px solid #111; }
@media print { body { margin: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def statement_csv(statement: StatementView) -> str:
    """
    Return one row per item; the column `amount` from `opening` to the last entry sums up to `closing`.

    A charge is written as what it does to the balance, so with a minus.
    """
    rows: list[tuple[str, ...]] = [_HEADER]
    for account in statement.accounts:
        rows.append(_sum_row(statement, account, "opening", account.opening))
        rows += [
            (
                statement.month, account.unit, "messages", line.country, line.channel, line.type, line.sender,
                str(line.messages), str(line.parts), str(line.included), "", "", "", "",
                _negative(line.charged), line.aws_cost or "",
            )
            for line in account.lines
        ]  # fmt: skip
        rows += [
            (
                statement.month, account.unit, entry.kind, "", "", "", "", "", "", "", entry.id,
                entry.at or "", entry.message_id or "", entry.note or "", entry.amount, "",
            )
            for entry in account.entries
        ]  # fmt: skip
        rows.append(_sum_row(statement, account, "closing", account.closing))
    return csv_text(rows)


def statement_page(statement: StatementView) -> str:
    """Return a page that stands alone: no script, nothing loaded from elsewhere."""
    state = "" if statement.complete else " (so far)"
    accounts = "".join(_account(account) for account in statement.accounts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Statement {escape(statement.month)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Statement {escape(statement.month)}{state}</h1>{accounts or '<p>Nothing has moved.</p>'}"
        "<p>Days and months are in UTC. A message counts when it is settled.</p></body></html>"
    )


def _sum_row(
    statement: StatementView, account: StatementAccountView, item: str, amount: str
) -> tuple[str, ...]:
    blanks = ("",) * (len(_HEADER) - 5)
    return (statement.month, account.unit, item, *blanks, amount, "")


def _negative(amount: str) -> str:
    if amount.startswith("-"):
        return amount[1:]
    return amount if not amount.strip("0.") else f"-{amount}"


def _account(account: StatementAccountView) -> str:
    unit = "US dollars" if account.unit == "usd" else account.unit
    sums = (
        ("Opening balance", account.opening, False),
        ("Top-ups", account.top_ups, False),
        ("Messages", _negative(account.charged), False),
        ("Fees", account.fees, False),
        ("Adjustments", account.adjustments, False),
        ("Closing balance", account.closing, True),
    )
    summary = "".join(_row((name, amount), total=total) for name, amount, total in sums)
    lines = "".join(
        _row(
            (x.country, x.channel, x.type, x.sender, str(x.messages), str(x.parts))
            + ((str(x.included),) if account.bundle else ())
            + (x.charged,)
        )
        for x in account.lines
    )
    heads = ("Country", "Channel", "Type", "Sender", "Messages", "Parts", *_included_head(account), "Charged")
    entries = "".join(
        _row((x.at or "", x.kind, x.id, x.message_id or "", x.note or "", x.amount)) for x in account.entries
    )
    uncharged = "".join(_row((x.item, x.note, _standing(x), x.amount)) for x in account.uncharged)
    return (
        f"<h2>In {escape(unit)}</h2><table>{summary}</table>"
        + _bundle(account)
        + _table("Messages", heads, lines)
        + _table("Top-ups, fees and adjustments", ("At", "Kind", "Id", "Message", "Note", "Amount"), entries)
        + _table("Fees that are not charged", ("Fee", "Note", "State", "Amount"), uncharged)
    )


def _standing(fee: StatementFeeView) -> str:
    return "owed" if fee.waived_why is None else f"waived: {fee.waived_why}"


def _included_head(account: StatementAccountView) -> tuple[str, ...]:
    return ("Included",) if account.bundle else ()


def _bundle(account: StatementAccountView) -> str:
    if account.bundle is None:
        return ""
    used, included = account.bundle.used, account.bundle.included
    return f"<p>Of the month's bundle of {included:,}, {used:,} are used; what goes beyond is charged.</p>"


def _table(title: str, heads: tuple[str, ...], rows: str) -> str:
    if not rows:
        return ""
    cells = "".join(f"<th{_side(n, heads)}>{escape(head)}</th>" for n, head in enumerate(heads))
    return f"<h2>{escape(title)}</h2><table><tr>{cells}</tr>{rows}</table>"


def _row(cells: tuple[str, ...], *, total: bool = False) -> str:
    kind = ' class="total"' if total else ""
    inside = "".join(f"<td{_side(n, cells)}>{escape(cell)}</td>" for n, cell in enumerate(cells))
    return f"<tr{kind}>{inside}</tr>"


def _side(number: int, cells: tuple[str, ...]) -> str:
    return ' class="amount"' if number == len(cells) - 1 else ""
