"""A statement as a page to print: it stands alone, and says what the JSON says."""

from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import Final

from msgspec import Struct

from gateway.api.statements.views import (
    StatementAccountView,
    StatementEntryView,
    StatementFeeView,
    StatementView,
)

_STYLE: Final = """
@page { size: A4; margin: 18mm; }
body { font: 10.5pt/1.45 system-ui, sans-serif; color: #111; }
body { max-width: 46em; margin: 2.5em auto; padding: 0 1.5em; }
h1 { font-size: 1.7em; margin: 0 0 .2em; } h2 { font-size: 1.15em; margin: 1.8em 0 .4em; break-after: avoid; }
p.who { margin: 0; } p.small, .small { font-size: .86em; color: #555; }
table { border-collapse: collapse; width: 100%; }
thead { display: table-header-group; } tr { break-inside: avoid; }
th { font-size: .86em; font-weight: 600; color: #555; }
th, td { text-align: left; padding: .3em .8em .3em 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th.n, td.n { text-align: right; padding: .3em 0 .3em .8em; white-space: nowrap; }
td.n { font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; } td.t { white-space: nowrap; }
tr.total td { font-weight: 600; border-top: 2px solid #111; border-bottom: 0; }
@media print { body { margin: 0; max-width: none; padding: 0; } }
"""
_KINDS: Final = {
    "top_up": "Top-up",
    "adjust": "Adjustment",
    "correction": "Correction",
    "fee": "Fee",
    "reconcile": "Correction of the books",
}
_FEES: Final = {
    "lease": "Lease of a sender",
    "lease_end": "Lease given back",
    "platform": "Platform fee",
    "registration": "Registration",
}
_LEAST_DECIMALS: Final = 2


class _Column(Struct, frozen=True):
    head: str
    css: str = ""


def statement_page(statement: StatementView, *, holder: str) -> str:
    """Return a page of HTML that stands alone: no script, nothing loaded from elsewhere."""
    month = f"{date.fromisoformat(f'{statement.month}-01'):%B %Y}"
    state = "" if statement.complete else ' <span class="small">so far</span>'
    accounts = "".join(_account(account) for account in statement.accounts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Statement {escape(statement.month)}, {escape(holder)}</title><style>{_STYLE}</style></head>"
        f'<body><h1>Statement for {month}{state}</h1><p class="who">{escape(holder)}</p>'
        f"{accounts or '<p>Nothing has moved.</p>'}"
        '<p class="small">Days, months and times are in UTC. A message counts when it is settled.</p>'
        "</body></html>"
    )


def _account(account: StatementAccountView) -> str:
    decimals = _decimals(account)

    def money(amount: str) -> str:
        return _money(amount, decimals)

    charged = account.charged
    spent = charged[1:] if charged.startswith("-") else f"-{charged}" if charged.strip("0.") else charged
    sums = (
        ("Opening balance", account.opening),
        ("Top-ups", account.top_ups),
        ("Messages", spent),
        ("Fees", account.fees),
        ("Adjustments", account.adjustments),
    )
    rows = "".join(f'<tr><td>{name}</td><td class="n">{money(amount)}</td></tr>' for name, amount in sums)
    closing = f'<tr class="total"><td>Closing balance</td><td class="n">{money(account.closing)}</td></tr>'
    unit = "US dollars" if account.unit == "usd" else account.unit
    return (
        f"<h2>Balance in {escape(unit)}</h2><table>{rows}{closing}</table>"
        + _messages(account, decimals)
        + _table(
            "Top-ups, fees and adjustments",
            (_Column("Time", "t"), _Column("What"), _Column("Amount", "n")),
            [(_time(x.at), _entry(x), money(x.amount)) for x in account.entries],
        )
        + _table(
            "Fees that are not charged",
            (_Column("Fee"), _Column("For"), _Column("State"), _Column("Amount", "n")),
            [(_FEES[x.item], escape(x.note), _standing(x), money(x.amount)) for x in account.uncharged],
        )
    )


def _messages(account: StatementAccountView, decimals: int) -> str:
    has_bundle = account.bundle is not None
    columns = (
        *(_Column(head) for head in ("Country", "Channel", "Type", "Sender")),
        *(_Column(head, "n") for head in ("Messages", "Parts")),
        *((_Column("Included", "n"),) if has_bundle else ()),
        _Column("Charged", "n"),
    )
    rows = [
        (
            *(escape(word) for word in (x.country, x.channel, x.type, x.sender)),
            f"{x.messages:,}",
            f"{x.parts:,}",
            *((f"{x.included:,}",) if has_bundle else ()),
            _money(x.charged, decimals),
        )
        for x in account.lines
    ]
    return _table("Messages", columns, rows) + _bundle(account)


def _bundle(account: StatementAccountView) -> str:
    if account.bundle is None:
        return ""
    used, included = account.bundle.used, account.bundle.included
    said = f"{used:,} of the {included:,} in the month's bundle are used; what goes beyond is charged."
    return f'<p class="small">{said}</p>'


def _entry(entry: StatementEntryView) -> str:
    ids = " ".join(escape(each) for each in (entry.id, entry.message_id) if each)
    note = f": {escape(entry.note)}" if entry.note else ""
    return f'{_KINDS.get(entry.kind, escape(entry.kind))}{note}<br><span class="small">{ids}</span>'


def _standing(fee: StatementFeeView) -> str:
    return "owed" if fee.waived_why is None else f"waived: {escape(fee.waived_why)}"


def _time(text: str | None) -> str:
    return "" if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"


def _table(title: str, columns: Sequence[_Column], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already, or nothing for no row."""
    if not rows:
        return ""
    kinds = [f' class="{column.css}"' if column.css else "" for column in columns]
    heads = "".join(f"<th{kind}>{column.head}</th>" for kind, column in zip(kinds, columns, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(kinds, row, strict=True))}</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _decimals(account: StatementAccountView) -> int:
    """Return how many decimals the account's amounts share, so that their points stand above each other."""
    if account.unit != "usd":
        return 0
    amounts = [account.opening, account.top_ups, account.charged, account.fees, account.adjustments]
    amounts += [account.closing, *(x.charged for x in account.lines)]
    amounts += [*(x.amount for x in account.entries), *(x.amount for x in account.uncharged)]
    return max(_LEAST_DECIMALS, *(len(amount.partition(".")[2].rstrip("0")) for amount in amounts))


def _money(amount: str, decimals: int) -> str:
    """Return an amount with groups of thousands and so many decimals; a minus is a minus, not a hyphen."""
    whole, _, fraction = amount.lstrip("-").partition(".")
    point = f".{fraction.ljust(decimals, '0')[:decimals]}" if decimals else ""
    return f"{'−' if amount.startswith('-') else ''}{int(whole):,}{point}"  # noqa: RUF001 - a minus sign
