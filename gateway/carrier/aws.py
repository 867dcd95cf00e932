"""AWS End User Messaging through aioboto3: one long-lived client per account, one request per attempt."""

import re
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

from aiobotocore.config import AioConfig

from gateway.carrier.aws_errors import classify
from gateway.carrier.aws_reasons import NO_CREDENTIALS
from gateway.carrier.credentials import KeysMissing, RouteKeys
from gateway.carrier.one_request import Departure, OneRequest, departing
from gateway.carrier.ports import (
    CONTEXT_ATTEMPT,
    CONTEXT_MESSAGE,
    NotSent,
    OutboundText,
    Outcome,
    Sent,
    Unknown,
)
from tenants.ids import encode

CONNECT_S = 2
READ_S = 10
_ACTIONS: Final = {
    "sms": "send_text_message",
    "mms": "send_media_message",
    "voice": "send_voice_message",
}
_NO_KEYS_MS = 5_000
_NOT_MADE_MS = 1_000
_MICROS_PER_PRICE_UNIT = 10
"""MaxPrice has five decimals; a unit is ten micro-dollars."""
_PRICE_UNITS = 100_000
_NOT_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_MAX_ID: Final = 128
_USER_AGENT = f"tollgate/{version('tollgate')} aioboto3/{version('aioboto3')}"


def send_config(in_flight: int, *, read_s: float = READ_S) -> AioConfig:
    """
    Return the client configuration of sends.

    `total_max_attempts=1` is the whole point: with the default one SendTextMessage was measured to put five
    requests on the wire, and each may become a text. A user agent of our own is not only polite: without one
    botocore builds its own anew for every request, measured at a sixth of a call's CPU.
    """
    return AioConfig(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_S,
        read_timeout=read_s,
        max_pool_connections=in_flight,
        parameter_validation=False,
        tcp_keepalive=True,
        user_agent=_USER_AGENT,
        http_session_cls=OneRequest,
    )


class AwsCarrier:
    """Makes one call (text, media or voice) once and turns whatever happens into an outcome."""

    def __init__(self, client: Any, keys: RouteKeys) -> None:
        self._client = client
        self._keys = keys

    async def send(self, text: OutboundText) -> Outcome:
        """Make one request; only a MessageId in the answer is a send."""
        try:
            await self._keys.current()
        except KeysMissing as error:
            return self.without_keys(error)
        with departing(text.leaves_by) as departure:
            try:
                response = await getattr(self._client, _ACTIONS[text.channel])(**request_of(text))
            except Exception as error:  # noqa: BLE001 - every failure is an outcome, the table decides which
                return self._keys.judged(failed(error, departure))
        return sent_as(response.get("MessageId"))

    @staticmethod
    def without_keys(error: KeysMissing) -> NotSent:
        """Return the outcome where there is nothing to sign with: the route waits for the operator."""
        return NotSent(reason=NO_CREDENTIALS, retry_after_ms=_NO_KEYS_MS, fault="account", detail=str(error))


def sent_as(message_id: object) -> Sent | Unknown:
    """
    Return what a success says that names a message so; without a name it is no proof that AWS took any.

    A name that no database would keep is a send all the same. As much of it is kept as can be, as of the
    names in receipts, so that these still find their message.
    """
    if not isinstance(message_id, str) or not message_id:
        return Unknown(reason="no_message_id")
    return Sent(provider_message_id=_NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", message_id)[:_MAX_ID])


def failed(error: Exception, departure: Departure) -> Outcome:
    """Return what an error of the SDK says; before the request was begun it is no refusal and no doubt."""
    if departure.is_late:
        return NotSent(reason="mark_too_old", retry_after_ms=0)
    outcome = classify(error)
    if departure.began or isinstance(outcome, NotSent):
        return outcome
    return NotSent(reason="request_not_made", retry_after_ms=_NOT_MADE_MS, detail=type(error).__name__)


def request_of(text: OutboundText) -> dict[str, Any]:
    """Return the members of the action that its channel calls."""
    request: dict[str, Any] = {
        "DestinationPhoneNumber": text.destination,
        **_BY_CHANNEL[text.channel](text),
        "TimeToLive": text.ttl_s,
        "Context": text.context
        | {CONTEXT_MESSAGE: encode("msg", text.message_id), CONTEXT_ATTEMPT: str(text.attempt)},
    }
    if text.origination_identity is not None:
        request["OriginationIdentity"] = text.origination_identity
    if text.configuration_set is not None:
        request["ConfigurationSetName"] = text.configuration_set
    if text.country_parameters:
        request["DestinationCountryParameters"] = dict(text.country_parameters)
    if text.protect_configuration is not None:
        request["ProtectConfigurationId"] = text.protect_configuration
    if text.feedback:
        request["MessageFeedbackEnabled"] = True
    return request


def _of_text(text: OutboundText) -> dict[str, Any]:
    return {
        "MessageBody": text.body,
        "MessageType": "PROMOTIONAL" if text.promotional else "TRANSACTIONAL",
        "MaxPrice": _max_price(text.max_price_micros),
    }


def _of_media(text: OutboundText) -> dict[str, Any]:
    """SendMediaMessage knows neither MessageType nor an empty body."""
    members: dict[str, Any] = {"MaxPrice": _max_price(text.max_price_micros)}
    if text.body:
        members["MessageBody"] = text.body
    if text.media_url is not None:
        members["MediaUrls"] = [text.media_url]
    return members


def _of_call(text: OutboundText) -> dict[str, Any]:
    members = {"MessageBody": text.body, "MaxPricePerMinute": _max_price(text.max_price_micros)}
    if text.voice is not None:
        members["VoiceId"] = text.voice.voice_id
        members["MessageBodyTextType"] = "SSML" if text.voice.ssml else "TEXT"
    return members


_BY_CHANNEL: Final = {"sms": _of_text, "mms": _of_media, "voice": _of_call}


@lru_cache(maxsize=256)
def _max_price(micros: int) -> str:
    units = -(-micros // _MICROS_PER_PRICE_UNIT)
    return f"{units // _PRICE_UNITS}.{units % _PRICE_UNITS:05d}"
