"""Firehose, CloudWatch Logs and SQS, delivered as calls of their own APIs."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from tests.emulator.conftest import emulated

ROLE = "arn:aws:iam::123456789012:role/events"


class AwsApis:
    """An endpoint that takes any JSON-protocol AWS call and keeps it."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        """Handle one call."""
        await self.calls.put((request.headers["X-Amz-Target"], msgspec.json.decode(await request.read())))
        return web.json_response({})


@pytest.fixture
async def apis() -> AsyncIterator[AwsApis]:
    """A stand-in for the other AWS services."""
    taking = AwsApis()
    app = web.Application()
    app.router.add_post("/", taking.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield taking
    await runner.cleanup()


@pytest.mark.parametrize(
    ("kind", "target", "call"),
    [
        (
            "KinesisFirehoseDestination",
            {
                "IamRoleArn": ROLE,
                "DeliveryStreamArn": "arn:aws:firehose:us-east-1:1:deliverystream/d",
            },
            "Firehose_20150804.PutRecord",
        ),
        (
            "CloudWatchLogsDestination",
            {"IamRoleArn": ROLE, "LogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:sms"},
            "Logs_20140328.PutLogEvents",
        ),
    ],
)
async def test_events_reach_streams_and_log_groups(
    apis: AwsApis, kind: str, target: dict[str, str], call: str
) -> None:
    """One call for each event."""
    async with emulated(firehose_endpoint=apis.url, logs_endpoint=apis.url) as aws:
        number = await aws.number()
        await aws.sms.create_configuration_set(ConfigurationSetName="set")
        await aws.sms.create_event_destination(
            ConfigurationSetName="set",
            EventDestinationName="d",
            MatchingEventTypes=["TEXT_DELIVERED"],
            **{kind: target},
        )
        message_id = await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName="set")
        async with asyncio.timeout(60):
            made, members = await apis.calls.get()
        assert made == call
        if kind == "KinesisFirehoseDestination":
            record = msgspec.json.decode(base64.b64decode(members["Record"]["Data"]))
            assert members["DeliveryStreamName"] == "d"
        else:
            record = msgspec.json.decode(members["logEvents"][0]["message"])
            assert members["logGroupName"] == "sms"
        assert record["messageId"] == message_id


async def test_a_topic_delivers_to_a_queue(apis: AwsApis) -> None:
    """The body of the queue message is the SNS envelope."""
    async with emulated(sqs_endpoint=apis.url) as aws:
        topic = (await aws.sns.create_topic(Name="t"))["TopicArn"]
        queue = "arn:aws:sqs:us-east-1:123456789012:receipts"
        subscribed = await aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        assert subscribed["SubscriptionArn"].startswith(topic)
        sent = await aws.sns.publish(TopicArn=topic, Message="hello")
        async with asyncio.timeout(60):
            made, members = await apis.calls.get()
        assert made == "AmazonSQS.SendMessage"
        assert members["QueueUrl"] == f"{apis.url}/123456789012/receipts"
        envelope = msgspec.json.decode(members["MessageBody"])
        assert (envelope["MessageId"], envelope["Message"]) == (sent["MessageId"], "hello")
