"""
The road Firehose → HTTPS, in AWS's own protocol for HTTP endpoints.

    POST  X-Amz-Firehose-Request-Id, X-Amz-Firehose-Access-Key, Content-Encoding: gzip
          {"requestId": "…", "timestamp": 1578090901599, "records": [{"data": "<base64>"}, …]}
    200   {"requestId": "…", "timestamp": 1578090903599}
    else  {"requestId": "…", "timestamp": …, "errorMessage": "…"}

A request is acknowledged when all its records are committed; otherwise Firehose sends the whole of it again,
and what was stored by then changes nothing. The access key is looked at before anything is unpacked.
"""

import asyncio
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.receipts.access_keys import AccessKeys
from gateway.receipts.apply import Incoming
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.event import Receipt
from gateway.receipts.mailroom import Answered, Mailroom, Refused
from gateway.receipts.reading import kept
from gateway.telemetry import metrics

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""As posted; set the stream's buffer to at most 4 MiB, which base64 makes 5.4."""
MAX_UNPACKED_BYTES: Final = 32 * 1024 * 1024
MAX_RECORDS: Final = 20_000
_TOGETHER: Final = 500
"""Events of one commit."""
_IN_A_THREAD_BYTES: Final = 64 * 1024
_GZIP: Final = 31
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LONGEST_ERROR: Final = 200


class Posted(Struct, frozen=True, kw_only=True):
    """One request as it arrived; headers that were absent are empty."""

    read: Callable[[], Awaitable[bytes | None]]
    """Reads the body; None if it is longer than `MAX_BODY_BYTES`."""
    request_id: str
    access_key: str
    encoding: str


class FirehoseAnswer(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The body of every answer, as Firehose's protocol has it."""

    request_id: str
    """The request's own; Firehose takes an answer without it for a failure."""
    timestamp: int
    """Milliseconds since 1970."""
    error_message: str | None = None
    """Why nothing counts as delivered; Firehose writes it to its log."""


class Taken(Struct, frozen=True):
    """What became of a request; anything but 200 is delivered again."""

    status: int
    answer: FirehoseAnswer


class _Record(Struct, frozen=True):
    data: bytes
    """Base64 on the wire."""


class _Delivery(Struct, frozen=True, rename="camel"):
    request_id: str
    timestamp: int
    records: list[_Record]


class _NotTaken(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FirehoseReceiver:
    """Judges and stores what is posted to `/v1/ingest/firehose`."""

    def __init__(self, keys: AccessKeys, mailroom: Mailroom, commit: ReceiptCommit, clock: Clock) -> None:
        self._keys = keys
        self._mailroom = mailroom
        self._commit = commit
        self._clock = clock

    async def receive(self, posted: Posted) -> Taken:
        """Store every record, or say why not; never raises for what was posted."""
        # It goes into an answer and a log: another form than AWS's is not echoed.
        request_id = posted.request_id if _REQUEST_ID.fullmatch(posted.request_id) else ""
        try:
            await self._prove(posted.access_key)
            delivery = await _unpacked(await posted.read(), posted.encoding)
            _check_id(delivery, request_id)
            taken = await self._store(delivery, self._keys.owner_of(posted.access_key))
        except _NotTaken as error:
            return self._answer(error.status, request_id, str(error))
        except Unavailable as error:
            return self._answer(503, request_id, str(error))
        metrics.RECEIPTS_TAKEN.labels(road="firehose").inc(taken)
        return self._answer(200, request_id)

    async def _prove(self, access_key: str) -> None:
        try:
            admitted = await self._keys.admits(access_key)
        except DATABASE_FAULTS as error:
            raise Unavailable("the access keys could not be read") from error
        if not admitted:
            raise _NotTaken(401, "the access key is not one of this gateway's")

    async def _store(self, delivery: _Delivery, owner: UUID | None) -> int:
        events: list[Incoming] = []
        for record in delivery.records:
            for piece in pieces(record.data):
                opened = await self._mailroom.open(piece, owner=owner)
                if isinstance(opened, Refused):
                    events.append(kept(piece, "unbelieved"))
                elif not isinstance(opened, Answered):
                    events.append(opened)
        # Folding asks for no order, and what is of one message becomes one write of it.
        events.sort(key=_message_of)
        for start in range(0, len(events), _TOGETHER):
            answers = await self._commit.submit_together(events[start : start + _TOGETHER])
            for failed in answers:
                if isinstance(failed, BaseException):
                    raise failed
        return len(events)

    def _answer(self, status: int, request_id: str, message: str | None = None) -> Taken:
        if status in {400, 401, 413}:
            metrics.RECEIPTS_REJECTED.labels(reason=f"firehose_{status}").inc()
        timestamp = int(self._clock.now().timestamp() * 1000)
        return Taken(
            status, FirehoseAnswer(request_id=request_id, timestamp=timestamp, error_message=message)
        )


def _message_of(event: Incoming) -> tuple[bytes, str]:
    """Return what events of one message have in common; in the order of messages where they name ours."""
    if not isinstance(event, Receipt):
        return b"", ""
    return b"" if event.message_id is None else event.message_id.bytes, event.provider_message_id


def _check_id(delivery: _Delivery, request_id: str) -> None:
    if delivery.request_id != request_id:
        raise _NotTaken(400, "requestId is not that of X-Amz-Firehose-Request-Id")


async def _unpacked(body: bytes | None, encoding: str) -> _Delivery:
    if body is None:
        raise _NotTaken(413, f"more than {MAX_BODY_BYTES} bytes: lower the stream's buffer size")
    if len(body) < _IN_A_THREAD_BYTES:
        return _decoded(body, encoding)
    return await asyncio.to_thread(_decoded, body, encoding)


def _decoded(body: bytes, encoding: str) -> _Delivery:
    if encoding == "gzip":
        body = _inflated(body)
    elif encoding not in {"", "identity"}:
        raise _NotTaken(400, "Content-Encoding is neither gzip nor absent")
    try:
        delivery = msgspec.json.decode(body, type=_Delivery)
    except (ValueError, RecursionError) as error:
        raise _NotTaken(400, f"not a Firehose delivery: {str(error)[:_LONGEST_ERROR]}") from error
    if len(delivery.records) > MAX_RECORDS:
        raise _NotTaken(413, f"more than {MAX_RECORDS} records: lower the stream's buffer size")
    return delivery


def _inflated(body: bytes) -> bytes:
    """A few bytes can unpack to gigabytes: no more is unpacked than may be there."""
    packed = zlib.decompressobj(_GZIP)
    try:
        whole = packed.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise _NotTaken(400, "the body is not gzip") from error
    if packed.unconsumed_tail:
        raise _NotTaken(413, f"more than {MAX_UNPACKED_BYTES} bytes unpacked: lower the stream's buffer size")
    if not packed.eof:
        raise _NotTaken(400, "the gzip body breaks off")
    return whole


def pieces(data: bytes) -> Iterator[bytes]:
    """
    Split a record into its JSON objects: one, as AWS's SMS writes it, or several with or without line breaks.

    What cannot be split is one piece, and will be kept as unreadable.
    """
    if b"\n" not in data.strip() and b"}{" not in data:
        yield data
        return
    text = data.decode("utf-8", "replace")
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        yield text[at:end].encode()
        at = end
