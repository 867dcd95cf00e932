"""Messages as they stand in a lane."""

from typing import Any
from uuid import UUID

from gateway.lanes.entry import LaneEntry, Priority


def entry(serial: int = 1, **fields: Any) -> LaneEntry:
    """Return the `serial`-th message of one lane; what is not said is the plainest there is."""
    plain: dict[str, Any] = {
        "message_id": UUID(int=serial),
        "route": "r",
        "identity": UUID(int=1),
        "country": "US",
        "priority": Priority.OTP,
        "tenant_id": UUID(int=9),
        "parts": 1,
        "identity_rate": 1.0,
    }
    return LaneEntry(**plain | fields)
