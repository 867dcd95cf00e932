"""
Lists: a bounded page and an opaque cursor to the next one.

A cursor is base64 of a tag and a place. The place is where the next page begins, in the order of its list.
The tag says which list that is, so that no other list reads a place that means nothing in its own order.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from litestar import Request
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from gateway.api.refusals import Refusal

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
_MAX_CURSOR: Final = 512
_TAG_BYTES: Final = 4

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="Rows per page, 1 to 100.")]
After = Annotated[
    str | None,
    QueryParameter(
        max_length=_MAX_CURSOR,
        description="`next_cursor` of this list's previous page; opaque, and of no use to another list. "
        "Filters are those of each call: give the same ones with every page.",
    ),
]

_Asked = Request[Any, Any, Any]

Row = TypeVar("Row")
Item = TypeVar("Item")


class Page(Struct, Generic[Item], frozen=True, kw_only=True):
    """Part of a list."""

    data: list[Item]
    next_cursor: Annotated[str | None, Meta(description="Ask for `?after=` this; null at the end.")]


def page_of(
    request: _Asked,
    rows: Sequence[Row],
    limit: int,
    *,
    view: Callable[[Row], Item],
    place: Callable[[Row], UUID | str],
) -> Page[Item]:
    """
    Return the page of `rows`; one more than `limit` was asked for, to learn whether others follow.

    Args:
        place: Where in the list's order a row stands.
    """
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        data=[view(row) for row in shown],
        next_cursor=cursor_of(request, place(shown[-1])) if more else None,
    )


def cursor_of(request: _Asked, place: UUID | str) -> str:
    """Return the cursor that goes on behind `place` in the list that is asked for."""
    return cursor_in(_list_of(request), place)


def cursor_in(name: str, place: UUID | str) -> str:
    """Return a cursor of the list `name`, which is the path that it is asked for at."""
    text = _tag(name) + (place.hex if isinstance(place, UUID) else place)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")


def id_after(request: _Asked, cursor: str | None) -> UUID | None:
    """
    Return the id behind a cursor of the list that is asked for.

    Raises:
        Refusal: 422: this list never gave such a cursor.
    """
    text = text_after(request, cursor)
    if text is None:
        return None
    try:
        return UUID(hex=text)
    except ValueError:
        raise invalid_cursor() from None


def text_after(request: _Asked, cursor: str | None) -> str | None:
    """Return the place behind a cursor; raises the same refusal as `id_after`."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None
    tag = _tag(_list_of(request))
    if not text.startswith(tag):
        raise invalid_cursor()
    return text.removeprefix(tag)


def invalid_cursor() -> Refusal:
    """Return the 422 for what is no cursor, or one of another list."""
    return Refusal.of_field(
        "?after",
        "invalid_cursor",
        "This is not a cursor of this list: use the `next_cursor` of this list's previous page, or leave "
        "`after` out to begin at the first.",
    )


def _list_of(request: _Asked) -> str:
    """Return the path with its parameters: one tenant's senders are another list than the next one's."""
    return request.scope["path_template"].format(**request.path_params)


def _tag(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=_TAG_BYTES).hexdigest() + " "
