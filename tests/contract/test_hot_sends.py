"""Plain sends take a short way around the framework; nobody can tell by the answer."""

import json
from typing import Any

import pytest

from gateway.api.fakes import message_view
from gateway.asgi import MAX_BODY_BYTES
from gateway.errors import GatewayError, Overloaded, Unavailable
from gateway.intake.outcome import Accepted, Declined, FieldFault, RateState
from gateway.intake.request import SendRequest
from tenants.ids import new_uuid

SEND = {"to": "+12065550123", "body": "hello €", "type": "transactional"}
PLAIN = json.dumps(SEND).encode()
VIEW = message_view(new_uuid(), SendRequest(to="+12065550123", body="hello"), test=False)
RATE = RateState(limit_per_s=10, remaining=3, reset_ms=1500)
OUTCOMES: list[Accepted | Declined | Exception] = [
    Accepted(message=VIEW),
    Accepted(message=VIEW, rates=(RATE,)),
    Accepted(message=VIEW, replayed=True),
    Declined(code="opted_out", detail="the recipient said STOP"),
    Declined(code="rate_limited", detail="wait", retry_after_ms=1500, rates=(RATE,)),
    Declined(
        code="invalid_number",
        detail="no",
        errors=(FieldFault(field="/to", code="not_valid", detail="no"),),
    ),
    Declined(code="idempotency_mismatch", detail="used"),
    Overloaded("full"),
    Unavailable("away", retry_after_ms=2000),
    GatewayError("what now"),
]
JSON = (b"content-type", b"application/json")
REQUESTS: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {
    "no type": ([], PLAIN),
    "charset": ([(b"content-type", b"Application/JSON; charset=utf-8")], PLAIN),
    "form": ([(b"content-type", b"text/plain")], PLAIN),
    "two types": ([JSON, (b"content-type", b"text/plain")], PLAIN),
    "no body": ([JSON], b""),
    "not json": ([JSON], b"{"),
    "bad utf-8": ([JSON], b'{"to": "\xff"}'),
    "deep": ([JSON], b"[" * 5000),
    "an array": ([JSON], b"[]"),
    "nul": ([JSON], json.dumps(SEND | {"body": "a\x00b"}).encode()),
    "unknown field": ([JSON], json.dumps(SEND | {"bdoy": 1}).encode()),
    "missing field": ([JSON], b'{"body": "x"}'),
    "wrong type": ([JSON], json.dumps(SEND | {"ttl_seconds": "x"}).encode()),
    "long key": ([JSON, (b"idempotency-key", b"k" * 256)], PLAIN),
    "empty key": ([JSON, (b"idempotency-key", b"")], PLAIN),
    "key": ([JSON, (b"idempotency-key", b"k")], PLAIN),
    "two keys": ([JSON, (b"idempotency-key", b"k"), (b"idempotency-key", b"")], PLAIN),
    "long body": ([JSON], json.dumps(SEND | {"body": "x" * MAX_BODY_BYTES}).encode()),
    "longest body": ([JSON], PLAIN.ljust(MAX_BODY_BYTES)),
    "announced too long": ([JSON, (b"content-length", b"70000")], PLAIN),
    "bad length": ([JSON, (b"content-length", b"x")], PLAIN),
}


async def ask(
    app: Any,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    *,
    query: bytes = b"",
    size: int = 1 << 20,
    breaks_off: bool = False,
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Speak ASGI as a server does; return status, headers and body as they were sent."""
    chunks = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    coming: list[Any] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    coming[-1]["more_body"] = breaks_off
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/v1/messages",
        "raw_path": b"/v1/messages",
        "root_path": "",
        "query_string": query,
        "headers": [(b"x-request-id", b"same-for-both"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("gateway.example", 443),
    }
    await app(scope, receive, send)
    whole = b"".join(each.get("body", b"") for each in sent[1:])
    return (sent[0]["status"], sent[0]["headers"], whole) if sent else (0, [], b"")


async def both(world, *terms: Any, **more: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Ask the short way and the framework's; return the answer, which must be one."""
    hot = await ask(world.app, *terms, **more)
    assert hot == await ask(world.framework, *terms, **more)
    return hot


@pytest.fixture
def bearer(customer) -> tuple[bytes, bytes]:
    """The Authorization header of a key that may send."""
    return (b"authorization", f"Bearer {customer.key}".encode())


@pytest.mark.parametrize("rate", [None, RATE], ids=["no_rate", "rate"])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
async def test_whatever_intake_says_reads_the_same(world, bearer, outcome, rate) -> None:
    """The client's parser sees one API."""
    world.sending.answer, world.sending.rate = outcome, rate
    status, _, body = await both(world, [bearer, JSON], PLAIN)
    assert status in {202, 403, 422, 429, 503}
    assert json.loads(body)


@pytest.mark.parametrize("name", REQUESTS)
async def test_whatever_is_asked_gets_the_same_answer(world, bearer, name) -> None:
    """Also what is no send at all: both ways refuse it in the same words."""
    world.sending.answer, world.sending.rate = Accepted(message=VIEW, rates=(RATE,)), RATE
    headers, body = REQUESTS[name]
    for size in (1 << 20, 1000):
        await both(world, [bearer, *headers], body, size=size)


@pytest.mark.parametrize(
    "value", [b"", b"Bearer", b"Bearer tg_live_nobody", b"Basic abc", b"bearer \xff", b"Bearer  "]
)
async def test_whoever_asks_without_a_key_is_refused_alike(world, customer, value) -> None:
    """Authentication has one author."""
    del customer
    status, _, _ = await both(world, [(b"authorization", value), JSON], PLAIN)
    assert status == 401
    assert await both(world, [JSON], PLAIN)


async def test_a_key_that_may_not_send_is_refused_alike(world, customer, make_key) -> None:
    """Scopes are asked on the short way, too."""
    token = await make_key(customer.id, "messages:read")
    status, _, _ = await both(world, [(b"authorization", f"Bearer {token}".encode()), JSON], PLAIN)
    assert status == 403


async def test_a_query_is_refused_alike(world, bearer) -> None:
    """A send has no parameters."""
    assert (await both(world, [bearer, JSON], PLAIN, query=b"dry=1"))[0] == 422


async def test_a_body_that_breaks_off_sends_nothing(world, bearer) -> None:
    """Half a request is none."""
    await both(world, [bearer, JSON], PLAIN, size=10, breaks_off=True)
    assert world.sending.sent == []


async def test_a_fault_of_ours_is_a_500_on_both_ways(world, bearer, monkeypatch) -> None:
    """What nobody expected is told as little as possible."""

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(world.sending, "send", broken)
    status, _, body = await both(world, [bearer, JSON], PLAIN)
    assert (status, json.loads(body)["code"]) == (500, "internal_error")


async def test_both_ways_hand_intake_the_same(world, bearer, monkeypatch) -> None:
    """A key used on one way is known on the other: request, key and fingerprint are equal."""
    seen: list[Any] = []
    original = world.sending.send

    async def watched(*terms: Any, **more: Any) -> Any:
        seen.append((terms, more))
        return await original(*terms, **more)

    monkeypatch.setattr(world.sending, "send", watched)
    headers = [bearer, JSON, (b"idempotency-key", b"order-1")]
    first = await ask(world.app, headers, PLAIN)
    again = await ask(world.framework, headers, b" " + PLAIN)
    assert seen[0] == seen[1]
    assert (b"idempotent-replayed", b"true") in again[1]
    assert first[2] == again[2]


async def test_a_plain_send_does_not_pass_through_the_framework(world, bearer, monkeypatch) -> None:
    """Else the tests above would compare the framework with itself."""

    async def framework(*_: Any) -> None:
        raise AssertionError("the framework was asked")

    monkeypatch.setattr(world.app.asgi_handler._app._app, "_app", framework)
    assert (await ask(world.app, [bearer, JSON], PLAIN))[0] == 202
