"""
SendTextMessage without the SDK's machinery: aioboto3's own request, written by hand.

The SDK spends most of a call's CPU on building the same request anew. Its first request of a route is caught
before it leaves (`before-send`), its form is learned (`lean_form`), and every text after that is signed in
that form. A form that our signature does not match byte for byte is not used: the SDK then goes on sending,
and says so in the log. Errors are parsed by botocore's parser and judged by the same table.
"""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from botocore.httpsession import create_urllib3_context, get_cert_path
from botocore.parsers import create_parser
from botocore.utils import get_environ_proxies
from msgspec import Struct

from gateway.carrier.aws import CONNECT_S, READ_S, AwsCarrier, failed, request_of, sent_as
from gateway.carrier.aws_errors import classify, judge
from gateway.carrier.credentials import Keys, KeysMissing, RouteKeys
from gateway.carrier.lean_form import LeanForm, Stamps, Unfit, differences
from gateway.carrier.one_request import departing
from gateway.carrier.ports import NotSent, OutboundText, Outcome, Unknown
from gateway.carrier.wire import TooLate, Wire

_log = structlog.get_logger(__name__)

_EVENT = "before-send.pinpoint-sms-voice-v2.SendTextMessage"
_OK = 200
_PORTS = {"http": 80, "https": 443}


class _Answer(Struct):
    message_id: str | None = msgspec.field(name="MessageId", default=None)


class _Refusal(Struct):
    reason: str = msgspec.field(name="Reason", default="")


_answer = msgspec.json.Decoder(_Answer)
_refusal = msgspec.json.Decoder(_Refusal)
_errors = create_parser("json")
_NO_SHAPE: Any = None
"""Errors are read without one."""


class Caught(Exception):
    """The SDK's request, stopped before it left."""

    def __init__(self, request: Any) -> None:
        super().__init__("caught")
        self.method: str = request.method
        self.url: str = request.url
        self.body: bytes = request.body
        self.headers: dict[str, str] = {
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }


class LeanCarrier:
    """
    Calls SendTextMessage once, in the form learned from `reference`, which sends everything else.

    Args:
        reference: aioboto3's way of sending: the pattern, and the fallback.
        client: Its client.
    """

    def __init__(
        self,
        reference: AwsCarrier,
        client: Any,
        wire: Wire,
        keys: RouteKeys,
        stamps: Stamps | None = None,
    ) -> None:
        self._reference = reference
        self._client = client
        self._wire = wire
        self._keys = keys
        self._stamps = stamps or Stamps()
        self._form: LeanForm | None = None
        self._learning = asyncio.Lock()
        self._unfit = False

    async def send(self, text: OutboundText) -> Outcome:
        """Make one request; only a MessageId in the answer is a send."""
        if text.channel != "sms":
            return await self._reference.send(text)
        try:
            keys = await self._keys.current()
        except KeysMissing as error:
            return AwsCarrier.without_keys(error)
        if self._form is None:
            return await self._sent_before_the_form(text)
        return await self._sent(self._form, keys, text)

    async def _sent(self, form: LeanForm, keys: Keys, text: OutboundText) -> Outcome:
        body = body_of(text)
        request = form.request(body, keys, at=self._stamps.at(), invocation=self._stamps.invocation())
        try:
            answer = await self._wire.exchange(request, leaves_by=text.leaves_by)
        except TooLate:
            return NotSent(reason="mark_too_old", retry_after_ms=0)
        except Exception as error:  # noqa: BLE001 - every failure is an outcome, the table decides which
            return classify(error)
        return self._keys.judged(outcome_of(answer.status, answer.headers, answer.body))

    async def _sent_before_the_form(self, text: OutboundText) -> Outcome:
        """Learn the form and send in it; leave it to the SDK if that has another way."""
        with departing(text.leaves_by) as departure:
            try:
                await self._learn(text)
                keys = await self._keys.current()
            except KeysMissing as error:
                return AwsCarrier.without_keys(error)
            except Exception as error:  # noqa: BLE001 - the SDK could not make a request, or made it
                _log.error("request_not_made", error=type(error).__name__)
                return failed(error, departure)
        if self._form is None:
            return await self._reference.send(text)
        return await self._sent(self._form, keys, text)

    async def _learn(self, text: OutboundText) -> None:
        """Learn the form, once; where it cannot be matched, leave the sending to the SDK."""
        async with self._learning:
            if self._form is not None or self._unfit:
                return
            caught = await catch(self._client, text)
            try:
                form = LeanForm.learn(method=caught.method, url=caught.url, headers=caught.headers)
                self._compare(form, caught, text, await self._keys.current())
            except Unfit as error:
                self._unfit = True
                _log.error("lean_carrier_unfit", why=str(error), instead="aioboto3")
                return
            self._form = form

    def _compare(self, form: LeanForm, caught: Caught, text: OutboundText, keys: Any) -> None:
        body = body_of(text)
        at, invocation = caught.headers["X-Amz-Date"], caught.headers.get("amz-sdk-invocation-id", "")
        ours = form.headers(body, keys, at=at, invocation=invocation)
        if wrong := differences(ours, caught.headers):
            raise Unfit(f"these headers are not the SDK's: {', '.join(wrong)}")
        if body != caught.body:
            raise Unfit("the body is not the SDK's")
        if origin_of(form.url) != self._wire.origin:
            raise Unfit(f"it goes to {form.url}, and the connections do not")
        if proxies := get_environ_proxies(form.url):
            raise Unfit(f"there is a proxy on the way: {', '.join(sorted(proxies))}")


def body_of(text: OutboundText) -> bytes:
    """Return the body as botocore writes it: spaces after the separators, ASCII only."""
    return json.dumps(request_of(text)).encode()


def outcome_of(status: int, headers: Mapping[str, str], raw: bytes) -> Outcome:
    """Return what an answer says about the message."""
    if status == _OK:
        try:
            message_id = _answer.decode(raw).message_id
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Unknown(reason="unreadable_answer")
        return sent_as(message_id)
    answered = {"status_code": status, "headers": {k.lower(): v for k, v in headers.items()}, "body": raw}
    try:
        error: Any = _errors.parse(answered, _NO_SHAPE)
    except Exception as unreadable:  # noqa: BLE001 - what the SDK cannot read is no definite refusal
        return Unknown(reason=type(unreadable).__name__)
    code = str(error.get("Error", {}).get("Code", ""))
    return judge(code=code, reason=_reason_in(raw), status=status)


def _reason_in(raw: bytes) -> str:
    try:
        return _refusal.decode(raw).reason
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""  # a body that is not the service's; its status decides


async def catch(client: Any, text: OutboundText) -> Caught:
    """
    Return the request that the SDK would send for a text; nothing leaves.

    Raises:
        Exception: The SDK could not make it.
    """

    async def stop(request: Any, **_: Any) -> None:
        raise Caught(request)

    client.meta.events.register(_EVENT, stop, unique_id="tollgate-lean")
    try:
        await client.send_text_message(**request_of(text))
    except Caught as caught:
        return caught
    finally:
        client.meta.events.unregister(_EVENT, stop, unique_id="tollgate-lean")
    raise AssertionError("the SDK sent what was to be caught")


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


@contextmanager
def open_wire(endpoint_url: str, *, read_s: float = READ_S, ca_bundle: str | None = None) -> Generator[Wire]:
    """Open the connections of one route to its endpoint; each step of a call has a bound."""
    scheme, host, port = origin_of(endpoint_url)
    tls = None
    if scheme == "https":
        tls = create_urllib3_context()
        tls.check_hostname = True  # urllib3 compares the name itself, and is not here
        tls.load_verify_locations(ca_bundle or get_cert_path(verify=True))
    wire = Wire(host, port, tls=tls, connect_s=CONNECT_S, read_s=read_s)
    try:
        yield wire
    finally:
        wire.close()
