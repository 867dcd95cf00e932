"""
Public ids: a prefix, an underscore and a UUIDv7 in 26 characters of Crockford base 32.

The prefix says what the id names, so a support line shows at a glance what was pasted; the UUIDv7 sorts by
time, and its first 48 bits are the milliseconds at which the row was made. Inside the process and in
Postgres an id is the bare UUID.
"""

import random
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7

from tenants.errors import InvalidId

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
"""Two digits for each ten bits."""
_DIGITS = re.compile(f"[{_ALPHABET}{_ALPHABET.lower()}]+")
_AS_PYTHON = bytes.maketrans(
    (_ALPHABET + _ALPHABET.lower()).encode("ascii"), b"0123456789ABCDEFGHIJKLMNOPQRSTUV" * 2
)
"""To the digits that `int` reads in base 32."""
_LENGTH = 26
_MAX_FIRST_DIGIT = "7"
"""26 base-32 digits hold 130 bits; the first digit may carry only the top three of 128."""

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62
_HALF = (1 << 40) - 1
"""Of the 80 bits behind the instant; half of them are eight digits."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last instant a datetime can hold."""

PREFIXES = frozenset(
    {
        "acc", "alm", "att", "bat", "cfg", "con", "cor", "del", "evt", "fee", "fhk", "idn", "inb",
        "inc", "inv", "itk", "key", "kwd", "led", "med", "msg", "ooc", "pool", "prc", "prv", "psn", "rcq",
        "reg", "req", "sc", "task", "ten", "tpl", "vdn", "wh",
    }
)  # fmt: skip


def new_uuid() -> UUID:
    """
    Return a fresh UUIDv7: unique, and later ones sort after earlier ones to the millisecond.

    It is of the driver's own class, as those that are read from Postgres are: a `uuid.UUID` like any other,
    but made, hashed, compared and written in C.
    """
    return from_bytes(uuid7().bytes)


def from_bytes(raw: bytes) -> UUID:
    """Return the id of these 16 bytes, in the driver's class."""
    return pgproto.UUID(raw)


def tail(place: int) -> UUID:
    """
    Return a UUIDv7 without its instant, which whoever stores it adds.

    Args:
        place: In its batch, below 65,536: of one instant the ids sort by it.
    """
    bits = _VERSION_7 | (place >> 4 & 0xFFF) << 64 | _VARIANT | (place & 0xF) << 58 | random.getrandbits(58)
    return from_bytes(bits.to_bytes(16))


def encode(prefix: str, value: UUID) -> str:
    """Return the public form of `value`, for example `msg_01K3ZQ4V7N8R9T0W2Y4A6C8E0G`."""
    bits, pairs = value.int, _PAIRS
    high, low = bits >> 40 & _HALF, bits & _HALF
    return (
        f"{prefix}_{_instant_digits(bits >> 80)}{pairs[high >> 30]}{pairs[high >> 20 & 1023]}"
        f"{pairs[high >> 10 & 1023]}{pairs[high & 1023]}{pairs[low >> 30]}{pairs[low >> 20 & 1023]}"
        f"{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


@lru_cache(maxsize=256)
def _instant_digits(unix_ms: int) -> str:
    """Return the ten digits of an id's first 48 bits, which the ids of a moment share."""
    pairs = _PAIRS
    return (
        f"{pairs[unix_ms >> 40]}{pairs[unix_ms >> 30 & 1023]}{pairs[unix_ms >> 20 & 1023]}"
        f"{pairs[unix_ms >> 10 & 1023]}{pairs[unix_ms & 1023]}"
    )


def decode(prefix: str, text: str) -> UUID:
    """
    Return the UUID behind a public id.

    Raises:
        InvalidId: The prefix is another one, or the rest is not 26 characters of Crockford base 32.
    """
    head, separator, digits = text.partition("_")
    if not separator or head != prefix or len(digits) != _LENGTH:
        raise InvalidId(f"expected an id that begins with {prefix}_ followed by {_LENGTH} characters")
    if _DIGITS.fullmatch(digits) is None:
        wrong = next(digit for digit in digits if _DIGITS.match(digit) is None)
        raise InvalidId(f"{wrong!r} is not a character of an id")
    if digits[0] > _MAX_FIRST_DIGIT:
        raise InvalidId("the id is larger than 128 bits")
    return from_bytes(int(digits.encode("ascii").translate(_AS_PYTHON), 32).to_bytes(16))


def first_at(instant: datetime) -> UUID:
    """Return the smallest UUIDv7 of a millisecond: ids below it were made before."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


def created_at(value: UUID) -> datetime:
    """
    Return the millisecond at which a UUIDv7 was made; messages are partitioned by it.

    Anybody may write an id of their own: one beyond the year 9999 gets that year's end, and names nothing.
    """
    return _instant(min(value.int >> 80, _LAST_MS))


@lru_cache(maxsize=256)
def _instant(unix_ms: int) -> datetime:
    """What one commit stores was made within a few milliseconds."""
    return _EPOCH + timedelta(milliseconds=unix_ms)
