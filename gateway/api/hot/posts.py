"""
The short way of `POST /v1/ingest/sns`: four posts come per message, and the framework costs as much as one.

It stands before the application and takes every post whose body is not too long; that one, and one that
breaks off, goes to the documented route with what was read of it. Refusals are put into words by the same
functions. A contract test posts both ways and compares the bytes.
"""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.api.exchange import Exchange, exchange_of
from gateway.api.faults import answer_of
from gateway.api.hot.short_way import JSON_TYPE, again, answer_whole, read_body, refuse
from gateway.api.ingest.sns import encode_ingest, refusal_of_post
from gateway.api.ports import IngestAnswer, SnsIngest
from gateway.receipts.envelope import MAX_BODY_BYTES

PATH: Final = "/v1/ingest/sns"
_OK: Final = 200
_MOST_DIGITS: Final = 9


class HotPosts:
    """Wraps the application and answers what Amazon SNS posts."""

    __slots__ = ("_app", "_ingest", "_public_url")

    def __init__(self, app: ASGIApp, *, ingest: SnsIngest, public_url: str) -> None:
        self._app = app
        self._ingest = ingest
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a post; hand on everything else."""
        if scope["type"] != ScopeType.HTTP or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not _announces_enough_room(scope):
            await self._app(scope, receive, send)
            return
        body = await read_body(receive, MAX_BODY_BYTES)
        if body.whole is None:
            await self._app(scope, again(body.messages, receive), send)
            return
        scope["path_template"] = PATH
        outcome = await self._outcome(body.whole)
        if isinstance(outcome, Exception):
            exchange: Exchange = exchange_of(scope)
            await refuse(send, answer_of(outcome, exchange, public_url=self._public_url))
        else:
            await answer_whole(scope, _OK, [JSON_TYPE], encode_ingest(outcome), send)

    async def _outcome(self, body: bytes) -> IngestAnswer | Exception:
        try:
            answer = await self._ingest.receive(body)
        except Exception as error:  # noqa: BLE001 - the edge: told to SNS and logged, like the framework's
            return error
        return refusal_of_post(answer) or answer


def _announces_enough_room(scope: Scope) -> bool:
    """Whether the length that is announced, if any, is one that the documented route would take, too."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return length.isdigit() and len(length) <= _MOST_DIGITS and int(length) <= MAX_BODY_BYTES
