"""
Money at the wire: decimal dollars and whole credits, to integers and back, exactly.

No float is ever made: what a tenant types is what the ledger holds, to the last of six decimals.
"""

import re
from typing import Final

from tenants.credits.pricing import Unit
from tenants.errors import InvalidInput

MICROS_PER_USD: Final = 1_000_000
MAX_USD: Final = 1_000_000_000
MAX_CREDITS: Final = 1_000_000_000_000

_DECIMALS: Final = 6
_MIN_DECIMALS: Final = 2
_DOLLARS: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,30}))?")
_CREDITS: Final = re.compile(r"-?[0-9]{1,15}")
"""Bounded, so that a page of digits is refused for its form and not parsed for its value."""


def parse_amount(value: str | int, unit: Unit, *, field: str, signed: bool = False) -> int:
    """
    Return an amount of the wire in the ledger's integers; negative only where `signed` allows it.

    Raises:
        InvalidInput: Not a plain decimal, too precise, too large, or negative where that is not allowed.
    """
    text = str(value) if type(value) is int else value
    if not isinstance(text, str):
        raise InvalidInput(field, "invalid_amount", "an amount is a string of digits")
    if unit == "micros":
        return parse_usd(text, field=field, signed=signed)
    return parse_credits(text, field=field, signed=signed)


def parse_usd(text: str, *, field: str, signed: bool = False) -> int:
    """
    Return micro-dollars for a decimal string such as `"0.00645"`.

    Raises:
        InvalidInput: As `parse_amount` says; exponents, signs of plus, spaces and commas are not digits.
    """
    match = _DOLLARS.fullmatch(text)
    if match is None:
        raise InvalidInput(field, "invalid_amount", 'an amount in US dollars is written like "12.50"')
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction) > _DECIMALS:
        raise InvalidInput(field, "amount_too_precise", "an amount in US dollars has at most six decimals")
    micros = int(whole) * MICROS_PER_USD + int(fraction.ljust(_DECIMALS, "0"))
    if micros > MAX_USD * MICROS_PER_USD:
        raise InvalidInput(field, "amount_too_large", f"an amount is at most {MAX_USD:,} US dollars")
    return _signed(-micros if sign else micros, field=field, signed=signed)


def parse_credits(text: str, *, field: str, signed: bool = False) -> int:
    """
    Return whole credits for a string of digits.

    Raises:
        InvalidInput: As `parse_amount` says.
    """
    if _CREDITS.fullmatch(text) is None:
        raise InvalidInput(field, "invalid_amount", "an amount in credits is a whole number")
    amount = int(text)
    if abs(amount) > MAX_CREDITS:
        raise InvalidInput(field, "amount_too_large", f"an amount is at most {MAX_CREDITS:,} credits")
    return _signed(amount, field=field, signed=signed)


def format_amount(amount: int, unit: Unit) -> str:
    """Return an amount of the ledger as the wire writes it."""
    return format_usd(amount) if unit == "micros" else str(amount)


def amount_text(amount: int, unit: str) -> str:
    """Return an amount as a sentence names it, with what it counts: `0.00645 USD`, or `3 credits`."""
    return f"{amount} credits" if unit == "credits" else f"{format_usd(amount)} USD"


def format_usd(micros: int) -> str:
    """Return micro-dollars as a decimal string: two decimals at least, six at most, none lost."""
    whole, rest = divmod(abs(micros), MICROS_PER_USD)
    fraction = f"{rest:06d}".rstrip("0").ljust(_MIN_DECIMALS, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{fraction}"


def _signed(amount: int, *, field: str, signed: bool) -> int:
    if amount < 0 and not signed:
        raise InvalidInput(field, "amount_negative", "an amount is not negative here")
    return amount
