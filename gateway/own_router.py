"""Routers that are made for one application."""

from typing import Any

from litestar import Router


class OwnRouter(Router):
    """
    Is handed over as it is.

    Litestar copies a router with everything below it, in case that it is registered elsewhere, too: nearly
    half of what making the application costs, for copies whose originals nobody uses.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "OwnRouter":
        """Return itself."""
        return self
