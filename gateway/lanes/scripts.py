"""
Lua scripts on Redis: read from the package, run by their digest, sent together.

Calls made in one turn of the event loop travel together, on one Redis over one connection (`RedisLine`), a
few at a time, on a cluster as one pipeline. Every call still gets its own answer or its own error. This is
also the only module that calls redis-py's clients, whose return types are unions of everything; they are
narrowed here and nowhere else.
"""

import asyncio
import hashlib
import re
import struct
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from msgspec import DecodeError, Struct
from redis import exceptions
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo

from gateway.lanes.errors import RedisUnavailable, ScriptFailed
from gateway.lanes.redis_line import GLANCE_S, RedisLine
from gateway.lanes.slot_map import SlotMap

_log = structlog.get_logger(__name__)

Argument: TypeAlias = str | bytes | int | float
RedisClient: TypeAlias = "Redis | RedisCluster"
_MAX_PIPELINE = 500
_WORTH_A_WRITE = 16
"""Calls that do not wait for the end of the turn: Redis answers them while others are being prepared."""
_SCAN_COUNT = 1000
_CANNOT_SERVE = re.compile(
    r"(?:^|[\s:-])(?:OOM|READONLY|MISCONF|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNBLOCKED|MOVED|ASK|CROSSSLOT)\b"
)
"""Answers that describe the server's state, not the script; Redis 6.2 puts its own words in front of them."""
_SERVES_NOT = (exceptions.ReadOnlyError, exceptions.OutOfMemoryError)
"""The same, answered to a plain command: redis-py makes a class of the word and takes it out of the text."""
_FAULTS = (
    exceptions.RedisError,
    exceptions.RedisClusterException,
    OSError,
    RuntimeError,
    AttributeError,
    LookupError,
)
"""
What redis-py raises where it does not reach Redis. On a cluster that is more than its own errors: one call's
lost connection closes those that wait for work, and who has just taken one finds it without its socket.
"""
_LOST = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterError)
_UNREADABLE = (ValueError, TypeError, LookupError, struct.error, DecodeError)
"""What comes of reading an answer in which somebody else wrote."""
_NO_ANSWER = (exceptions.TimeoutError, TimeoutError)
_LOST_UNNOTICED = "the handler is closed"
"""In uvloop's RuntimeError for a write after the connection was lost, which redis-py's streams do not see."""
_CONNECT_WITHIN_S = 2.0
_ANSWER_WITHIN_S = 5.0
_TELL_EVERY_S = 10.0
"""What Redis refuses of one key it refuses with every send."""
_MOST_TOLD = 1000


class _Pipeline(Protocol):
    def execute_command(self, *args: Argument) -> object: ...

    async def execute(self, *, raise_on_error: bool) -> list[object]: ...


class _Client(Protocol):
    """What we use of redis-py's clients, as it behaves without decoding."""

    def pipeline(self, *, transaction: bool) -> _Pipeline: ...

    async def hgetall(self, name: str) -> Mapping[bytes, bytes]: ...

    async def info(self, section: str, *, target_nodes: object = ...) -> Mapping[str, Any]: ...

    async def blpop(self, keys: list[str], timeout: float) -> list[bytes] | None: ...

    def scan_iter(self, *, match: str, count: int) -> AsyncIterator[bytes]: ...

    async def unlink(self, *names: bytes) -> int: ...

    async def aclose(self) -> None: ...


class Script(Struct, frozen=True):
    """A script and the digest Redis knows it by."""

    text: str
    digest: str
    name: str = "a script"
    """The file that its work is in."""


def connect(url: str) -> RedisClient:
    """
    Return a client that tells at once when Redis is away.

    A cluster is named by the scheme, `redis+cluster://` or `rediss+cluster://`, or by `?cluster=true`; any
    one of its nodes will do. redis-py's own retries take seconds that a send does not have, and run a script
    twice whose answer was lost; a slot that moved is another matter, and is followed.
    """
    plain, is_cluster = plain_url(url)
    make = cast(
        "Callable[..., RedisClient]", RedisCluster.from_url if is_cluster else Redis.from_url
    )  # their keywords are not annotated
    # Left alone, redis-py reads its own version from disk for every connection that it opens.
    options = {"require_full_coverage": False} if is_cluster else {"driver_info": DriverInfo()}
    return make(
        plain,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_CONNECT_WITHIN_S,
        socket_timeout=_ANSWER_WITHIN_S,
        **options,
    )


def plain_url(url: str) -> tuple[str, bool]:
    """Return the URL as redis-py reads it, and whether it names a cluster."""
    parts = urlsplit(url)
    scheme, plus, kind = parts.scheme.partition("+")
    query = parse_qsl(parts.query)
    asked = ("cluster", "true") in [(name, value.lower()) for name, value in query]
    if not asked and plus + kind != "+cluster":
        return url, False
    rest = urlencode([(name, value) for name, value in query if name != "cluster"])
    return urlunsplit(parts._replace(scheme=scheme, query=rest)), True


def read_script(package: str, *names: str) -> Script:
    """Return the files of `package` as one script, in the order given."""
    text = "\n".join(files(package).joinpath(name).read_text(encoding="utf-8") for name in names)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), names[-1])


class _Call(Struct):
    script: Script
    key: str
    arguments: Sequence[Argument]
    answer: asyncio.Future[object]


class RedisScripts:
    """
    Runs scripts on one Redis or one cluster; a process needs one of these, used from one event loop.

    The client must not decode answers: ids travel as raw bytes. `connect` makes one that suits.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = cast("_Client", client)
        self._cluster = client
        self._line: RedisLine | None = None
        self._slots: SlotMap | None = None
        if isinstance(client, RedisCluster):
            self._slots = SlotMap(client)
        else:
            self._line = RedisLine(client, answer_within_s=_ANSWER_WITHIN_S)
        self._faults = 0
        self._silent: set[str] = set()
        """Keys in a cluster whose node did not answer when it was asked last."""
        self._probed: set[str] = set()
        """Those that a call asks for again."""
        self._waiting: list[_Call] = []
        self._sending: set[asyncio.Future[Any]] = set()
        self._told_at: dict[tuple[str, str], float] = {}
        """What Redis refuses, by what was asked and the key, and when that was last told."""
        self._closed = False

    async def aclose(self) -> None:
        """Give up what is under way, lest it open a connection that nobody closes, then close the client."""
        self._closed = True
        sending = list(self._sending)
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        if self._line is not None:
            await self._line.aclose()
        await self._client.aclose()
        if self._slots is not None:
            await self._slots.aclose()

    @property
    def connection(self) -> object:
        """
        What is equal for as long as scripts go to one Redis without a break; None while nothing is open.

        Whoever trusts what he once read there must read it again when this has changed.
        """
        return self._faults if self._line is None else self._line.open_wire

    async def connected(self) -> object:
        """Open the connection that scripts are to go over if it is not, and return `connection`."""
        if self._line is not None:
            with self._telling_faults():
                await self._line.opened()
        return self.connection

    async def run(
        self, script: Script, key: str, arguments: Sequence[Argument] = (), *, at_once: bool = False
    ) -> list[int | bytes]:
        """
        Run `script` with the one key or key prefix it declares, and return its flat answer.

        Args:
            at_once: Whether it leaves now, with what waits, instead of at the end of this turn of the loop.

        Raises:
            RedisUnavailable: No answer, or none that can be given now; the script may or may not have run.
            ScriptFailed: Redis refused it, perhaps in its midst.
        """
        if self._closed:
            raise RedisUnavailable("the connections to Redis are closed")
        if key in self._silent:
            return await self._asked_alone(script, key, arguments)
        try:
            return await self._asked(script, key, arguments, at_once=at_once)
        except RedisUnavailable as error:
            if self._slots is not None and isinstance(error.__cause__, _NO_ANSWER):
                self._silent.add(key)
            raise

    async def _asked_alone(
        self, script: Script, key: str, arguments: Sequence[Argument]
    ) -> list[int | bytes]:
        """
        Ask a node that did not answer, and do not wait for it; fail at once while another call asks it.

        Else each call would take as long as the first, and with it whoever shares its pipeline.
        """
        if key in self._probed:
            raise RedisUnavailable("the node of the key does not answer; it is being asked again")
        call = _Call(script, key, arguments, asyncio.get_running_loop().create_future())
        self._probed.add(key)
        call.answer.add_done_callback(partial(self._has_answered, key))
        self._send([call], by_digest=True)
        if not (await asyncio.wait({call.answer}, timeout=GLANCE_S))[0]:
            raise RedisUnavailable("the node of the key does not answer")
        return cast("list[int | bytes]", call.answer.result())

    def _has_answered(self, key: str, answer: "asyncio.Future[object]") -> None:
        self._probed.discard(key)
        if answer.cancelled():
            return
        error = answer.exception()
        if isinstance(error, ScriptFailed) or not isinstance(error, RedisUnavailable):
            self._silent.discard(key)

    async def _asked(
        self, script: Script, key: str, arguments: Sequence[Argument], *, at_once: bool
    ) -> list[int | bytes]:
        loop = asyncio.get_running_loop()
        call = _Call(script, key, arguments, loop.create_future())
        if not self._waiting and not at_once:
            loop.call_soon(self._send_waiting)
        self._waiting.append(call)
        if at_once or (self._line is not None and len(self._waiting) >= _WORTH_A_WRITE):
            self._send_waiting()
        return cast("list[int | bytes]", await call.answer)

    async def hash(self, key: str) -> Mapping[bytes, bytes]:
        """Return all fields of a hash."""
        with self._telling_faults("HGETALL", key):
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._client.hgetall(key)

    @contextmanager
    def reading(self, key: str) -> Generator[None]:
        """Name what cannot be read of an answer as what scripts that cannot read a key are answered."""
        try:
            yield
        except _UNREADABLE as error:
            failure = ScriptFailed(f"{type(error).__name__}: {error} (what stands at {key})")
            self._tell_refused(failure, "a look", key)
            raise failure from error

    async def memory_id(self, key: str) -> str:
        """
        Return which memory holds a key: the run id of its Redis, in a cluster that of its node.

        It is another one after each restart and on each replica, so whoever remembers it can tell that what
        Redis holds may be older than what was written. Other nodes of a cluster are not asked: what happened
        to them says nothing of this key, and one that is away must not stop those that are not.
        """
        return str(await self._told_by_node(key, "server", "run_id"))

    async def evicted_keys(self, key: str) -> int:
        """Return how many keys the Redis or the node of a key has thrown away for want of memory."""
        return int(await self._told_by_node(key, "stats", "evicted_keys"))

    async def versions(self) -> list[str]:
        """
        Return which version the Redis, or each node of a cluster that answers, calls itself.

        Left alone, redis-py asks one node of a cluster.
        """
        with self._telling_faults():
            if not isinstance(self._cluster, RedisCluster):
                return [str((await self._client.info("server"))["redis_version"])]
            await self._cluster.initialize()
            asked = [self._client.info("server", target_nodes=node) for node in self._cluster.get_nodes()]
            told = await asyncio.gather(*asked, return_exceptions=True)
            versions = [str(each["redis_version"]) for each in told if not isinstance(each, BaseException)]
            for each in told:
                if isinstance(each, BaseException) and not (versions and isinstance(each, _FAULTS)):
                    raise each
            return versions

    async def _told_by_node(self, key: str, section: str, name: str) -> Any:
        with self._telling_faults():
            if not isinstance(self._cluster, RedisCluster):
                return (await self._client.info(section))[name]
            await self._cluster.initialize()
            node = self._cluster.get_node_from_key(key)
            return (await self._client.info(section, target_nodes=node))[name]

    async def take_token(self, key: str, *, timeout_s: float) -> bool:
        """Wait until somebody puts a token into the list and take it; False after `timeout_s`."""
        with self._telling_faults("BLPOP", key):
            try:
                return await self._client.blpop([key], timeout=timeout_s) is not None
            except exceptions.TimeoutError:
                return False  # the socket's own timeout is the shorter one

    async def delete_prefixed(self, prefix: str) -> None:
        """Delete every key that begins with `prefix`."""
        with self._telling_faults():
            found = [name async for name in self._client.scan_iter(match=f"{prefix}*", count=_SCAN_COUNT)]
            for start in range(0, len(found), _SCAN_COUNT):
                await self._client.unlink(*found[start : start + _SCAN_COUNT])

    async def names(self, prefix: str) -> list[bytes]:
        """Return every key that begins with `prefix`, on each node of a cluster."""
        with self._telling_faults():
            return [name async for name in self._client.scan_iter(match=f"{prefix}*", count=_SCAN_COUNT)]

    def _send_waiting(self) -> None:
        calls, self._waiting = self._waiting, []
        for start in range(0, len(calls), _MAX_PIPELINE):
            self._send(calls[start : start + _MAX_PIPELINE], by_digest=True)

    def _send(self, calls: Sequence[_Call], *, by_digest: bool) -> None:
        """Send the calls together; over a line that is open this takes no task."""
        commands = _commands(calls, by_digest=by_digest)
        sending = self._asked_at_once(commands)
        if sending is None:
            sending = asyncio.get_running_loop().create_task(self._pipeline(commands))
        self._sending.add(sending)
        sending.add_done_callback(partial(self._sent, calls, by_digest))

    def _asked_at_once(self, commands: Sequence[Sequence[Argument]]) -> "asyncio.Future[list[object]] | None":
        if self._line is None:
            return None
        try:
            return self._line.ask_at_once(commands)
        except Exception as error:  # noqa: BLE001 - raised here, it would be told to nobody who waits
            failed: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    def _sent(
        self,
        calls: Sequence[_Call],
        by_digest: bool,
        sending: "asyncio.Future[list[object]]",
    ) -> None:
        """Deliver the answers; a script that the server has forgotten is sent whole, and so taught to it."""
        self._sending.discard(sending)
        if sending.cancelled():
            for call in calls:
                call.answer.cancel()
            return
        error = sending.exception()
        forgotten: list[_Call] = []
        for call, answer in zip(calls, [error] * len(calls) if error else sending.result(), strict=True):
            if by_digest and isinstance(answer, exceptions.NoScriptError):
                forgotten.append(call)
            else:
                _deliver(call.answer, self._named(call, answer))
        if forgotten:
            self._send(forgotten, by_digest=False)

    async def _pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[object]:
        if self._line is not None:
            return await self._line.ask(commands)
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            async with asyncio.timeout(
                _ANSWER_WITHIN_S
            ):  # redis-py may ask several nodes for the slots first
                answers = await pipeline.execute(raise_on_error=False)
        except _FAULTS:
            self._fault()
            raise
        if any(isinstance(answer, _LOST) for answer in answers):
            self._fault()
        return answers

    def _fault(self) -> None:
        """Take note that Redis was not reached, or another one than before."""
        self._faults += 1
        if self._slots is not None and not self._closed:
            self._slots.look_again()

    def _named(self, call: _Call, answer: object) -> object:
        """Return Redis's failures under our names; answers, and faults of ours, as they are."""
        if not isinstance(answer, _FAULTS):
            return answer
        failure = _translated(answer, call.script.name, call.key)
        failure.__cause__ = answer
        self._tell_refused(failure, call.script.name, call.key)
        return failure

    def _tell_refused(self, failure: RedisUnavailable, asked: str, key: str) -> None:
        """Tell the operator, the only one who can help, what stands in the way, once in a while."""
        now = time.monotonic()
        if (
            not isinstance(failure, ScriptFailed)
            or now < self._told_at.get((asked, key), float("-inf")) + _TELL_EVERY_S
        ):
            return
        if len(self._told_at) >= _MOST_TOLD:
            self._told_at.clear()
        self._told_at[asked, key] = now
        _log.error(
            "redis_refused",
            asked=asked,
            key=key,
            error=str(failure),
            way_out="`tollgate rebuild-redis` takes away what others wrote under Tollgate's keys",
        )

    @contextmanager
    def _telling_faults(self, asked: str = "a command", key: str = "no key") -> Generator[None]:
        """
        Name what goes wrong in the block, and let no cancel be lost in it.

        redis-py writes under `asyncio.wait_for`. Up to Python 3.11 that keeps a cancel to itself which comes
        just as the write has ended: a dispatcher that was told to stop went on for ever.
        """
        task = asyncio.current_task()
        heard = 0 if task is None else task.cancelling()
        try:
            yield
        except _FAULTS as error:
            self._fault()
            _hear(task, heard)
            failure = _translated(error, asked, key)
            self._tell_refused(failure, asked, key)
            raise failure from error
        _hear(task, heard)


def _commands(calls: Sequence[_Call], *, by_digest: bool) -> list[Sequence[Argument]]:
    if by_digest:
        return [("EVALSHA", call.script.digest, 1, call.key, *call.arguments) for call in calls]
    return [("EVAL", call.script.text, 1, call.key, *call.arguments) for call in calls]


def _deliver(answer: asyncio.Future[object], value: object) -> None:
    if answer.done():
        return
    if isinstance(value, BaseException):
        answer.set_exception(value)
    else:
        answer.set_result(value)


def _hear(task: "asyncio.Task[Any] | None", heard: int) -> None:
    """Raise what the task was told since; `heard` is how many cancels it knew of."""
    if task is not None and task.cancelling() > heard:
        raise asyncio.CancelledError


def _translated(error: BaseException, asked: str, key: str) -> RedisUnavailable:
    """Name the failure; a server that cannot serve says so before a script's first write."""
    text = str(error)
    answered = isinstance(error, exceptions.ResponseError | exceptions.DataError) or (
        isinstance(error, RuntimeError) and _LOST_UNNOTICED not in text
    )
    of_the_moment = isinstance(error, (exceptions.ClusterError, *_SERVES_NOT)) or _CANNOT_SERVE.search(text)
    if answered and not of_the_moment:
        return ScriptFailed(f"{text} ({asked} at {key})")
    return RedisUnavailable(text or type(error).__name__)
