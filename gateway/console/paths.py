"""What is taken out of a page's address and put into one of the API's. Pure."""

from typing import Final

from gateway.console.errors import NoSuchPage

_PAGE: Final = 100


def plain(text: str) -> str:
    """
    Return an id or a cursor as it may stand in a path: they hold letters, digits, `_`, `-` and `=`.

    Raises:
        NoSuchPage: It holds anything else, and names nothing.
    """
    if not text.replace("_", "").replace("-", "").replace("=", "").isalnum() or not text.isascii():
        raise NoSuchPage
    return text


def paged(after: str = "") -> str:
    """Return the query of a list's part behind a cursor, or of its first."""
    return f"?limit={_PAGE}" + (f"&after={plain(after)}" if after else "")
