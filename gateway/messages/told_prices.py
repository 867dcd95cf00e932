"""What AWS's events say of money: the operator's to know, since a tenant pays the operator's price."""

from collections.abc import Mapping
from typing import Any, Final

_PRICES: Final = frozenset({"totalMessagePrice", "totalCarrierFee"})


def without_prices(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as its tenant sees it: whole, less what AWS and the carriers charge."""
    return {name: value for name, value in event.items() if name not in _PRICES}
