"""The price book that a plan names has to be there: without it every send of the tenant has no price."""

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.credits import store
from tenants.errors import InvalidInput


async def check_price_book(session: AsyncSession, name: str) -> None:
    """
    Let pass the default book, which may be filled later, and every book that was imported.

    Raises:
        InvalidInput: There is no such book.
    """
    if name == store.DEFAULT_BOOK or name in {row.name for row in await store.books(session)}:
        return
    detail = (
        f"there is no price book {name!r}: import it first (POST /v1/admin/price-books/{name}/import), "
        "or name one of GET /v1/admin/price-books"
    )
    raise InvalidInput("/plan/price_book", "unknown_price_book", detail)
