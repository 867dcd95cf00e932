"""Lists: a bounded page and an opaque cursor to the next one."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import Meta, Struct

from gateway.api.refusals import Refusal

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
_MAX_CURSOR: Final = 512

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="Rows per page, 1 to 100.")]
After = Annotated[
    str | None,
    QueryParameter(max_length=_MAX_CURSOR, description="`next_cursor` of the page before; opaque."),
]

Row = TypeVar("Row")
Item = TypeVar("Item")


class Page(Struct, Generic[Item], frozen=True, kw_only=True):
    """Part of a list."""

    data: list[Item]
    next_cursor: Annotated[str | None, Meta(description="Ask for `?after=` this; null at the end.")]


def page_of(
    rows: Sequence[Row], limit: int, *, view: Callable[[Row], Item], cursor: Callable[[Row], str]
) -> Page[Item]:
    """Return the page of `rows`; one more than `limit` was asked for, to learn whether others follow."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(data=[view(row) for row in shown], next_cursor=cursor(shown[-1]) if more else None)


def id_cursor(value: UUID) -> str:
    """Return the cursor of a list that is ordered by id."""
    return text_cursor(value.hex)


def id_after(cursor: str | None) -> UUID | None:
    """
    Return the id behind a cursor.

    Raises:
        Refusal: 422: this API never gave such a cursor.
    """
    text = text_after(cursor)
    if text is None:
        return None
    try:
        return UUID(hex=text)
    except ValueError:
        raise _invalid() from None


def text_cursor(text: str) -> str:
    """Return any place in an order as an opaque cursor."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")


def text_after(cursor: str | None) -> str | None:
    """Return what `text_cursor` hid; raises the same refusal as `id_after`."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _invalid() from None


def _invalid() -> Refusal:
    return Refusal.of_field(
        "?after", "invalid_cursor", "This is not a cursor of this list; begin without one."
    )
