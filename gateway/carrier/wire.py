"""
Connections to one HTTP endpoint, kept open: a request leaves in one write, its answer is read by httptools.

A general client spends more on a call than signing, writing and reading it together (docs/adr/0011). Here is
what SendTextMessage needs and no more: HTTP/1.1, one request at a time on a connection, never a second try.
Whoever calls must know whether the request can have left: `NeverConnected` says that it certainly has not,
any other error that it may have.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Mapping
from typing import cast

import httptools
from msgspec import Struct

_KEEP_ALIVE_S = 12.0
"""As long as aiobotocore keeps an idle connection."""
_LONGEST_ANSWER = 1 << 20
"""SendTextMessage answers in a few hundred bytes."""
_FIRST_FINAL = 200
"""Lower statuses only announce an answer."""


class NeverConnected(Exception):
    """No connection came about, so nothing was sent; the text says why."""


class TooLate(Exception):
    """It was not written, because that could not be done in time; nothing is wrong with the endpoint."""


class BrokenAnswer(Exception):
    """The connection ended, or what came over it is no answer; the request may have been taken."""


class NoAnswer(Exception):
    """Nothing, or not all of an answer, came in time; the request may have been taken."""


class WireAnswer(Struct, frozen=True):
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Exchange(asyncio.Protocol):
    """One connection: the request under way on it, and what has come of its answer."""

    def __init__(self) -> None:
        self.open = False
        self.idle_since = 0.0
        self._answer: asyncio.Future[WireAnswer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        self.open = True

    def ask(self, request: bytes) -> "asyncio.Future[WireAnswer]":
        """Write a request; the future has its answer, or what went wrong."""
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def drop(self) -> None:
        """End the connection at once."""
        self.open = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.drop()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(BrokenAnswer(type(error).__name__))

    def eof_received(self) -> None:
        self.open = False
        if self._answer is not None and self._ends_with_connection():
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._fail(BrokenAnswer("disconnected" if exc is None else type(exc).__name__))

    def on_message_begin(self) -> None:
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > _LONGEST_ANSWER:
            self._fail(BrokenAnswer("the answer is too long"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < _FIRST_FINAL:
            return
        if not self._parser.should_keep_alive():
            self.open = False
        self._finish()

    def _ends_with_connection(self) -> bool:
        """Whether an answer of no announced length is whole because its connection ended (HTTP/1.0)."""
        announced = {"content-length", "transfer-encoding"} & set(self._headers)
        return bool(self._headers) and not announced and self._parser.get_status_code() >= _FIRST_FINAL

    def _finish(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            answer.set_result(WireAnswer(self._parser.get_status_code(), self._headers, body))

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        if self.open:
            self.drop()
        if answer is not None and not answer.done():
            answer.set_exception(error)


class Wire:
    """
    The connections to one endpoint; as many as there are calls at a time.

    Args:
        tls: None for plain HTTP.
        connect_s: Of name, connection and handshake together.
        read_s: From the request to the end of its answer.
    """

    def __init__(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, connect_s: float, read_s: float
    ) -> None:
        self.origin = ("http" if tls is None else "https", host, port)
        """Where the connections lead."""
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_s = connect_s
        self._read_s = read_s
        self._idle: list[_Exchange] = []

    async def exchange(self, request: bytes, *, leaves_by: float = math.inf) -> WireAnswer:
        """
        Send one request, head and body, and return its answer.

        Args:
            leaves_by: On the monotonic clock; it is not written later than that.

        Raises:
            NeverConnected, TooLate: Nothing was sent.
            BrokenAnswer, NoAnswer: It may have been taken.
        """
        connection = self._kept() or await self._connected()
        if time.monotonic() > leaves_by:
            self._keep(connection)
            raise TooLate
        answer = connection.ask(request)
        late = asyncio.get_running_loop().call_later(self._read_s, _give_up, answer)
        try:
            result = await answer
        except BaseException:
            connection.drop()  # also on a cancel: what comes of the answer belongs to nobody
            raise
        finally:
            late.cancel()
        if connection.open:
            self._keep(connection)
        else:
            connection.drop()
        return result

    def close(self) -> None:
        """Close what is kept open."""
        while self._idle:
            self._idle.pop().drop()

    def _keep(self, connection: _Exchange) -> None:
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def _kept(self) -> _Exchange | None:
        """Return the connection used last; those that lie idle for long are let go, the oldest first."""
        oldest = time.monotonic() - _KEEP_ALIVE_S
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.pop(0).drop()
        while self._idle:
            if (connection := self._idle.pop()).open:
                return connection
        return None

    async def _connected(self) -> _Exchange:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await loop.create_connection(
                    _Exchange, self._host, self._port, ssl=self._tls, server_hostname=name
                )
        except (OSError, ssl.SSLError, ssl.CertificateError) as error:  # TimeoutError is an OSError
            raise NeverConnected(str(error) or type(error).__name__) from error
        return connection


def _give_up(answer: "asyncio.Future[WireAnswer]") -> None:
    if not answer.done():
        answer.set_exception(NoAnswer("no answer in time"))
