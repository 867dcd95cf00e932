"""What a push tells `push.lua`: messages by call and by flow, and what holds for each. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec

from gateway.lanes.entry import DailyCap, LaneEntry, LaneTerms, RateGate, pack_flow, pack_item
from gateway.lanes.gates import bound_of, period_us

PUSH_CHUNK = 2_000
"""Messages per script call: about 2 ms of Redis's time, in which nobody else is served."""


def in_calls(entries: Sequence[LaneEntry]) -> Iterator[list[LaneEntry]]:
    """Yield what each call of the script takes: messages of one route, at most `PUSH_CHUNK`."""
    by_route: dict[str, list[LaneEntry]] = {}
    for entry in entries:
        by_route.setdefault(entry.route, []).append(entry)
    for of_route in by_route.values():
        for start in range(0, len(of_route), PUSH_CHUNK):
            yield of_route[start : start + PUSH_CHUNK]


def by_flow(entries: Iterable[LaneEntry]) -> dict[bytes, tuple[LaneEntry, list[bytes]]]:
    """Return the packed messages per flow, with the last entry of each, whose rates count."""
    flows: dict[bytes, tuple[LaneEntry, list[bytes]]] = {}
    for entry in entries:
        flow = pack_flow(entry)
        items = flows[flow][1] if flow in flows else []
        items.append(pack_item(entry, attempt=entry.attempt))
        flows[flow] = (entry, items)
    return flows


def in_force(terms: LaneEntry | LaneTerms) -> tuple[int, bytes, bytes]:
    """Return the version, the channel's gates and the tenant's terms, as `push.lua` takes them."""
    return (
        terms.version,
        _channel_terms(terms.identity_rate, terms.shared_gates, terms.daily_caps),
        _tenant_terms(terms.weight, terms.tenant_rate, terms.version),
    )


@lru_cache(maxsize=4096)
def _channel_terms(rate: float, shared: tuple[RateGate, ...], caps: tuple[DailyCap, ...]) -> bytes:
    gates = [
        [gate.name, period_us(gate.parts_per_second), bound_of(gate.parts_per_second)] for gate in shared
    ]
    daily = [[cap.name, cap.parts_per_day] for cap in caps]
    return msgspec.msgpack.encode([period_us(rate), bound_of(rate), gates, daily])


@lru_cache(maxsize=4096)
def _tenant_terms(weight: int, rate: float | None, version: int) -> bytes:
    if weight == 1 and rate is None:
        return b""
    limit = [0, 0] if rate is None else [period_us(rate), bound_of(rate)]
    return msgspec.msgpack.encode([version, weight, *limit])
