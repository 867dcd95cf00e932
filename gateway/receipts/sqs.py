"""
One SQS queue, as far as receipts need it: the only module of this package that speaks to AWS.

The calls go to the origin of the queue's own URL, so a VPC endpoint or a test server needs no setting.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import msgspec
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from gateway.carrier.session import AwsSession
from gateway.errors import QueueFault
from gateway.telemetry import metrics

BATCH: Final = 10
"""The most that one call of SQS takes or gives."""
_LONGEST_POLL_S: Final = 20
_ANSWER_S: Final = 5
_LONGEST_ERROR: Final = 300
_ACTIONS: Final = {
    "receive": "ReceiveMessage",
    "delete": "DeleteMessageBatch",
    "hide": "ChangeMessageVisibilityBatch",
    "send": "SendMessageBatch",
    "facts": "GetQueueAttributes",
    "find": "GetQueueUrl",
}
"""What AWS calls our calls: the word that a policy has to allow."""


class Letter(Struct, frozen=True, kw_only=True):
    """A message as it was received; hidden from others until its visibility timeout ends."""

    id: str
    handle: str
    """Of this one receipt of it: deletes it, or changes how long it stays hidden."""
    body: str
    receives: int
    """How often it was received, this time included."""
    sent_at_ms: int
    attributes: dict[str, Any] = {}
    """MessageAttributes as sent; handed on when it is moved."""


class QueueFacts(Struct, frozen=True, kw_only=True):
    """What SQS says of a queue."""

    waiting: int
    """About how many messages can be received now."""
    in_flight: int
    """About how many are hidden because somebody has them."""
    visibility_s: int
    retention_s: int
    dead_letter_arn: str | None
    max_receives: int | None
    """After so many receives a message goes to the dead-letter queue; None where there is none."""


class SqsQueue:
    """Calls on one queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self.url = url

    async def receive(self, *, wait_s: int, hidden_s: int) -> list[Letter]:
        """
        Take up to ten messages, waiting for the first.

        Raises:
            QueueFault: SQS refused or did not answer.
        """
        try:
            answer = await self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=min(wait_s, _LONGEST_POLL_S),
                VisibilityTimeout=hidden_s,
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        except (ClientError, BotoCoreError) as error:
            _fail("receive", error)
        return [_letter(each) for each in answer.get("Messages", ())]

    async def delete(self, letters: Sequence[Letter]) -> int:
        """
        Delete messages; returns how many SQS would not delete, which will come again.

        Raises:
            QueueFault: SQS refused or did not answer.
        """
        entries = [{"Id": str(n), "ReceiptHandle": each.handle} for n, each in enumerate(letters)]
        try:
            answer = await self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _fail("delete", error)
        return len(answer.get("Failed", ()))

    async def hide(self, letters: Sequence[Letter], *, seconds: int) -> None:
        """
        Keep messages hidden for so long from now; 0 gives them back at once.

        Raises:
            QueueFault: SQS refused or did not answer.
        """
        entries = [
            {"Id": str(n), "ReceiptHandle": each.handle, "VisibilityTimeout": seconds}
            for n, each in enumerate(letters)
        ]
        try:
            await self._client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _fail("hide", error)

    async def send(self, letters: Sequence[Letter]) -> list[Letter]:
        """
        Send messages once more; returns those that SQS has taken.

        Raises:
            QueueFault: SQS refused or did not answer; some may have been taken.
        """
        entries = [
            {"Id": str(n), "MessageBody": each.body, "MessageAttributes": each.attributes}
            for n, each in enumerate(letters)
        ]
        try:
            answer = await self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _fail("send", error)
        return [letters[int(each["Id"])] for each in answer.get("Successful", ())]

    async def facts(self) -> QueueFacts:
        """
        Ask SQS about the queue.

        Raises:
            QueueFault: It does not exist, or may not be asked.
        """
        try:
            answer = await self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        except (ClientError, BotoCoreError) as error:
            _fail("facts", error)
        return _facts(answer["Attributes"])

    async def dead_letters(self, arn: str) -> "SqsQueue":
        """
        Return the queue with that ARN, by the same credentials.

        Raises:
            QueueFault: It does not exist, or may not be asked.
        """
        account, name = arn.split(":")[4:6]
        try:
            found = await self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        except (ClientError, BotoCoreError) as error:
            _fail("find", error)
        return SqsQueue(self._client, found["QueueUrl"])


@asynccontextmanager
async def open_queue(
    session: AwsSession, url: str, *, region: str, connections: int = 10
) -> AsyncGenerator[SqsQueue]:
    """Open a queue for the length of a block; nothing is asked of it yet."""
    parts = urlsplit(url)
    config = AioConfig(
        connect_timeout=_ANSWER_S,
        read_timeout=_LONGEST_POLL_S + _ANSWER_S,
        max_pool_connections=connections,
        parameter_validation=False,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    async with session.client(
        "sqs", region_name=region, endpoint_url=f"{parts.scheme}://{parts.netloc}", config=config
    ) as client:
        yield SqsQueue(client, url)


def _letter(message: Any) -> Letter:
    told = message.get("Attributes", {})
    return Letter(
        id=message["MessageId"],
        handle=message["ReceiptHandle"],
        body=message.get("Body", ""),
        receives=int(told.get("ApproximateReceiveCount", 1)),
        sent_at_ms=int(told.get("SentTimestamp", 0)),
        attributes=message.get("MessageAttributes", {}),
    )


def _facts(told: dict[str, str]) -> QueueFacts:
    redrive: dict[str, Any] = msgspec.json.decode(told["RedrivePolicy"]) if told.get("RedrivePolicy") else {}
    most = redrive.get("maxReceiveCount")
    return QueueFacts(
        waiting=int(told.get("ApproximateNumberOfMessages", 0)),
        in_flight=int(told.get("ApproximateNumberOfMessagesNotVisible", 0)),
        visibility_s=int(told.get("VisibilityTimeout", 30)),
        retention_s=int(told.get("MessageRetentionPeriod", 345_600)),
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receives=None if most is None else int(most),
    )


def _fail(call: str, error: Exception) -> NoReturn:
    metrics.QUEUE_POLL_FAILURES.labels(call=call).inc()
    raise QueueFault(f"SQS {_ACTIONS[call]}: {str(error)[:_LONGEST_ERROR]}") from error
