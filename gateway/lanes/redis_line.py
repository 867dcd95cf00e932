"""
One connection to Redis for all scripts of a process: what is asked leaves at once, answers come in order.

redis-py connects (URL, TLS, password, database) and hands the socket over; its pool and pipelines cost a
caller several times what writing the commands and reading the answers does (docs/adr/0016). A connection that
ends fails what it owes, and the next call opens another; nothing is asked twice. Blocking commands do not
belong here: everybody would wait behind them.

A Redis that takes connections and says nothing (a process that stands still, a network that swallows) lets
each try to open one last for seconds. So there is one try at a time, which all who ask share; and once it has
failed, nobody waits for the next one longer than a Redis that is well would take.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import hiredis
from redis import exceptions

_NO_SCRIPT: Final = "NOSCRIPT"
GLANCE_S: Final = 0.1
"""How long a call waits for a Redis, or a node of a cluster, that did not answer when it was asked last."""
_packed = cast("Callable[[tuple[Any, ...]], bytes]", hiredis.pack_command)  # its annotation says one argument


class _Owed:
    """What one call still waits for; redis-py's errors stand among the answers."""

    __slots__ = ("answers", "done", "due_at", "missing")

    def __init__(self, missing: int, due_at: float, done: "asyncio.Future[list[object]]") -> None:
        self.missing = missing
        self.due_at = due_at
        self.done = done
        self.answers: list[object] = []


class _Wire(asyncio.Protocol):
    """The socket of a connection that redis-py has opened."""

    def __init__(self, connection: Any, answer_within_s: float) -> None:
        self._connection = connection
        self._transport: asyncio.Transport = connection._writer.transport  # noqa: SLF001 - redis-py hands a socket out nowhere else
        self._before = self._transport.get_protocol()
        self._within_s = answer_within_s
        self._reader = hiredis.Reader(replyError=_reply_error)
        self._owed: deque[_Owed] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self.unanswered = False
        """Whether it ended because Redis did not answer in time."""
        self._transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether it can be asked; a connection lost before it was handed over told only redis-py."""
        return not self._ended and not self._transport.is_closing()

    def ask(self, commands: Sequence[Sequence[Any]]) -> "asyncio.Future[list[object]]":
        """Write commands; the future has an answer for each, or what became of the connection."""
        loop = asyncio.get_running_loop()
        packed = b"".join([_packed(tuple(each)) for each in commands])  # what cannot be packed owes no answer
        owed = _Owed(len(commands), loop.time() + self._within_s, loop.create_future())
        self._owed.append(owed)
        self._transport.write(packed)
        if self._timer is None:
            self._timer = loop.call_at(owed.due_at, self._look_at_the_time)
        return owed.done

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                self._take(answer)
        except (hiredis.ProtocolError, IndexError) as error:
            self._end(exceptions.InvalidResponse(str(error)))

    def _take(self, answer: object) -> None:
        owed = self._owed[0]
        owed.answers.append(answer)
        if len(owed.answers) == owed.missing:
            self._owed.popleft()
            if not owed.done.done():
                owed.done.set_result(owed.answers)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exceptions.ConnectionError(f"Redis closed the connection: {exc or 'it ended'}"))
        self._before.connection_lost(exc)  # redis-py waits for it when it closes

    def eof_received(self) -> bool:
        self._end(exceptions.ConnectionError("Redis closed the connection"))
        return False

    def _look_at_the_time(self) -> None:
        self._timer = None
        if not self._owed:
            return
        loop = asyncio.get_running_loop()
        if self._owed[0].due_at <= loop.time():
            self.unanswered = True
            self._end(exceptions.TimeoutError("Redis did not answer in time"))
        else:
            self._timer = loop.call_at(self._owed[0].due_at, self._look_at_the_time)

    def _end(self, error: Exception) -> None:
        """Fail what is owed: on a stream, nothing after a gap can be told apart."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        owed, self._owed = self._owed, deque()
        for each in owed:
            if not each.done.done():
                each.done.set_exception(error)
        self._transport.abort()


class RedisLine:
    """
    Asks one Redis.

    Args:
        client: redis-py's, which does not decode.
        answer_within_s: How long an answer may take before the connection is given up.
    """

    def __init__(self, client: Any, *, answer_within_s: float) -> None:
        self._client = client
        self._within_s = answer_within_s
        self._wire: _Wire | None = None
        self._connection: Any = None
        self._opening: asyncio.Task[_Wire] | None = None
        self._silent = False
        """Whether the last try to open a connection failed, or the last connection gave no answer."""

    async def aclose(self) -> None:
        """Give up a try that is under way; the connection itself is redis-py's to close."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})

    async def ask(self, commands: Sequence[Sequence[Any]]) -> list[object]:
        """
        Return an answer for each command; what the server refuses is among them as an error.

        Raises:
            redis.RedisError: There is no connection, or it ended; whether the commands ran is not known.
            OSError: Likewise.
        """
        if (asked := self.ask_at_once(commands)) is None:
            asked = (await self.opened()).ask(commands)
        return await asked

    def ask_at_once(self, commands: Sequence[Sequence[Any]]) -> "asyncio.Future[list[object]] | None":
        """Write commands to the connection if it is open, and return what becomes of them; else None."""
        wire = self.open_wire
        return None if wire is None else wire.ask(commands)

    @property
    def open_wire(self) -> _Wire | None:
        """The connection that is asked at present; another one is another object."""
        return self._wire if self._wire is not None and self._wire.open else None

    async def opened(self) -> _Wire:
        """Return the connection, opened if need be; raises as `ask` does."""
        if (wire := self.open_wire) is not None:
            return wire
        if self._opening is None:
            self._silent = self._silent or (self._wire is not None and self._wire.unanswered)
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._tried)
        opening = self._opening
        done, _ = await asyncio.wait({opening}, timeout=GLANCE_S if self._silent else None)
        if not done or opening.cancelled():
            raise exceptions.ConnectionError("Redis does not answer; it is being asked for a connection")
        wire = opening.result()
        if not wire.open:
            raise exceptions.ConnectionError("Redis closed the connection as it was opened")
        return wire

    async def _open(self) -> _Wire:
        try:
            await self._give_back()
            self._connection = await self._client.connection_pool.get_connection()
        except BaseException:
            self._silent = True
            raise
        self._silent = False
        self._wire = _Wire(self._connection, self._within_s)
        return self._wire

    def _tried(self, opening: "asyncio.Task[_Wire]") -> None:
        """Let the next one try; look at the error of a try that nobody waits for any more."""
        self._opening = None
        if not opening.cancelled():
            opening.exception()

    async def _give_back(self) -> None:
        """Let redis-py have the connection that ended: it closes it, and may open it again."""
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._client.connection_pool.release(connection)


def _reply_error(text: str) -> exceptions.ResponseError:
    return exceptions.NoScriptError(text) if text.startswith(_NO_SCRIPT) else exceptions.ResponseError(text)
