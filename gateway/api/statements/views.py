"""A statement on the wire: its JSON, and the lines that its CSV and its page are made of."""

from msgspec import Struct

from gateway.messages.statements import Account, BundleUse, Entry, MessageLine, Statement
from gateway.messages.view import timestamp
from tenants.credits.money import format_amount, format_usd
from tenants.credits.owed_fees import Fee
from tenants.credits.pricing import Unit
from tenants.ids import encode


class StatementLineView(Struct, frozen=True, kw_only=True):
    """Messages settled in the month."""

    country: str
    channel: str
    type: str
    sender: str
    messages: int
    parts: int
    included: int
    """Parts, or messages, that the plan's bundle covered."""
    charged: str
    """For what no bundle covered."""
    aws_cost: str | None
    """What AWS charged, in US dollars; null except for the operator."""


class StatementBundleView(Struct, frozen=True, kw_only=True):
    """What the month's bundle covered, in message parts or messages; what went beyond is charged."""

    included: int
    used: int
    """Of messages accepted in the month, without those that cost nothing after all."""


class StatementEntryView(Struct, frozen=True, kw_only=True):
    """One top-up, fee or adjustment."""

    id: str
    at: str | None
    kind: str
    amount: str
    """Change of the balance."""
    note: str | None
    message_id: str | None


class StatementFeeView(Struct, frozen=True, kw_only=True):
    """A fee of the month that is in no sum."""

    item: str
    """`lease`, `lease_end`, `platform` or `registration`."""
    amount: str
    note: str
    waived_why: str | None
    """Null for what is owed, and charged as soon as the balance covers it."""


class StatementAccountView(Struct, frozen=True, kw_only=True):
    """`opening + top_ups - charged + fees + adjustments = closing`, to the last digit."""

    unit: str
    """`usd` or `credits`."""
    opening: str
    """The balance as the month began: what could be spent and what was held."""
    top_ups: str
    charged: str
    """For messages."""
    fees: str
    adjustments: str
    closing: str
    bundle: StatementBundleView | None
    """Null where no message of the month drew on one."""
    lines: list[StatementLineView]
    entries: list[StatementEntryView]
    uncharged: list[StatementFeeView]
    """Fees that no balance has covered yet, and waived ones."""


class StatementView(Struct, frozen=True, kw_only=True):
    """One month, in UTC."""

    month: str
    complete: bool
    """Whether the month is over; until then it grows."""
    accounts: list[StatementAccountView]
    """One per unit; two only where the plan's unit changed."""


def statement_view(statement: Statement, *, with_cost: bool) -> StatementView:
    """Return a statement as the wire writes it."""
    return StatementView(
        month=statement.month.name,
        complete=statement.is_complete,
        accounts=[_account(account, with_cost=with_cost) for account in statement.accounts],
    )


def _account(account: Account, *, with_cost: bool) -> StatementAccountView:
    unit = account.unit
    return StatementAccountView(
        unit="usd" if unit == "micros" else unit,
        opening=format_amount(account.opening, unit),
        top_ups=format_amount(account.top_ups, unit),
        charged=format_amount(account.charged, unit),
        fees=format_amount(account.fees, unit),
        adjustments=format_amount(account.adjustments, unit),
        closing=format_amount(account.closing, unit),
        bundle=_bundle(account.bundle),
        lines=[_line(line, unit, with_cost=with_cost) for line in account.lines],
        entries=[_entry(entry, unit) for entry in account.entries],
        uncharged=[_fee(fee) for fee in account.uncharged],
    )


def _bundle(use: BundleUse | None) -> StatementBundleView | None:
    return None if use is None else StatementBundleView(included=use.included, used=use.used)


def _line(line: MessageLine, unit: Unit, *, with_cost: bool) -> StatementLineView:
    return StatementLineView(
        country=line.country,
        channel=line.channel,
        type=line.type,
        sender=line.sender,
        messages=line.messages,
        parts=line.parts,
        included=line.included,
        charged=format_amount(line.charged, unit),
        aws_cost=format_usd(line.cost_micros) if with_cost else None,
    )


def _fee(fee: Fee) -> StatementFeeView:
    return StatementFeeView(
        item=fee.item,
        amount=format_amount(fee.amount, fee.unit),
        note=fee.note,
        waived_why=fee.waived_why,
    )


def _entry(entry: Entry, unit: Unit) -> StatementEntryView:
    return StatementEntryView(
        id=encode("led", entry.id),
        at=timestamp(entry.at),
        kind=entry.kind,
        amount=format_amount(entry.amount, unit),
        note=entry.note,
        message_id=None if entry.message_id is None else encode("msg", entry.message_id),
    )
