"""``GET /_emulator/stats`` and ``GET /_emulator/arrivals``."""

from typing import Any

import msgspec

from gateway.emulator.control.refusal import whole_number
from gateway.emulator.world import World


def statistics(world: World) -> dict[str, Any]:
    """Return the counters and what is waiting."""
    counters: dict[str, Any] = msgspec.to_builtins(world.stats)
    return {
        **counters,
        "messages_retained": len(world.traffic.messages()),
        "timeline_waiting": world.timeline.pending(),
        "deliveries_waiting": world.courier.waiting(),
    }


def arrivals(world: World, query: dict[str, str]) -> dict[str, Any]:
    """Return when the sends came, after the number of them that the caller has seen."""
    total, came = world.arrivals.since(whole_number(query, "after", 0))
    return {"data": came, "total": total}
