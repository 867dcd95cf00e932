"""
The short way of `POST /v1/messages`: a plain send, from ASGI to intake and back without the framework.

Routing, injection and response objects cost as much as the send itself. So this stands before the application
and answers what is plainly a send: a good key, JSON of the right type, a well-formed body. Everything else
goes to the documented route, with what was read of its body, so that every refusal made before intake has one
author; what intake says is put into words by the same functions. A contract test sends the same requests both
ways and compares the bytes.
"""

from typing import Any, Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from gateway.api.bodies import PLAIN_JSON
from gateway.api.exchange import Exchange, exchange_of
from gateway.api.faults import answer_of
from gateway.api.hot.send_rates import SendRates
from gateway.api.hot.short_way import (
    JSON_TYPE,
    RawHeaders,
    again,
    answer_whole,
    raw_headers,
    read_body,
    refuse,
)
from gateway.api.idempotency import fingerprint, read_key
from gateway.api.keyring import Keyring
from gateway.api.ports import Sends
from gateway.api.refusals import Refusal
from gateway.api.v1.messages import accepted_headers, encode_message, refusal_of_send
from gateway.intake.outcome import Accepted, Declined
from gateway.intake.request import SendRequest
from tenants.access.credential import Granted, KeyScope, allows
from tenants.scope import TenantScope

PATH: Final = "/v1/messages"
_NEEDED: Final[KeyScope] = "messages:send"
_ACCEPTED: Final = 202
_BEARER: Final = b"bearer "
_BEARER_LENGTH: Final = len(_BEARER)
_MOST_DIGITS: Final = 9
_ESCAPED_NUL: Final = b"\\u0000"


class _Head(Struct):
    """What the headers of a plain send say."""

    scope: TenantScope
    key: str | None


class HotSends:
    """
    Wraps the application and answers plain sends itself.

    Args:
        keyring: The one that the application's gate asks, too.
        most_bytes: Of a body; a longer one is the application's to refuse.
    """

    __slots__ = ("_app", "_decode", "_keyring", "_most_bytes", "_public_url", "_sending")

    def __init__(
        self, app: SendRates, *, keyring: Keyring, sending: Sends, public_url: str, most_bytes: int
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
        body = await read_body(receive, self._most_bytes)
        request = None if body.whole is None else self._request(body.whole)
        if request is None or body.whole is None:
            await self._app(scope, again(body.messages, receive), send)
            return
        scope["path_template"] = PATH
        outcome = await self._outcome(exchange_of(scope), head, request, body.whole)
        send = self._app.rated(scope, send)
        if isinstance(outcome, Accepted):
            await _accept(scope, outcome, send)
        else:
            await self._refuse(exchange_of(scope), outcome, send)

    async def _head(self, headers: RawHeaders) -> _Head | None:
        """Return what the headers say; None if they are not those of a plain send by a key that may send."""
        # Of several headers with one name the first counts, as for the documented route.
        found = dict(reversed(tuple(headers)))
        bearer, length = found.get(b"authorization", b""), found.get(b"content-length", b"0")
        if found.get(b"content-type") not in PLAIN_JSON or bearer[:_BEARER_LENGTH].lower() != _BEARER:
            return None
        if not length.isdigit() or len(length) > _MOST_DIGITS or int(length) > self._most_bytes:
            return None
        token = bearer[_BEARER_LENGTH:].strip()
        granted = self._keyring.proven(token) or await self._judged(token)
        if granted is None or not allows(granted.scopes, _NEEDED):
            return None
        given = found.get(b"idempotency-key")
        try:
            return _Head(granted.scope, None if given is None else read_key(given))
        except Refusal:
            return None

    async def _judged(self, token: bytes) -> Granted | None:
        verdict = await self._keyring.judge(token.decode("utf-8", "surrogateescape"))
        return verdict if isinstance(verdict, Granted) else None

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
        exchange.live = scope.live
        try:
            digest = None if key is None else fingerprint("POST", PATH, body, live=scope.live)
            return await self._sending.send(scope, request, idempotency_key=key, fingerprint=digest)
        except Exception as error:  # noqa: BLE001 - the edge: told to the caller and logged, like the framework's
            return error

    async def _refuse(self, exchange: Exchange, outcome: Declined | Exception, send: Send) -> None:
        error = refusal_of_send(outcome) if isinstance(outcome, Declined) else outcome
        answer = answer_of(error, exchange, public_url=self._public_url)
        await refuse(send, answer)


async def _accept(scope: Any, outcome: Accepted, send: Send) -> None:
    exchange = exchange_of(scope)
    exchange.message_id = outcome.message.id
    await answer_whole(scope, _ACCEPTED, _accepted_headers(outcome), encode_message(outcome.message), send)


def _accepted_headers(outcome: Accepted) -> list[tuple[bytes, bytes]]:
    if not outcome.rates and not outcome.replayed:
        return [JSON_TYPE]
    return [*raw_headers(accepted_headers(outcome)), JSON_TYPE]
