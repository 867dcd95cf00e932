"""The generator is the ruler: it must count every answer and keep its pace."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from gateway.bench.answering import listen
from gateway.bench.http_wire import request_bytes
from gateway.bench.load import Job, Load
from gateway.bench.peer import Peer

_REQUEST = request_bytes("POST", "/hook", {}, b"{}")


@asynccontextmanager
async def _peer() -> AsyncIterator[tuple[Peer, int]]:
    peer = Peer("/certificate", b"pem")
    server = await listen(peer.answer, 0)
    try:
        yield peer, server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _job(port: int, *, seconds: float, per_second: float | None = None, connections: int = 4) -> Job:
    return Job(
        requests="",
        targets=[("127.0.0.1", port)],
        connections=connections,
        seconds=seconds,
        warm_up_s=0.0,
        per_second=per_second,
    )


async def _run(job: Job, requests: int) -> tuple[int, dict[int, int]]:
    load = Load(job, [_REQUEST] * requests)
    await load.connect()
    async with asyncio.timeout(60):
        outcome = await load.run()
    return outcome.completed, outcome.statuses


async def test_load_ends_when_its_requests_are_used_up_and_every_answer_is_counted() -> None:
    """A backlog of a known size is made this way."""
    async with _peer() as (peer, port):
        assert await _run(_job(port, seconds=30.0), 100) == (100, {200: 100})
        assert peer.counts["/hook"] == 100


async def test_fewer_requests_than_connections_still_end() -> None:
    """Idle connections must not be waited for."""
    async with _peer() as (_, port):
        assert await _run(_job(port, seconds=30.0), 1) == (1, {200: 1})


async def test_paced_load_sends_no_more_than_its_pace() -> None:
    """A late start is made up for, never overshot."""
    async with _peer() as (_, port):
        completed, _ = await _run(_job(port, seconds=0.3, per_second=100.0), 1_000)
        assert 1 <= completed <= 31


async def test_lost_connection_ends_the_run_and_is_counted() -> None:
    """A server that died must not look like a slow one."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    try:
        _, statuses = await _run(_job(server.sockets[0].getsockname()[1], seconds=30.0), 10)
        assert statuses[0] == 1
    finally:
        server.close()


@pytest.mark.parametrize(
    ("path", "body"), [("/", b'{"MessageId":"'), ("/certificate", b"pem"), ("/counts", b"{"), ("/hook", b"")]
)
async def test_peer_answers_each_of_its_roles(path: str, body: bytes) -> None:
    """One process stands for AWS, for a tenant and for the certificate's host."""
    peer = Peer("/certificate", b"pem")
    answer = peer.answer(f"POST {path} HTTP/1.1".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body in answer


def test_peer_names_every_message_anew() -> None:
    """A receipt is found by AWS's id where our own is missing."""
    peer = Peer("", b"")
    assert peer.answer(b"POST / HTTP/1.1") != peer.answer(b"POST / HTTP/1.1")
    assert peer.counts["sends"] == 2


def test_peer_tells_once_when_a_message_first_came() -> None:
    """Delays are taken from it; a resend must not make a message look late."""
    peer = Peer("", b"")
    body = b'{"Context": {"tg_m": "msg_01M7Y1KXFFE3STY7ZW00000001", "tg_a": "1"}}'
    for _ in range(2):
        peer.answer(b"POST / HTTP/1.1", body)
    assert peer.answer(b"GET /came HTTP/1.1").count(b"msg_01M7Y1KXFFE3STY7ZW00000001") == 1
    assert peer.answer(b"GET /came HTTP/1.1").endswith(b"[]")


def test_the_peer_remembers_whom_it_was_told_of_and_says_it_once() -> None:
    """The delay of a webhook is between this and the receipt."""
    peer = Peer("/certificate", b"pem")
    body = b'{"type":"message.delivered","data":{"id":"msg_01M7YNT2FZE9XS47A8FKHHRMWN","to":"x"}}'
    assert peer.answer(b"POST /told/3 HTTP/1.1", body).startswith(b"HTTP/1.1 200")
    asked = peer.answer(b"GET /told HTTP/1.1")
    [[path, message_id, at_ms]] = msgspec.json.decode(asked.partition(b"\r\n\r\n")[2])
    assert (path, message_id) == ("/told/3", "msg_01M7YNT2FZE9XS47A8FKHHRMWN")
    assert abs(at_ms / 1000 - time.time()) < 5
    assert peer.answer(b"GET /told HTTP/1.1").endswith(b"[]")


def test_the_peer_can_be_silent() -> None:
    """A receiver that never answers holds a sender until its deadline."""
    assert Peer("/certificate", b"pem").answer(b"POST /silent HTTP/1.1", b"{}") == b""
