"""What of a ledger is wanted."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class LedgerFilter(Struct, frozen=True, kw_only=True):
    """Conditions that an entry has to meet; one that is not given is met by all."""

    kinds: tuple[str, ...] = ()
    message_id: UUID | None = None
    """Entries that the message moved, and corrections of it."""
    since: datetime | None = None
    until: datetime | None = None
    """Posted at or after the one and before the other."""
