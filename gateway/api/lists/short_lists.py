"""Lists that are read whole because they are short, given in pages to whoever asks for them."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from litestar import Request
from litestar.params import QueryParameter

from gateway.api.lists.paging import MAX_LIMIT, Page, cursor_of, invalid_cursor, text_after

Item = TypeVar("Item")
ShortLimit = Annotated[
    int | None,
    QueryParameter(ge=1, le=MAX_LIMIT, description="Rows per page, 1 to 100; absent: all, as they are few."),
]


def part_of(
    request: Request[Any, Any, Any], items: Sequence[Item], limit: int | None, after: str | None
) -> Page[Item]:
    """
    Return a page of a list whose order holds; the cursor is how many were shown before.

    Raises:
        Refusal: 422: this list never gave such a cursor.
    """
    text = text_after(request, after)
    if text is not None and not (text.isascii() and text.isdigit()):
        raise invalid_cursor()
    begin = 0 if text is None else int(text)
    end = len(items) if limit is None else begin + limit
    return Page(
        data=list(items[begin:end]), next_cursor=cursor_of(request, str(end)) if end < len(items) else None
    )
