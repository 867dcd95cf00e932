"""One request, one answer, on kept connections: whatever happens, it is known whether it can have left."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from gateway.carrier.aws_errors import classify
from gateway.carrier.lean import open_wire
from gateway.carrier.ports import NotSent, Unknown
from gateway.carrier.wire import BrokenAnswer, NeverConnected, NoAnswer, TooLate, Wire
from gateway.emulator.sns.signing import new_signing_key

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amzn-RequestId: 7\r\n\r\nok"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


class Peer:
    """A server that counts its connections and answers as it is told."""

    def __init__(self, speak: Speak) -> None:
        self.connections = 0
        self.requests = 0
        self._speak = speak
        self._open: set[asyncio.StreamWriter] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear and answer until the connection ends."""
        self.connections += 1
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                await reader.readexactly(len(REQUEST))
                self.requests += 1
                await self._speak(reader, writer)
        writer.close()

    async def hang_up(self) -> None:
        """End every connection."""
        for writer in self._open:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def says(*parts: bytes, then_closes: bool = False) -> Speak:
    """Return an answer in so many writes."""

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then_closes:
            writer.close()

    return speak


@contextlib.asynccontextmanager
async def wired(speak: Speak, *, read_s: float = 5.0) -> AsyncIterator[tuple[Wire, Peer]]:
    """Run a peer and a wire to it."""
    peer = Peer(speak)
    server = await asyncio.start_server(peer.take, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    wire = Wire(host, port, tls=None, connect_s=2.0, read_s=read_s)
    try:
        yield wire, peer
    finally:
        wire.close()
        await peer.hang_up()
        server.close()


ANSWERS = {
    "whole": (says(ANSWER), b"ok"),
    "in pieces": (says(ANSWER[:9], ANSWER[9:30], ANSWER[30:]), b"ok"),
    "announced first": (says(b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER), b"ok"),
    "announced with it": (says(b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER), b"ok"),
    "chunked": (
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"),
        b"ok",
    ),
    "last": (says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), b"ok"),
    "until the end": (says(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nok", then_closes=True), b"ok"),
    "empty": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), b""),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_read_however_it_comes(name: str) -> None:
    """AWS announces a length; what stands between may not."""
    speak, body = ANSWERS[name]
    async with wired(speak) as (wire, _):
        answer = await wire.exchange(REQUEST)
        assert (answer.status, answer.body) == (200, body)
        assert (await wire.exchange(REQUEST)).body == body


async def test_a_connection_is_used_again_and_headers_are_those_of_the_answer() -> None:
    """A handshake per text would cost more than the text."""
    async with wired(says(ANSWER)) as (wire, peer):
        for _ in range(3):
            answer = await wire.exchange(REQUEST)
        assert peer.connections == 1
        assert answer.headers == {"content-length": "2", "x-amzn-requestid": "7"}


async def test_calls_at_a_time_have_connections_of_their_own() -> None:
    """Nothing waits behind a slow answer."""
    async with wired(says(ANSWER)) as (wire, peer):
        await asyncio.gather(*(wire.exchange(REQUEST) for _ in range(4)))
        assert (peer.connections, peer.requests) == (4, 4)


async def test_what_could_not_leave_in_time_is_not_written_and_harms_nothing() -> None:
    """What allowed a text to leave may be over; the connection that took so long is as good as any."""
    async with wired(says(ANSWER)) as (wire, peer):
        with pytest.raises(TooLate):
            await wire.exchange(REQUEST, leaves_by=time.monotonic() - 0.001)
        assert (await wire.exchange(REQUEST, leaves_by=time.monotonic() + 60)).body == b"ok"
        assert (peer.connections, peer.requests) == (1, 1)


async def test_a_connection_that_was_closed_while_idle_is_not_used() -> None:
    """AWS closes idle ones; a request on such a one would be an unknown outcome."""
    async with wired(says(ANSWER)) as (wire, peer):
        await wire.exchange(REQUEST)
        await peer.hang_up()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (await wire.exchange(REQUEST)).body == b"ok"
        assert peer.connections == 2


BROKEN = {
    "hangs up": says(then_closes=True),
    "breaks off": says(ANSWER[:-1], then_closes=True),
    "breaks off in the head": says(b"HTTP/1.1 200 OK\r\nContent-", then_closes=True),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "too long": says(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", b"x" * 2_000_000),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_answer_leaves_the_outcome_unknown(name: str) -> None:
    """The request left, so it is never taken for a text that was not sent; and it is never sent again."""
    async with wired(BROKEN[name]) as (wire, peer):
        with pytest.raises(BrokenAnswer) as caught:
            await wire.exchange(REQUEST)
        assert isinstance(classify(caught.value), Unknown)
        assert peer.requests == 1


async def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown() -> None:
    """Its connection is not used again: the answer may still come, and would be taken for another's."""
    released = asyncio.Event()

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.write(ANSWER)

    async with wired(speak, read_s=0.05) as (wire, peer):
        with pytest.raises(NoAnswer) as caught:
            await wire.exchange(REQUEST)
        assert isinstance(classify(caught.value), Unknown)
        released.set()
        await wire.exchange(REQUEST)
        assert peer.connections == 2


async def test_a_call_that_is_cut_off_takes_its_connection_with_it() -> None:
    """Whoever comes next must not read its answer."""
    heard, released = asyncio.Event(), asyncio.Event()

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await released.wait()
        writer.write(ANSWER)

    async with wired(speak) as (wire, peer):
        call = asyncio.create_task(wire.exchange(REQUEST))
        await heard.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        released.set()
        await wire.exchange(REQUEST)
        assert peer.connections == 2


async def test_nobody_at_the_port_means_not_sent() -> None:
    """It goes back to its lane at once."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    server.close()
    await server.wait_closed()
    with pytest.raises(NeverConnected) as caught:
        await Wire(host, port, tls=None, connect_s=2.0, read_s=1.0).exchange(REQUEST)
    outcome = classify(caught.value)
    assert isinstance(outcome, NotSent)
    assert outcome.reason == "connect_failed"


@pytest.mark.parametrize("trusted", [False, True], ids=["unknown", "of another name"])
async def test_a_certificate_that_is_not_the_endpoints_means_not_sent(
    tmp_path: Any, *, trusted: bool
) -> None:
    """Neither one that nobody vouches for, nor a good one of another name."""
    key = new_signing_key(2048)
    (tmp_path / "key.pem").write_text(key.private_pem)
    (tmp_path / "certificate.pem").write_text(key.certificate_pem)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    peer = Peer(says(ANSWER))
    server = await asyncio.start_server(peer.take, "127.0.0.1", 0, ssl=theirs)
    bundle = str(tmp_path / "certificate.pem") if trusted else None
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    async with server:
        with (
            open_wire(url, ca_bundle=bundle) as wire,
            pytest.raises(NeverConnected, match=r"(?i)certificate"),
        ):
            await wire.exchange(REQUEST)
    assert peer.requests == 0
