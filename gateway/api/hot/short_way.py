"""What the roads around the framework share: reading a body, giving it back, and answering in one piece."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from litestar import Response
from litestar.types import Receive, Send
from msgspec import Struct

from gateway.api.exchange import Exchange, exchange_of
from gateway.api.hot.whole_answers import WHOLE_ANSWER, WholeAnswer
from gateway.api.requests import API_LINES

RawHeaders = Iterable[tuple[bytes, bytes]]
JSON_TYPE: Final = (b"content-type", b"application/json")
_INTERNAL_ERROR: Final = 500
_NONE: Final[dict[str, Any]] = {}


class Body(Struct):
    """What was read of a body: the ASGI messages, and the whole of it unless it is too long or broke off."""

    messages: list[Any]
    whole: bytes | None


async def read_body(receive: Receive, most_bytes: int) -> Body:
    """Read a body up to a length; what comes after that is left to whoever refuses it."""
    message: Any = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        return Body([message], whole if len(whole) <= most_bytes else None)
    messages, gathered = [message], bytearray()
    while message["type"] == "http.request":
        gathered += message.get("body", b"")
        if len(gathered) > most_bytes:
            break
        if not message.get("more_body"):
            return Body(messages, bytes(gathered))
        message = await receive()
        messages.append(message)
    return Body(messages, None)


def again(messages: Sequence[Any], receive: Receive) -> Receive:
    """Return a `receive` that gives what was read once more, and then goes on."""
    left = iter(messages)

    async def next_message() -> Any:
        message = next(left, None)
        return await receive() if message is None else message

    return next_message


async def answer_whole(
    scope: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes, send: Send
) -> None:
    """Answer in one piece where the server can, else by ASGI's messages."""
    exchange = exchange_of(scope)
    whole: WholeAnswer | None = scope.get("extensions", _NONE).get(WHOLE_ANSWER)
    if whole is not None and whole(status, _lines(exchange, headers, body), body):
        exchange.status = status
    else:
        await respond(send, status, headers, body)


async def refuse(send: Send, answer: Response[bytes]) -> None:
    """Send an answer that was made for the framework."""
    headers = [*raw_headers(answer.headers), (b"content-type", str(answer.media_type).encode("latin-1"))]
    await respond(send, answer.status_code or _INTERNAL_ERROR, headers, answer.content)


def raw_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI carries them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send ASGI's two messages."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _lines(exchange: Exchange, headers: RawHeaders, body: bytes) -> bytes:
    """Return the header lines of an answer that passes the outermost layer by."""
    own = b"content-length: %d\r\n%bx-request-id: %b\r\n" % (
        len(body),
        API_LINES,
        exchange.request_id.encode("ascii"),
    )
    return b"".join([b"%b: %b\r\n" % header for header in headers]) + own
