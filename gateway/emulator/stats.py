"""Counters for ``GET /_emulator/stats``."""

from collections import Counter

import msgspec


class Stats(msgspec.Struct, kw_only=True):
    """What has happened since the emulator started or was reset."""

    actions: Counter[str] = msgspec.field(default_factory=Counter)
    """Calls per action, refused ones included."""
    errors: Counter[str] = msgspec.field(default_factory=Counter)
    """Answers per exception name."""
    accepted_sends: int = 0
    accepted_parts: int = 0
    dropped_responses: int = 0
    events_published: int = 0
    """Copies of events handed to a destination: one event on two topics counts twice."""
    events_delivered: int = 0
    """Copies that an endpoint answered with 2xx."""
    events_failed: int = 0
    """Copies given up."""
    delivery_attempts: int = 0
    inbound_received: int = 0
    confirmations_sent: int = 0

    def reset(self) -> None:
        """Start counting again."""
        fresh = Stats()
        for name in self.__struct_fields__:
            setattr(self, name, getattr(fresh, name))
