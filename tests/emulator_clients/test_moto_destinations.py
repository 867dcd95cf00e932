"""Event destinations that end in moto's server: another SQS, Firehose and CloudWatch Logs."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aioboto3
import pytest
from moto.server import ThreadedMotoServer

from tests.emulator.conftest import ONE_ATTEMPT, REGION, Aws, emulated
from tests.harness.waiting import until

ROLE = "arn:aws:iam::123456789012:role/events"


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """A moto server of this module."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Moto:
    """Clients of the services that moto plays."""

    def __init__(self, **clients: Any) -> None:
        self.s3 = clients["s3"]
        self.sqs = clients["sqs"]
        self.logs = clients["logs"]
        self.firehose = clients["firehose"]


@pytest.fixture
async def moto(moto_url: str) -> AsyncIterator[Moto]:
    """Open clients for the moto server."""
    session = aioboto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)
    options = {"endpoint_url": moto_url, "config": ONE_ATTEMPT}
    async with (
        session.client("s3", **options) as s3,
        session.client("sqs", **options) as sqs,
        session.client("logs", **options) as logs,
        session.client("firehose", **options) as firehose,
    ):
        yield Moto(s3=s3, sqs=sqs, logs=logs, firehose=firehose)


@pytest.fixture
async def aws(moto_url: str) -> AsyncIterator[Aws]:
    """An emulator whose destinations are moto's."""
    async with emulated(sqs_endpoint=moto_url, firehose_endpoint=moto_url, logs_endpoint=moto_url) as running:
        await running.sms.create_configuration_set(ConfigurationSetName="set")
        yield running


async def deliver_to(aws: Aws, **destination: Any) -> None:
    """Let every text event of the set go to a destination."""
    await aws.sms.create_event_destination(
        ConfigurationSetName="set",
        EventDestinationName="moto",
        MatchingEventTypes=["TEXT_ALL"],
        **destination,
    )


async def send(aws: Aws) -> str:
    """Send a text through the set and return its MessageId."""
    number = await aws.number()
    return await aws.send(
        OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName="set", Context={"order": "7"}
    )


async def settled(aws: Aws, events: int) -> None:
    """Wait until the emulator has handed over a number of events, none of them in vain."""

    async def handed_over() -> bool:
        stats = await aws.control("GET", "stats")
        assert stats["events_failed"] == 0
        return stats["events_delivered"] >= events

    await until(handed_over)


async def test_events_pass_a_topic_into_a_queue(aws: Aws, moto: Moto) -> None:
    """SNS to SQS: what a consumer receives is the signed envelope around the event."""
    queue_url = (await moto.sqs.create_queue(QueueName="receipts"))["QueueUrl"]
    named = await moto.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    topic_arn = (await aws.sns.create_topic(Name="events"))["TopicArn"]
    await aws.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=named["Attributes"]["QueueArn"])
    await deliver_to(aws, SnsDestination={"TopicArn": topic_arn})
    message_id = await send(aws)
    envelopes: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while not any(json.loads(each["Message"])["isFinal"] for each in envelopes):
            received = await moto.sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=5
            )
            envelopes += [json.loads(each["Body"]) for each in received.get("Messages", [])]
    assert {each["TopicArn"] for each in envelopes} == {topic_arn}
    events = [json.loads(each["Message"]) for each in envelopes]
    assert {each["messageId"] for each in events} == {message_id}
    assert all(each["context"] == {"order": "7"} for each in events)


async def test_events_reach_a_bucket_through_a_delivery_stream(aws: Aws, moto: Moto) -> None:
    """Firehose to S3: one record for each event of the message."""
    await moto.s3.create_bucket(Bucket="sms-events")
    bucket = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::sms-events"}
    made = await moto.firehose.create_delivery_stream(
        DeliveryStreamName="events", ExtendedS3DestinationConfiguration=bucket
    )
    stream = {"IamRoleArn": ROLE, "DeliveryStreamArn": made["DeliveryStreamARN"]}
    await deliver_to(aws, KinesisFirehoseDestination=stream)
    message_id = await send(aws)
    await settled(aws, 2)
    listed = (await moto.s3.list_objects_v2(Bucket="sms-events"))["Contents"]
    records = [await stored_record(moto, each["Key"]) for each in listed]
    assert {each["messageId"] for each in records} == {message_id}
    assert any(each["isFinal"] for each in records)


async def stored_record(moto: Moto, key: str) -> dict[str, Any]:
    """Return the event in one object of the bucket."""
    stored = await moto.s3.get_object(Bucket="sms-events", Key=key)
    async with stored["Body"] as body:
        return json.loads(await body.read())


async def test_events_reach_a_log_group_that_somebody_has_just_made(aws: Aws, moto: Moto) -> None:
    """CloudWatch Logs: the owner makes the group and nothing else, as AWS's walk-through has it."""
    await moto.logs.create_log_group(logGroupName="sms")
    group = {"IamRoleArn": ROLE, "LogGroupArn": f"arn:aws:logs:{REGION}:123456789012:log-group:sms"}
    await deliver_to(aws, CloudWatchLogsDestination=group)
    message_id = await send(aws)
    await settled(aws, 2)
    found = await moto.logs.filter_log_events(logGroupName="sms")
    records = [json.loads(each["message"]) for each in found["events"]]
    assert {each["messageId"] for each in records} == {message_id}
    assert [each["timestamp"] for each in found["events"]] == [each["eventTimestamp"] for each in records]
    assert any(each["isFinal"] for each in records)


async def test_without_an_endpoint_a_queue_gets_nothing_and_aws_hears_nothing() -> None:
    """An emulator that is not told of an SQS drops what is meant for one, and counts it."""
    async with emulated() as aws:
        topic_arn = (await aws.sns.create_topic(Name="events"))["TopicArn"]
        queue = f"arn:aws:sqs:{REGION}:123456789012:receipts"
        await aws.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue)
        await aws.sns.publish(TopicArn=topic_arn, Message="hello")
        stats = await aws.control("GET", "stats")
    assert (stats["events_failed"], stats["delivery_attempts"]) == (1, 0)
