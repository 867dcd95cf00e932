"""
The lanes as the rest of the gateway sees them; each method is one script, described in its own file.

Redis may forget everything at any time. Postgres remembers, so a message that appears twice or not at all
here costs a claim or a rebuild, never a text: the dispatcher's conditional mark in Postgres decides.
"""

import asyncio
import re
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from msgspec import Struct, structs

from gateway.lanes.entry import (
    FLOW_BYTES,
    Claimed,
    ClaimedMessage,
    LaneEntry,
    LaneTerms,
    Priority,
    pack_flow,
    pack_item,
    parts_leased,
    unpack_claimed,
)
from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from gateway.lanes.gates import SECOND_US, request_us
from gateway.lanes.packed import PackedFlow, in_chunks
from gateway.lanes.pushes import PUSH_CHUNK, by_flow, in_calls, in_force
from gateway.lanes.route_clock import RouteClocks
from gateway.lanes.scripts import Argument, RedisScripts, Script, read_script

AHEAD_MS = 12.0
"""
A group commit, and what a claim may come late without losing an instant; a one-time password, or a tenant
with few messages, finds no more than this taken before it (docs/adr/0007).
"""
QUANTUM = 8
"""Messages that a channel's visit may bring where nothing is scarce: they share its cost (docs/adr/0020)."""
HORIZON_US = SECOND_US
"""How long claims rest after an epoch was lost."""
LOCK_S = 15.0
"""A rebuild that died keeps others from trying again for this long; a living one prolongs it."""
_GIVE_UP_WITHIN_S = 1.0
"""Whoever is told to stop does not wait longer for a Redis that hangs."""
_FROM_THE_BEGINNING = b"0"
"""The cursor that a scan begins with, and ends with."""
_MAX_CLAIM = 1_000
"""Messages one claim may bring: Lua can return a few thousand values, and others wait meanwhile."""
_FORGET_EVERY_S = 15.0
"""A fault of ours in a script stays, and would have the whole queue read for every push."""
_ID_BYTES = 16
_TOKEN_WAIT_S = 1.0
"""Length of one blocked call; the next wait begins another."""
_ROUTE_NAME = re.compile(r"[A-Za-z0-9._-]+")
_PUSH = read_script("gateway.lanes", "structure.lua", "push.lua")
_CLAIM = read_script("gateway.lanes", "structure.lua", "gates.lua", "turns.lua", "claim.lua")
_RESERVE = read_script("gateway.lanes", "structure.lua", "gates.lua", "reserve.lua")
_FELL_AWAY = read_script("gateway.lanes", "structure.lua", "gates.lua", "fell_away.lua")
_ARRIVED_LATE = read_script("gateway.lanes", "structure.lua", "gates.lua", "arrived_late.lua")
_SETTLE = read_script("gateway.lanes", "structure.lua", "settle.lua")
_REQUEUE = read_script("gateway.lanes", "structure.lua", "requeue.lua")
_TRY_WRITE = read_script("gateway.lanes", "try_write.lua")
_REBUILD = read_script("gateway.lanes", "rebuild.lua")
_EMPTY = read_script("gateway.lanes", "empty.lua")
_FORGET = read_script("gateway.lanes", "forget.lua")


class LaneKey(Struct, frozen=True):
    """One line of messages: an identity in a country at a priority."""

    identity: UUID
    country: str
    priority: Priority


class LateMessage(Struct, frozen=True):
    """A message that reached the carrier after its instant."""

    message: ClaimedMessage
    late_us: int


class Lanes:
    """
    Queues messages and hands out those that may leave now.

    Args:
        api_requests_per_second: AWS's quota for SendTextMessage per route; none for a route that is absent.
        lease_s: How long a claimed message may stay unsettled before another claim gets it.
        ahead_ms: How far ahead instants are given out: what a dispatcher has for its mark, and the most that
            a more urgent message can find taken before it.
        quantum: The most messages of a channel that one visit of it grants.
        clock_us: The time in microseconds for tests and simulations; None for Redis's own.
    """

    def __init__(
        self,
        scripts: RedisScripts,
        *,
        api_requests_per_second: Mapping[str, float] | None = None,
        lease_s: float = 30.0,
        ahead_ms: float = AHEAD_MS,
        quantum: int = QUANTUM,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        self.scripts = scripts
        self.clock_us = clock_us
        self._tokens: dict[str, asyncio.Task[bool]] = {}
        self._left_locks: dict[str, str] = {}
        self._forgot_at: dict[str, float] = {}
        self._request_us: dict[str, float] = {}
        for route, rate in (api_requests_per_second or {}).items():
            self.limit_requests(route, rate)
        self._lease_us = round(lease_s * SECOND_US)
        self._ahead_us = round(ahead_ms * 1000)
        self._quantum = quantum
        self._clocks = RouteClocks()

    def limit_requests(self, route: str, rate: float) -> None:
        """Set AWS's quota of requests per second for a route, from the next claim on; 0 for none."""
        self._request_us[route] = request_us(rate) if rate > 0 else 0

    def request_period_us(self, route: str) -> float:
        """Return the microseconds that one API request of the route costs; 0 for no such gate."""
        return self._request_us.get(route, 0)

    async def try_write(self, route: str) -> None:
        """
        Write a little.

        Raises:
            RedisUnavailable: Redis is away, or would take no claim: a replica, loading, or out of memory.
        """
        await self.scripts.run(_TRY_WRITE, key_prefix(route))

    async def push(
        self, entries: Sequence[LaneEntry], *, rebuild_epoch: str | None = None, lock_s: float = LOCK_S
    ) -> list[LaneEntry]:
        """
        Queue messages and return those that were not taken, because their route has lost its lanes.

        It loses them, too, where somebody else wrote under their keys. Leave the outbox rows of those to the
        relay. A rebuild passes the epoch it began; each push then prolongs its lock by `lock_s`.
        """
        chunks = list(in_calls(entries))
        taken = await asyncio.gather(
            *(self._push_chunk(chunk, rebuild_epoch, round(lock_s * 1000)) for chunk in chunks)
        )
        return [
            entry for chunk, was_taken in zip(chunks, taken, strict=True) if not was_taken for entry in chunk
        ]

    async def push_packed(
        self, route: str, flows: Sequence[PackedFlow], *, rebuild_epoch: str, lock_s: float = LOCK_S
    ) -> bool:
        """Queue whole flows during a rebuild; False when another rebuild has taken over."""
        taken = await asyncio.gather(
            *(
                self._push_flows(route, chunk, rebuild_epoch, round(lock_s * 1000))
                for chunk in in_chunks(flows, PUSH_CHUNK)
            )
        )
        return all(taken)

    async def _push_flows(self, route: str, flows: Sequence[PackedFlow], epoch: str, lock_ms: int) -> bool:
        arguments: list[Argument] = [epoch, lock_ms, self._now()]
        for flow in flows:
            arguments += (pack_flow(flow.newest), *in_force(flow.newest), flow.items)
        return (await self.scripts.run(_PUSH, key_prefix(route), arguments))[0] == 1

    async def agree(self, terms: Sequence[LaneTerms]) -> None:
        """Change what holds for messages that are queued already; channels without any are left alone."""
        by_route: dict[str, list[LaneTerms]] = {}
        for each in terms:
            by_route.setdefault(each.route, []).append(each)
        for route, of_route in by_route.items():
            arguments: list[Argument] = ["", 0, self._now()]
            for each in of_route:
                arguments += (pack_flow(each), *in_force(each), b"")
            await self.scripts.run(_PUSH, key_prefix(route), arguments)

    async def claim(
        self, route: str, limit: int, *, lowest_priority: Priority = Priority.PROMOTIONAL
    ) -> Claimed:
        """Take up to `limit` messages whose every gate opens within `ahead_ms`, and charge the gates."""
        arguments: list[Argument] = [
            min(limit, _MAX_CLAIM),
            int(lowest_priority),
            self._lease_us,
            self._ahead_us,
            self._request_us.get(route, 0),
            self._quantum,
            self._now(),
        ]
        status, next_us, now_us, *entries = await self.scripts.run(
            _CLAIM, key_prefix(route), arguments, at_once=True
        )
        here = self._clocks.local(route, int(now_us))
        messages, unreadable = _unpacked(route, entries, now_us=int(now_us), now=here)
        return Claimed(
            messages=messages,
            unreadable=unreadable,
            next_open_ms=_milliseconds(next_us),
            epoch_missing=status == 0,
        )

    async def reserve_again(self, message: ClaimedMessage) -> ClaimedMessage | None:
        """
        Give a claimed message whose instant passed unused another one; None when the lanes were lost.

        It keeps its place where nobody came after it at its gates, and goes behind those who did.
        """
        arguments: list[Argument] = [
            self._request_us.get(message.route, 0),
            self._now(),
            pack_flow(message),
            pack_item(message, attempt=message.attempt),
            message.send_at_us,
        ]
        taken, send_at_us, now_us = await self.scripts.run(_RESERVE, key_prefix(message.route), arguments)
        if taken == 0:
            return None
        here = self._clocks.local(message.route, int(now_us))
        release_at = here + (int(send_at_us) - int(now_us)) / SECOND_US
        return structs.replace(message, send_at_us=int(send_at_us), release_at=release_at)

    async def fell_away(self, messages: Sequence[ClaimedMessage]) -> int:
        """
        Take back what messages of one route were charged that were claimed and will not leave.

        Args:
            messages: In the order in which they were claimed.

        Returns how many gates are charged less; where others came after a message it stays charged.
        """
        if not messages:
            return 0
        route = messages[0].route
        arguments: list[Argument] = [self._request_us.get(route, 0), self._now()]
        for message in messages:
            item = pack_item(message, attempt=message.attempt)
            arguments += (pack_flow(message), item, message.send_at_us)
        return int((await self.scripts.run(_FELL_AWAY, key_prefix(route), arguments))[0])

    async def arrived_late(self, late: Sequence[LateMessage]) -> int:
        """Move messages of one route in the seconds of their gates; returns how many gates have moved."""
        if not late:
            return 0
        arguments: list[Argument] = [self._now()]
        for each in late:
            message = each.message
            item = pack_item(message, attempt=message.attempt)
            arguments += (pack_flow(message), item, message.send_at_us, each.late_us)
        prefix = key_prefix(late[0].message.route)
        return int((await self.scripts.run(_ARRIVED_LATE, prefix, arguments))[0])

    async def settle(self, route: str, message_ids: Sequence[UUID]) -> None:
        """Give up the leases: Postgres holds the mark that these are being dispatched, or are final."""
        if message_ids:
            await self.scripts.run(_SETTLE, key_prefix(route), [each.bytes for each in message_ids])

    async def requeue(
        self, message: ClaimedMessage | LaneEntry, *, delay_ms: int, attempt: int | None = None
    ) -> bool:
        """
        Give back a message that did not leave, settled or not, for a claim after `delay_ms`.

        False when the lanes were lost since it was claimed: the rebuild finds it in Postgres.
        """
        item = pack_item(message, attempt=message.attempt if attempt is None else attempt)
        arguments: list[Argument] = [self._now(), delay_ms, pack_flow(message), item]
        return await self._put(_REQUEUE, message.route, arguments)

    async def wait_for_work(self, route: str, timeout_s: float) -> bool:
        """
        Sleep until a push has made something claimable, or until `timeout_s` (above zero) is over.

        The time is kept here: Redis ends a blocked call up to 100 ms late (its `hz` is 10), which was seen to
        leave a quarter of a 10 MPS lane unused. So one blocked call per route outlives the waits.
        """
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            token = self._token(route)
            await asyncio.wait({token}, timeout=left_s)
            if token.done():
                del self._tokens[route]
                if token.result():
                    return True
        return False

    def _token(self, route: str) -> "asyncio.Task[bool]":
        """Return the blocked call that waits for the route's next push."""
        if (token := self._tokens.get(route)) is None:
            taking = self.scripts.take_token(f"{key_prefix(route)}:wake", timeout_s=_TOKEN_WAIT_S)
            token = self._tokens[route] = asyncio.create_task(taking)
            token.add_done_callback(_seen)
        return token

    async def backlog(self, route: str) -> dict[LaneKey, int]:
        """Return the parts that wait in each line of the route; claimed ones no longer count."""
        key = f"{key_prefix(route)}:backlog"
        rows = await self.scripts.hash(key)
        with self.scripts.reading(key):
            return {lane_key(lane): int(parts) for lane, parts in rows.items()}

    async def leased(self, route: str) -> dict[UUID, tuple[LaneKey, int]]:
        """Return the line and the parts of each claimed message that is not settled."""
        key = f"{key_prefix(route)}:flight"
        rows = await self.scripts.hash(key)
        with self.scripts.reading(key):
            return {
                UUID(bytes=message_id): (lane_key(entry), parts_leased(entry))
                for message_id, entry in rows.items()
            }

    async def begin_rebuild(self, route: str, epoch: str, *, lock_s: float = LOCK_S) -> bool:
        """
        Lock the route's lanes for the caller and empty them, who then pushes what Postgres has queued.

        Until `finish_rebuild`, claims answer `epoch_missing` and ordinary pushes are refused. False when
        somebody else is rebuilding, or has begun while the lanes were emptied.
        """
        lock_ms = round(lock_s * 1000)
        arguments: list[Argument] = ["begin", epoch, lock_ms, self._now(), self._left_locks.get(route, "")]
        if (await self.scripts.run(_REBUILD, key_prefix(route), arguments))[0] == 0:
            return False
        self._left_locks.pop(route, None)
        return await self._emptied(route, epoch, lock_ms)

    async def _emptied(self, route: str, epoch: str, lock_ms: int) -> bool:
        """Delete what the lanes hold, page by page; False as soon as the lock is somebody else's."""
        held, cursor = await self.scripts.run(
            _EMPTY, key_prefix(route), [epoch, lock_ms, _FROM_THE_BEGINNING]
        )
        while held and cursor != _FROM_THE_BEGINNING:
            held, cursor = await self.scripts.run(_EMPTY, key_prefix(route), [epoch, lock_ms, cursor])
        return held == 1

    async def keep_rebuild(self, route: str, epoch: str, *, lock_s: float = LOCK_S) -> bool:
        """Keep the lock for another `lock_s`; False when it was lost."""
        arguments: list[Argument] = ["keep", epoch, round(lock_s * 1000)]
        return (await self.scripts.run(_REBUILD, key_prefix(route), arguments))[0] == 1

    async def give_up_rebuild(self, route: str, epoch: str) -> None:
        """
        Give the lock back, so that anybody may begin again at once.

        Where Redis is away the lock stands until it runs out; our next attempt may take it over.
        """
        self._left_locks[route] = epoch
        with suppress(RedisUnavailable, TimeoutError):
            async with asyncio.timeout(_GIVE_UP_WITHIN_S):
                await self.scripts.run(_REBUILD, key_prefix(route), ["give_up", epoch])
            self._left_locks.pop(route, None)

    async def memory_id(self, route: str) -> str:
        """Return which memory of Redis holds the route; a rebuild writes it into its epoch."""
        return await self.scripts.memory_id(key_prefix(route))

    async def evictions(self, route: str) -> int:
        """Return how many keys the Redis of the route has thrown away; there must be none."""
        return await self.scripts.evicted_keys(key_prefix(route))

    @property
    def connection(self) -> object:
        """What claims go over; see `RedisScripts.connection`."""
        return self.scripts.connection

    async def connected(self) -> object:
        """
        Open what claims go over, and return it.

        Raises:
            RedisUnavailable: There is no connection.
        """
        return await self.scripts.connected()

    async def remembers(self, route: str) -> bool:
        """
        Whether the route's lanes were built in the memory that answers now.

        A Redis restored from an older dump, or a replica promoted while it lagged, has an epoch and lacks
        what was pushed since; its run id gives it away.
        """
        epoch = (await self.scripts.hash(f"{key_prefix(route)}:epoch")).get(b"id", b"")
        return epoch.partition(b".")[0] == (await self.memory_id(route)).encode()

    async def finish_rebuild(self, route: str, epoch: str) -> bool:
        """Open the lanes, one horizon after the rebuild began; False when the lock was lost: begin again."""
        arguments: list[Argument] = ["finish", epoch, HORIZON_US, self._now()]
        return (await self.scripts.run(_REBUILD, key_prefix(route), arguments))[0] == 1

    async def _push_chunk(
        self, entries: Sequence[LaneEntry], rebuild_epoch: str | None, lock_ms: int
    ) -> bool:
        arguments: list[Argument] = [rebuild_epoch or "", lock_ms, self._now()]
        for flow, (first, items) in by_flow(entries).items():
            arguments += (flow, *in_force(first), b"".join(items))
        return await self._put(_PUSH, entries[0].route, arguments)

    async def _put(self, script: Script, route: str, arguments: Sequence[Argument]) -> bool:
        """Put into the lanes what Postgres has as well; False where they are lost, and will be rebuilt."""
        try:
            return (await self.scripts.run(script, key_prefix(route), arguments))[0] == 1
        except ScriptFailed:
            await self._let_rebuild(route)
            return False

    async def _let_rebuild(self, route: str) -> None:
        """Have the next claim rebuild lanes in which somebody else wrote."""
        now = time.monotonic()
        if now - self._forgot_at.get(route, float("-inf")) > _FORGET_EVERY_S:
            self._forgot_at[route] = now
            await self.scripts.run(_FORGET, key_prefix(route))

    def _now(self) -> Argument:
        return "" if self.clock_us is None else self.clock_us()


def _unpacked(
    route: str, entries: Iterable[int | bytes], *, now_us: int, now: float
) -> tuple[list[ClaimedMessage], list[UUID]]:
    """Read each claim by itself: one that cannot be read must not cost the others their turn."""
    messages: list[ClaimedMessage] = []
    unreadable: list[UUID] = []
    for entry in entries:
        if isinstance(entry, bytes):
            try:
                messages.append(unpack_claimed(route, entry, now_us=now_us, now=now))
            except (ValueError, struct.error):  # UnicodeDecodeError is a ValueError
                unreadable.append(
                    UUID(bytes=entry[FLOW_BYTES : FLOW_BYTES + _ID_BYTES].ljust(_ID_BYTES, b"\0"))
                )
    return messages, unreadable


def _seen(token: "asyncio.Task[bool]") -> None:
    """Look at the error of a call that nobody waits for any more; whoever waits gets it all the same."""
    if not token.cancelled():
        token.exception()


def key_prefix(route: str) -> str:
    """Return the key prefix of a route; a name with braces or wildcards would leave its slot or its route."""
    if not _ROUTE_NAME.fullmatch(route):
        raise ValueError(f"{route!r} is not a route name: letters, digits, dots, dashes and underscores")
    return f"{{r:{route}}}"


def lane_key(lane: bytes) -> LaneKey:
    """Return the lane behind its name in Redis, which a flow begins with, too."""
    return LaneKey(UUID(bytes=lane[1:17]), lane[17:19].decode("ascii"), Priority(int(lane[:1])))


def _milliseconds(microseconds: int | bytes) -> int | None:
    """Round up: a claim that comes a fraction too early brings nothing."""
    number = int(microseconds)
    return None if number < 0 else -(-number // 1000)
