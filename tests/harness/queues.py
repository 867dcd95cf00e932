"""SQS as moto's server plays it: queues with dead letters, to send to and to look into."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aioboto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


@contextlib.contextmanager
def running_moto():
    """Run a server for the length of a block; yields its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@dataclass
class TestQueue:
    """A queue and its dead letters."""

    __test__ = False
    sqs: Any
    url: str
    dead_url: str

    async def send(self, *bodies: str) -> None:
        """Put messages into the queue, ten at a time."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])
            ]
            await self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    async def left(self, url: str | None = None) -> int:
        """Return how many messages there are, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = await self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)

    async def dead(self) -> int:
        """Return how many messages are in the dead-letter queue."""
        return await self.left(self.dead_url)


@contextlib.asynccontextmanager
async def open_test_queue(moto_url: str, name: str, *, max_receives: int = 5) -> AsyncIterator[TestQueue]:
    """Make a queue whose messages die after so many receives."""
    session = aioboto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)
    async with session.client("sqs", endpoint_url=moto_url) as sqs:
        dead_url = (await sqs.create_queue(QueueName=f"{name}-dead"))["QueueUrl"]
        told = await sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": told["Attributes"]["QueueArn"], "maxReceiveCount": max_receives}
        made = await sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive)})
        yield TestQueue(sqs, made["QueueUrl"], dead_url)
