"""What an account has spent in a calendar month, per channel."""

from collections import Counter


class SpendMeter:
    """Running totals in micro-dollars; AWS shows them to nobody, it only enforces limits with them."""

    def __init__(self) -> None:
        self._totals: Counter[tuple[str, str, str]] = Counter()

    def add(self, scope: str, channel: str, month: str, amount_micros: int) -> None:
        """Count what one message costs."""
        self._totals[scope, channel, month] += amount_micros

    def this_month(self, scope: str, channel: str, month: str) -> int:
        """Return what a channel has cost in a month such as ``2026-01``."""
        return self._totals[scope, channel, month]

    def reset(self) -> None:
        """Forget everything."""
        self._totals.clear()
