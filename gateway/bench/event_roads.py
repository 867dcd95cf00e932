"""By which road the emulator's events come back: as posts of SNS's, or through a Firehose stream."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias

import msgspec

from gateway.bench.bare_calls import HEADERS, sender_of
from gateway.bench.children import free_port
from gateway.bench.deliveries import firehose_key
from gateway.bench.ground import Ground, open_ground
from gateway.carrier.provision.shapes import DESTINATION

Road: TypeAlias = Literal["firehose", "sns"]

_STREAM: Final = "stream"
_ROLE: Final = "arn:aws:iam::123456789012:role/events"
_STREAM_ARN: Final = "arn:aws:firehose:us-east-1:123456789012:deliverystream/bench"


class EventRoads:
    """The destinations of the tenant's configuration set: one of them takes the events."""

    def __init__(self, ground: Ground, configuration_set: str) -> None:
        self._ground = ground
        self._set = configuration_set

    async def add_stream(self) -> None:
        """Add the stream beside the topic that provisioning has set, as an operator does."""
        target = {"IamRoleArn": _ROLE, "DeliveryStreamArn": _STREAM_ARN}
        await self._call(
            "CreateEventDestination", _STREAM, MatchingEventTypes=["ALL"], KinesisFirehoseDestination=target
        )

    async def take(self, road: Road) -> None:
        """Have the events of what is sent from now on come by this road, and by no other."""
        await self._call("UpdateEventDestination", DESTINATION, Enabled=road == "sns")
        await self._call("UpdateEventDestination", _STREAM, Enabled=road == "firehose")

    async def _call(self, action: str, destination: str, **members: Any) -> None:
        named = {"ConfigurationSetName": self._set, "EventDestinationName": destination}
        headers = HEADERS | {"x-amz-target": f"PinpointSMSVoiceV2.{action}"}
        async with self._ground.http.post(
            self._ground.emulator_url, data=msgspec.json.encode(named | members), headers=headers
        ) as answer:
            answer.raise_for_status()


@asynccontextmanager
async def open_roads(*, told: tuple[str, ...]) -> AsyncGenerator[tuple[Ground, EventRoads]]:
    """Build a ground with one webhook endpoint, and both roads."""
    port = free_port()
    async with open_ground(
        endpoints=1, told=told, emulator=("--firehose-endpoint", f"http://127.0.0.1:{port}")
    ) as ground:
        settings = ground.stack.settings
        arguments = (str(port), settings.public_url, await firehose_key(settings))
        stream = await ground.stack.start("stream", "gateway.bench.delivery_stream", *arguments)
        await stream.hear()
        _, configuration_set = await sender_of(ground.pool)
        roads = EventRoads(ground, configuration_set)
        await roads.add_stream()
        yield ground, roads
