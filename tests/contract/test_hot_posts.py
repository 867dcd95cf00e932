"""SNS's posts take a short way around the framework; SNS cannot tell by the answer."""

from typing import Any

import pytest

from gateway.api.fakes import FakeAnswer
from gateway.api.hot import posts as hot_posts
from gateway.errors import GatewayError, Overloaded, Unavailable
from gateway.receipts.envelope import MAX_BODY_BYTES

TEXT = (b"content-type", b"text/plain; charset=UTF-8")
OUTCOMES: dict[str, FakeAnswer | Exception] = {
    "stored": FakeAnswer(outcome="stored"),
    "confirmed": FakeAnswer(outcome="confirmed"),
    "rejected": FakeAnswer(outcome="rejected", reason="signature_mismatch"),
    "full": Overloaded("full"),
    "away": Unavailable("away", retry_after_ms=2000),
    "broken": GatewayError("what now"),
}
BODIES: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {
    "plain": ([TEXT], b'{"Type": "Notification"}'),
    "no type": ([], b"{}"),
    "empty": ([TEXT], b""),
    "not utf-8": ([TEXT], b"\xff\xfe"),
    "longest": ([TEXT], b"x" * MAX_BODY_BYTES),
    "too long": ([TEXT], b"x" * (MAX_BODY_BYTES + 1)),
    "announced too long": ([TEXT, (b"content-length", b"600000")], b"{}"),
    "bad length": ([TEXT, (b"content-length", b"x")], b"{}"),
}


async def ask(
    app: Any, headers: list[tuple[bytes, bytes]], body: bytes, *, size: int = 1 << 20, method: str = "POST"
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Speak ASGI as a server does; return status, headers and body as they were sent."""
    chunks = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    coming: list[Any] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    coming[-1]["more_body"] = False
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": "/v1/ingest/sns",
        "raw_path": b"/v1/ingest/sns",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"x-request-id", b"same-for-both"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("gateway.example", 443),
    }
    await app(scope, receive, send)
    return sent[0]["status"], sent[0]["headers"], b"".join(each.get("body", b"") for each in sent[1:])


async def both(world, *terms: Any, **more: Any) -> int:
    """Post both ways and return the status, which must be one, as must be every byte."""
    hot = await ask(world.app, *terms, **more)
    whole = await ask(world.framework, *terms, **more)
    assert _in_one_order(hot) == _in_one_order(whole)
    return hot[0]


def _in_one_order(answer: Any) -> Any:
    """The framework lists the methods it allows in the order of a set."""
    status, headers, *rest = answer
    listed = [
        (name, b", ".join(sorted(value.split(b", "))) if name == b"allow" else value)
        for name, value in headers
    ]
    return status, listed, *rest


@pytest.mark.parametrize("name", OUTCOMES)
async def test_whatever_became_of_a_post_reads_the_same(world, name) -> None:
    """SNS goes by the status: a 200 that was none would lose a receipt, a 403 that was none, too."""
    world.ingest.answer = OUTCOMES[name]
    assert await both(world, [TEXT], b"{}") in {200, 403, 500, 503}


@pytest.mark.parametrize("name", BODIES)
async def test_whatever_is_posted_gets_the_same_answer(world, name) -> None:
    """Also in pieces, as a proxy may hand it on."""
    headers, body = BODIES[name]
    for size in (1 << 20, 100_000):
        await both(world, headers, body, size=size)
    assert {len(each) for each in world.ingest.bodies} <= {len(body)}


async def test_another_method_is_the_frameworks(world) -> None:
    """It knows what to say to a GET."""
    assert await both(world, [], b"", method="GET") == 405


async def test_the_short_way_was_taken(world, monkeypatch) -> None:
    """Else the tests above would compare the framework with itself."""
    taken: list[int] = []
    answered = hot_posts.answer_whole

    async def noted(scope: Any, status: int, *rest: Any) -> None:
        taken.append(status)
        await answered(scope, status, *rest)

    monkeypatch.setattr(hot_posts, "answer_whole", noted)
    await ask(world.app, [TEXT], b"{}")
    assert taken == [200]
