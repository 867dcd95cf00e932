"""
The short way of `POST /v1/messages`: a plain send, from ASGI to intake and back without the framework.

Routing, injection and response objects cost as much as the send itself. So this stands before the application
and answers what is plainly a send: a good key, JSON of the right type, a well-formed body. Everything else
goes to the documented route, with what was read of its body, so that every refusal made before intake has one
author; what intake says is put into words by the same functions. A contract test sends the same requests both
ways and compares the bytes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from gateway.api.bodies import PLAIN_JSON
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.faults import answer_of
from gateway.api.idempotency import fingerprint, read_key
from gateway.api.keyring import Keyring
from gateway.api.ports import Sends
from gateway.api.refusals import Refusal
from gateway.api.requests import API_LINES
from gateway.api.v1.messages import accepted_headers, encode_message, refusal_of_send
from gateway.api.whole_answers import WHOLE_ANSWER, WholeAnswer
from gateway.intake.outcome import Accepted, Declined
from gateway.intake.request import SendRequest
from tenants.access.credential import Granted, KeyScope, allows
from tenants.scope import TenantScope

PATH: Final = "/v1/messages"
_NEEDED: Final[KeyScope] = "messages:send"
_ACCEPTED: Final = 202
_INTERNAL_ERROR: Final = 500
_BEARER: Final = b"bearer "
_BEARER_LENGTH: Final = len(_BEARER)
_MOST_DIGITS: Final = 9
_ESCAPED_NUL: Final = b"\\u0000"
_NONE: Final[dict[str, Any]] = {}
_JSON: Final = (b"content-type", b"application/json")

_RawHeaders = Iterable[tuple[bytes, bytes]]


class _Head(Struct):
    """What the headers of a plain send say."""

    scope: TenantScope
    key: str | None


class _Body(Struct):
    """What was read of a body: the ASGI messages, and the whole of it unless it is too long or broke off."""

    messages: list[Any]
    whole: bytes | None


class HotSends:
    """
    Wraps the application and answers plain sends itself.

    Args:
        keyring: The one that the application's gate asks, too.
        most_bytes: Of a body; a longer one is the application's to refuse.
    """

    __slots__ = ("_app", "_decode", "_keyring", "_most_bytes", "_public_url", "_sending")

    def __init__(
        self, app: ASGIApp, *, keyring: Keyring, sending: Sends, public_url: str, most_bytes: int
    ) -> None:
        self._app = app
        self._keyring = keyring
        self._sending = sending
        self._public_url = public_url
        self._most_bytes = most_bytes
        self._decode = msgspec.json.Decoder(SendRequest).decode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain send; hand on everything else."""
        if scope["type"] != ScopeType.HTTP or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        head = None if scope["query_string"] else await self._head(scope["headers"])
        if head is None:
            await self._app(scope, receive, send)
            return
        body = await self._read(receive)
        request = None if body.whole is None else self._request(body.whole)
        if request is None or body.whole is None:
            await self._app(scope, _again(body.messages, receive), send)
            return
        scope["path_template"] = PATH
        outcome = await self._outcome(exchange_of(scope), head, request, body.whole)
        if isinstance(outcome, Accepted):
            await _accept(scope, outcome, send)
        else:
            await self._refuse(exchange_of(scope), outcome, send)

    async def _head(self, headers: _RawHeaders) -> _Head | None:
        """Return what the headers say; None if they are not those of a plain send by a key that may send."""
        # Of several headers with one name the first counts, as for the documented route.
        found = dict(reversed(tuple(headers)))
        bearer, length = found.get(b"authorization", b""), found.get(b"content-length", b"0")
        if found.get(b"content-type") not in PLAIN_JSON or bearer[:_BEARER_LENGTH].lower() != _BEARER:
            return None
        if not length.isdigit() or len(length) > _MOST_DIGITS or int(length) > self._most_bytes:
            return None
        granted = await self._granted(bearer[_BEARER_LENGTH:].strip())
        if granted is None or not allows(granted.scopes, _NEEDED):
            return None
        given = found.get(b"idempotency-key")
        try:
            return _Head(granted.scope, None if given is None else read_key(given))
        except Refusal:
            return None

    async def _granted(self, token: bytes) -> Granted | None:
        if (granted := self._keyring.proven(token)) is not None:
            return granted
        verdict = await self._keyring.judge(token.decode("utf-8", "surrogateescape"))
        return verdict if isinstance(verdict, Granted) else None

    async def _read(self, receive: Receive) -> _Body:
        message: Any = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            whole: bytes = message.get("body", b"")
            return _Body([message], whole if len(whole) <= self._most_bytes else None)
        return await self._read_on(message, receive)

    async def _read_on(self, message: Any, receive: Receive) -> _Body:
        messages, whole = [message], bytearray()
        while message["type"] == "http.request":
            whole += message.get("body", b"")
            if len(whole) > self._most_bytes:
                break
            if not message.get("more_body"):
                return _Body(messages, bytes(whole))
            message = await receive()
            messages.append(message)
        return _Body(messages, None)

    def _request(self, body: bytes) -> SendRequest | None:
        """Return the request, or None if the body is one that the documented route has to explain."""
        if _ESCAPED_NUL in body:
            return None
        try:
            return self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    async def _outcome(
        self, exchange: Exchange, head: _Head, request: SendRequest, body: bytes
    ) -> Accepted | Declined | Exception:
        scope, key = head.scope, head.key
        exchange.tenant_id, exchange.key_id = scope.tenant_id, scope.key_id
        try:
            digest = None if key is None else fingerprint("POST", PATH, body, live=scope.live)
            return await self._sending.send(scope, request, idempotency_key=key, fingerprint=digest)
        except Exception as error:  # noqa: BLE001 - the edge: told to the caller and logged, like the framework's
            return error

    async def _refuse(self, exchange: Exchange, outcome: Declined | Exception, send: Send) -> None:
        error = refusal_of_send(outcome) if isinstance(outcome, Declined) else outcome
        answer = answer_of(error, exchange, public_url=self._public_url)
        await _respond(send, answer.status_code or _INTERNAL_ERROR, _headers_of(answer), answer.content)


def _again(messages: Sequence[Any], receive: Receive) -> Receive:
    """Return a `receive` that gives what was read once more, and then goes on."""
    left = iter(messages)

    async def next_message() -> Any:
        message = next(left, None)
        return await receive() if message is None else message

    return next_message


async def _accept(scope: Any, outcome: Accepted, send: Send) -> None:
    exchange = exchange_of(scope)
    exchange.message_id = outcome.message.id
    headers, body = _accepted_headers(outcome), encode_message(outcome.message)
    whole: WholeAnswer | None = scope.get("extensions", _NONE).get(WHOLE_ANSWER)
    if whole is not None and whole(_ACCEPTED, _lines(exchange, headers, body), body):
        exchange.status = _ACCEPTED
    else:
        await _respond(send, _ACCEPTED, headers, body)


def _lines(exchange: Exchange, headers: _RawHeaders, body: bytes) -> bytes:
    """Return the header lines of an answer that passes the outermost layer by."""
    own = b"content-length: %d\r\n%bx-request-id: %b\r\n" % (
        len(body),
        API_LINES,
        exchange.request_id.encode("ascii"),
    )
    return b"".join([b"%b: %b\r\n" % header for header in headers]) + own


def _accepted_headers(outcome: Accepted) -> list[tuple[bytes, bytes]]:
    if outcome.rate is None and not outcome.replayed:
        return [_JSON]
    return [*_raw(accepted_headers(outcome)), _JSON]


def _headers_of(refused: Response[bytes]) -> list[tuple[bytes, bytes]]:
    return [*_raw(refused.headers), (b"content-type", str(refused.media_type).encode("latin-1"))]


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
