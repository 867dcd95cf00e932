"""A statement as a CSV file, made of its JSON."""

from typing import Final

from gateway.api.csv_cells import csv_text
from gateway.api.statements.views import StatementAccountView, StatementView

_HEADER: Final = (
    "month", "unit", "item", "country", "channel", "type", "sender", "messages", "parts", "included", "id",
    "at", "message_id", "note", "amount", "aws_cost_usd",
)  # fmt: skip


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


def _sum_row(
    statement: StatementView, account: StatementAccountView, item: str, amount: str
) -> tuple[str, ...]:
    blanks = ("",) * (len(_HEADER) - 5)
    return (statement.month, account.unit, item, *blanks, amount, "")


def _negative(amount: str) -> str:
    if amount.startswith("-"):
        return amount[1:]
    return amount if not amount.strip("0.") else f"-{amount}"
