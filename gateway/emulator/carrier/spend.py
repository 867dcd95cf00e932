"""What an account has spent in a calendar month, per channel; AWS only enforces limits with it."""

from gateway.emulator.state.store import Store
from gateway.emulator.state.traffic_records import Spent, spent_key


def spend(store: Store, channel: str, month: str, amount_micros: int) -> None:
    """Count what one message costs; it is kept as what the account owns is."""
    if amount_micros:
        total = this_month(store, channel, month) + amount_micros
        store.put(Spent(scope=store.scope, channel=channel, month=month, micros=total))


def this_month(store: Store, channel: str, month: str) -> int:
    """Return what a channel has cost in a month such as ``2026-01``."""
    found = store.find(Spent, spent_key(channel, month))
    return 0 if found is None else found.micros
