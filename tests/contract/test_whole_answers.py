"""An answer that is written in one piece is, on the wire, the one that the server would have written."""

import asyncio
import gc
import json
import re
from typing import Any
from weakref import ref

import pytest

from gateway.api.fakes import message_view
from gateway.api.hot import short_way
from gateway.intake.outcome import Accepted, Declined, RateState
from gateway.intake.request import SendRequest
from tenants.ids import new_uuid
from tests.harness.web import free_listener, serving

BODY = json.dumps({"to": "+12065550123", "body": "hello"}).encode()
RATE = RateState(limit_per_s=10, remaining=3, reset_ms=1500)
VIEW = message_view(new_uuid(), SendRequest(to="+12065550123", body="hello"), test=False)
DATE = re.compile(rb"date: [^\r]+\r\n")


def request(key: str, *more: str, version: str = "1.1") -> bytes:
    """Return a send as a client writes it."""
    lines = [
        f"POST /v1/messages HTTP/{version}",
        "host: x",
        f"authorization: Bearer {key}",
        "x-request-id: same-for-both",
        "content-type: application/json",
        f"content-length: {len(BODY)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + BODY


async def exchange(app: Any, *writes: bytes, answers: int = 1) -> bytes:
    """Write to a server and return what it wrote before it closed, or `answers` answers."""
    listener = free_listener()
    async with serving(app, listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        for each in writes:
            writer.write(each)
            await writer.drain()
        seen = b""
        while seen.count(b"HTTP/1.1 ") < answers or not seen.endswith(b"}"):
            if not (data := await asyncio.wait_for(reader.read(65536), 10)):
                seen += b"<closed>"
                break
            seen += data
        writer.close()
    return DATE.sub(b"", seen)


async def both(world, *writes: bytes, answers: int = 1) -> bytes:
    """Speak to the short way and to the framework's; return what both wrote."""
    hot = await exchange(world.app, *writes, answers=answers)
    assert hot == await exchange(world.framework, *writes, answers=answers)
    return hot


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(message=VIEW),
        Accepted(message=VIEW, rates=(RATE,)),
        Accepted(message=VIEW, replayed=True),
        Declined(code="rate_limited", detail="wait", retry_after_ms=1500, rates=(RATE,)),
    ],
    ids=["plain", "rate", "replayed", "declined"],
)
async def test_the_bytes_are_the_servers(world, customer, outcome) -> None:
    """Status line, headers in their order, body."""
    world.sending.answer = outcome
    seen = await both(world, request(customer.key))
    assert seen.startswith(
        b"HTTP/1.1 202 Accepted\r\n" if isinstance(outcome, Accepted) else b"HTTP/1.1 429 "
    )


async def test_a_connection_is_used_again(world, customer) -> None:
    """Two requests written at once are answered in their order."""
    world.sending.answer = Accepted(message=VIEW)
    seen = await both(world, request(customer.key) * 2, answers=2)
    assert seen.count(b"HTTP/1.1 202") == 2


@pytest.mark.parametrize("more", [("connection: close",), ()], ids=["asked", "old"])
async def test_a_client_that_wants_the_connection_closed_gets_it(world, customer, more) -> None:
    """By its header, or by speaking HTTP/1.0."""
    world.sending.answer = Accepted(message=VIEW)
    terms = {} if more else {"version": "1.0"}
    seen = await both(world, request(customer.key, *more, **terms))
    assert b"connection: close\r\n" in seen


async def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(world, customer) -> None:
    """`Expect: 100-continue`, as curl sends it."""
    world.sending.answer = Accepted(message=VIEW)
    head, _, body = request(customer.key, "expect: 100-continue").partition(b"\r\n\r\n")
    seen = await both(world, head + b"\r\n\r\n", body, answers=2)
    assert seen.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202")


async def test_the_short_way_out_was_taken(world, customer, monkeypatch) -> None:
    """Else the tests above would compare the server with itself."""
    world.sending.answer = Accepted(message=VIEW)

    async def messages(*_: Any) -> None:
        raise AssertionError("ASGI's messages were sent")

    monkeypatch.setattr(short_way, "respond", messages)
    assert b"202 Accepted" in await exchange(world.app, request(customer.key))


async def test_it_is_logged_and_measured_like_any_other(world, customer) -> None:
    """It passes the layer by that sees the status of all others."""
    world.sending.answer = Accepted(message=VIEW)
    async with world.client() as probe:
        label = 'tollgate_http_request_seconds_count{method="POST",route="/v1/messages",status="202"}'

        async def counted() -> float:
            lines = (await probe.get("/metrics")).text.splitlines()
            return next((float(line.split()[-1]) for line in lines if line.startswith(label)), 0.0)

        before = await counted()
        await exchange(world.app, request(customer.key))
        assert await counted() == before + 1


class Mark:
    """Lives as long as the request whose scope holds it."""


async def test_an_answered_request_is_freed_without_the_garbage_collector(world, customer) -> None:
    """A scope that holds its own request would leave both to the collector, which is slower."""
    world.sending.answer = Accepted(message=VIEW)
    marks: list[ref[Mark]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["tests.mark"] = mark = Mark()
        marks.append(ref(mark))
        await world.app(scope, receive, send)

    gc.disable()
    try:
        await exchange(app, request(customer.key) * 2, answers=2)
        assert [mark() for mark in marks] == [None, None]
    finally:
        gc.enable()
