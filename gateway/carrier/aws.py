"""AWS End User Messaging through aioboto3: one long-lived client per account, one request per attempt."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from aiobotocore.config import AioConfig

from gateway.carrier.aws_errors import classify
from gateway.carrier.ports import CONTEXT_ATTEMPT, CONTEXT_MESSAGE, OutboundText, Outcome, Sent, Unknown
from gateway.carrier.session import AwsSession
from tenants.ids import encode

_CONNECT_S = 2
_READ_S = 10
_MICROS_PER_PRICE_UNIT = 10
"""MaxPrice has five decimals; a unit is ten micro-dollars."""
_PRICE_UNITS = 100_000
_USER_AGENT = f"tollgate/{version('tollgate')} aioboto3/{version('aioboto3')}"


def send_config(in_flight: int) -> AioConfig:
    """
    Return the client configuration of sends.

    `total_max_attempts=1` is the whole point: with the default one SendTextMessage was measured to put five
    requests on the wire, and each may become a text. A user agent of our own is not only polite: without one
    botocore builds its own anew for every request, measured at a sixth of a call's CPU.
    """
    return AioConfig(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        max_pool_connections=in_flight,
        parameter_validation=False,
        tcp_keepalive=True,
        user_agent=_USER_AGENT,
    )


class AwsCarrier:
    """Calls SendTextMessage once and turns whatever happens into an outcome."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send(self, text: OutboundText) -> Outcome:
        """Make one request; only a MessageId in the answer is a send."""
        try:
            response = await self._client.send_text_message(**request_of(text))
        except Exception as error:  # noqa: BLE001 - every failure is an outcome, the table decides which
            return classify(error)
        message_id = response.get("MessageId")
        return Sent(provider_message_id=message_id) if message_id else Unknown(reason="no_message_id")


def request_of(text: OutboundText) -> dict[str, Any]:
    """Return the members of SendTextMessage for a text."""
    request: dict[str, Any] = {
        "DestinationPhoneNumber": text.destination,
        "MessageBody": text.body,
        "MessageType": "PROMOTIONAL" if text.promotional else "TRANSACTIONAL",
        "MaxPrice": _max_price(text.max_price_micros),
        "TimeToLive": text.ttl_s,
        "Context": text.context
        | {CONTEXT_MESSAGE: encode("msg", text.message_id), CONTEXT_ATTEMPT: str(text.attempt)},
    }
    if text.origination_identity is not None:
        request["OriginationIdentity"] = text.origination_identity
    if text.configuration_set is not None:
        request["ConfigurationSetName"] = text.configuration_set
    return request


def _max_price(micros: int) -> str:
    units = -(-micros // _MICROS_PER_PRICE_UNIT)
    return f"{units // _PRICE_UNITS}.{units % _PRICE_UNITS:05d}"


@asynccontextmanager
async def open_aws_carrier(
    session: AwsSession, *, region: str, endpoint_url: str | None, in_flight: int
) -> AsyncGenerator[AwsCarrier]:
    """Open the client of one account and Region."""
    async with session.client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=endpoint_url, config=send_config(in_flight)
    ) as client:
        yield AwsCarrier(client)
