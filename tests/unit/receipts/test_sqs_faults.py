"""What is said of a call that SQS did not answer."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from gateway.errors import QueueFault
from gateway.receipts.sqs import SqsQueue


class Away:
    """A client of an SQS that cannot be reached."""

    def __getattr__(self, name: str) -> Any:
        """Every call of the client."""

        async def call(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")

        return call


async def test_a_fault_names_what_aws_calls_the_call() -> None:
    """It is the word that a policy has to allow; ours says nothing to who looks after AWS."""
    queue = SqsQueue(Away(), "https://sqs.example/1/q")
    with pytest.raises(QueueFault, match=r"^SQS GetQueueAttributes: Could not connect"):
        await queue.facts()
    with pytest.raises(QueueFault, match=r"^SQS GetQueueUrl: "):
        await queue.dead_letters("arn:aws:sqs:us-east-1:123456789012:dead")
    with pytest.raises(QueueFault, match=r"^SQS ReceiveMessage: "):
        await queue.receive(wait_s=0, hidden_s=1)
