"""Opens the carrier of a route: aioboto3's client, and the lean way of sending in front of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiobotocore.session import get_session

from gateway.carrier.aws import READ_S, AwsCarrier, send_config
from gateway.carrier.credentials import RouteKeys
from gateway.carrier.lean import LeanCarrier, open_wire
from gateway.carrier.ports import Carrier
from gateway.carrier.session import AwsSession
from gateway.settings import Way


@asynccontextmanager
async def open_aws_carrier(
    session: AwsSession,
    *,
    region: str,
    endpoint_url: str | None,
    in_flight: int,
    way: Way = "lean",
    route: str = "aws",
    read_s: float = READ_S,
) -> AsyncGenerator[Carrier]:
    """
    Open the way to one account and Region.

    Args:
        route: Under which the health of its credentials is reported.
        read_s: How long an answer is waited for.
    """
    keys = RouteKeys(session, route=route)
    config = send_config(in_flight, read_s=read_s)
    async with session.client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=endpoint_url, config=config
    ) as client:
        reference = AwsCarrier(client, keys)
        if way == "aioboto3":
            yield reference
            return
        bundle = get_session().get_config_variable("ca_bundle")
        with open_wire(client.meta.endpoint_url, read_s=read_s, ca_bundle=bundle) as wire:
            yield LeanCarrier(reference, client, wire, keys)
