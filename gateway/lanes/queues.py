"""What waits in a route's lanes and what limits it, as Redis holds it: the raw figures of every estimate."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from gateway.lanes.entry import DailyCap
from gateway.lanes.gates import SECOND_US
from gateway.lanes.lanes import LaneKey, Lanes, key_prefix, lane_key
from gateway.lanes.rounds import Waiting
from gateway.lanes.scripts import Argument, read_script

_AT_ONCE: Final = 500
"""Channels or lanes per script call: a fraction of a millisecond of Redis's time."""
_TENANTS_LOOKED_AT: Final = 64
"""Of a lane, each with two commands; the others are taken to be like them."""
_CHANNELS: Final = read_script("gateway.lanes", "structure.lua", "channels.lua")
_TODAY: Final = read_script("gateway.lanes", "structure.lua", "gates.lua", "today.lua")
_PLACE: Final = read_script("gateway.lanes", "structure.lua", "gates.lua", "place.lua")
_HEADS: Final = read_script("gateway.lanes", "structure.lua", "heads.lua")

_Name = TypeVar("_Name")
Channel = tuple[UUID, str]
"""An identity in a country."""


class ChannelGates(Struct, frozen=True, kw_only=True):
    """What limits a channel, in microseconds per part."""

    us: float
    shared: Mapping[str, float]
    """By the gate's name."""
    caps: tuple[DailyCap, ...]


class RouteQueues(Struct, frozen=True, kw_only=True):
    """All that waits in one route."""

    lanes: Mapping[LaneKey, Waiting]
    request_us: float
    """Microseconds per API request; 0 for no such gate."""


class Today(Struct, frozen=True, kw_only=True):
    """How far the caps of a day are used."""

    used: Mapping[str, int]
    """Parts, by the cap's name."""
    ends_in_s: Mapping[str, float]
    """By the same name: T-Mobile's day ends in the Pacific."""


class Place(Struct):
    """Where the next message of a tenant would stand in a lane, as its turns come."""

    own: int
    """Messages of the tenant, all of which go before."""
    others: int
    """Messages of other tenants that go before."""
    opens_in_s: float
    """Until the channel's own gate lets anybody go."""
    own_opens_in_s: float
    """Until the tenant's gate in the country does."""


class Queues:
    """Reads; nothing here changes what waits."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    async def of(self, route: str) -> RouteQueues:
        """
        Return what waits in a route.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        prefix, scripts = key_prefix(route), self._lanes.scripts
        parts, messages, epoch = await asyncio.gather(
            scripts.hash(f"{prefix}:backlog"),
            scripts.hash(f"{prefix}:messages"),
            scripts.hash(f"{prefix}:epoch"),
        )
        with scripts.reading(prefix):
            return RouteQueues(
                lanes={
                    lane_key(lane): Waiting(int(number), int(messages.get(lane, number)))
                    for lane, number in parts.items()
                },
                request_us=float(epoch.get(b"request_us", b"0")),
            )

    async def gates(self, route: str, channels: Sequence[Channel]) -> dict[Channel, ChannelGates]:
        """Return what limits the channels; those nothing was ever pushed to are left out."""
        found: dict[Channel, ChannelGates] = {}
        for some in _in_turns(channels):
            names = [identity.bytes + country.encode("ascii") for identity, country in some]
            rows = await self._lanes.scripts.run(_CHANNELS, key_prefix(route), names)
            for channel, row in zip(some, rows, strict=True):
                if isinstance(row, bytes) and row:
                    with self._lanes.scripts.reading(key_prefix(route)):
                        found[channel] = _channel_gates(row)
        return found

    async def today(self, route: str, caps: Collection[str]) -> Today:
        """Return how far caps are used, and when their days end."""
        names = sorted(caps)
        now: Argument = "" if self._lanes.clock_us is None else self._lanes.clock_us()
        answer = await self._lanes.scripts.run(_TODAY, key_prefix(route), [now, *names])
        return Today(
            used={name: int(parts) for name, parts in zip(names, answer[::2], strict=True)},
            ends_in_s={name: int(us) / SECOND_US for name, us in zip(names, answer[1::2], strict=True)},
        )

    async def place(self, route: str, lane: LaneKey, tenant_id: UUID) -> Place:
        """
        Return where a tenant's next message would stand.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        now: Argument = "" if self._lanes.clock_us is None else self._lanes.clock_us()
        arguments: list[Argument] = [now, _TENANTS_LOOKED_AT, pack_lane(lane) + tenant_id.bytes]
        own, others, opens_us, own_opens_us = await self._lanes.scripts.run(
            _PLACE, key_prefix(route), arguments
        )
        return Place(
            own=int(own),
            others=int(others),
            opens_in_s=int(opens_us) / SECOND_US,
            own_opens_in_s=int(own_opens_us) / SECOND_US,
        )

    async def heads(self, route: str, lanes: Sequence[LaneKey], *, flows: int) -> dict[LaneKey, list[UUID]]:
        """Return the first message of each tenant in the lanes: of `flows` served next and as many parked."""
        found: dict[LaneKey, list[UUID]] = {}
        for some in _in_turns(lanes):
            arguments: list[Argument] = [flows, *map(pack_lane, some)]
            answer = await self._lanes.scripts.run(_HEADS, key_prefix(route), arguments)
            found |= _heads(answer)
        return found


def pack_lane(lane: LaneKey) -> bytes:
    """Return a lane as Redis names it: priority digit, identity, country."""
    return b"%d%b%b" % (lane.priority, lane.identity.bytes, lane.country.encode("ascii"))


def _in_turns(names: Sequence[_Name]) -> Iterator[Sequence[_Name]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]


def _heads(answer: list[int | bytes]) -> dict[LaneKey, list[UUID]]:
    found: dict[LaneKey, list[UUID]] = {}
    rest = iter(answer)
    for lane in rest:
        assert isinstance(lane, bytes)  # noqa: S101 - the script's answer has this form
        found[lane_key(lane)] = [UUID(bytes=next(rest)) for _ in range(int(next(rest)))]  # type: ignore[arg-type]  # ids are bytes
    return found


def _channel_gates(packed: bytes) -> ChannelGates:
    period, bound, shared, caps = msgspec.msgpack.decode(packed)
    return ChannelGates(
        us=_us_per_part(period, bound),
        shared={name: _us_per_part(of_gate, its_bound) for name, of_gate, its_bound in shared},
        caps=tuple(DailyCap(name, parts) for name, parts in caps),
    )


def _us_per_part(period_us: float, bound: int) -> float:
    """A bound decides where there is one: the period then only spreads the messages within a second."""
    return SECOND_US / bound if bound else float(period_us)
