"""``GET /_emulator/stats``."""

from typing import Any

import msgspec

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
