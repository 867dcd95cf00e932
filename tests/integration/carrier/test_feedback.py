"""Feedback on its way to AWS: heard there, tried again where AWS could not say, dropped where it said no."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gateway.carrier.feedback import FeedbackCourier
from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from tenants.ids import new_uuid
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts
from tests.harness.numbers import us_number
from tests.harness.tenants import enrol
from tests.harness.waiting import until

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_feedback_reaches_aws(stack) -> None:
    """AWS takes it only of a message whose send enabled it: both halves of the road in one."""
    customer, number = await stack.customer(), us_number()
    answer = await customer.send(to=number, body="Your code is 4711", type="transactional", feedback=True)
    assert answer.json()["feedback"] == "pending", answer.text
    final = await customer.final(answer.json()["id"])
    given = await customer.live.post(f"/v1/messages/{final['id']}/feedback", json={"status": "received"})
    assert given.status_code == 200, given.text

    async def heard() -> bool:
        [at_aws] = await stack.carried(to=number)
        return at_aws["feedback"] == "RECEIVED"

    await until(heard)


def refused(code: str, status: int, reason: str = "") -> ClientError:
    """AWS's answer as botocore raises it."""
    said = {"Error": {"Code": code}, "Reason": reason, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "PutMessageFeedback")


class Aws:
    """Answers every call alike."""

    def __init__(self, error: ClientError | None) -> None:
        self.error = error
        self.heard: list[dict[str, str]] = []

    async def put_message_feedback(self, **members: str) -> None:
        """Hear it, or raise."""
        self.heard.append(members)
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "after", "left"),
    [
        (None, timedelta(0), False),
        (refused("ValidationException", 400, "INVALID_REQUEST"), timedelta(0), False),
        (refused("ResourceNotFoundException", 400), timedelta(0), False),
        (refused("ThrottlingException", 400), timedelta(0), True),
        (refused("InternalServerException", 500), timedelta(0), True),
        (refused("AccessDeniedException", 400), timedelta(0), True),
        (refused("ThrottlingException", 400), timedelta(hours=1), False),
    ],
)
async def test_an_order_stays_until_aws_has_decided(
    worker_pool, worker_engine, database, error: ClientError | None, after: timedelta, left: bool
) -> None:
    """A fault of the moment costs no feedback; a no, or the end of the hour, ends the trying."""
    scope, message_id = await enrol(worker_engine), new_uuid()
    async with worker_transaction(worker_engine) as session:
        account = await senders.ensure_account(
            session, AccountFacts(region="us-east-1", endpoint_url=None, sends_per_second=1.0)
        )
    await database.execute("DELETE FROM feedback_orders")
    await database.execute(
        "INSERT INTO feedback_orders (tenant_id, message_id, account_id, provider_message_id, status, due_at,"
        " closes_at) VALUES ($1, $2, $3, 'aws-1', 'received', $4, $5)",
        scope.tenant_id,
        message_id,
        account.id,
        NOW,
        NOW + timedelta(hours=1),
    )
    aws = Aws(error)

    @asynccontextmanager
    async def opened(_: Any) -> Any:
        yield aws

    courier = FeedbackCourier(worker_pool, worker_engine, opened, FixedClock(NOW + after))
    assert await courier.work() == 1
    assert aws.heard == [{"MessageId": "aws-1", "MessageFeedbackStatus": "RECEIVED"}]
    rows = await database.fetch("SELECT due_at FROM feedback_orders WHERE message_id = $1", message_id)
    assert bool(rows) is left
    assert all(row["due_at"] == NOW + timedelta(seconds=2) for row in rows)
    assert await courier.work() == 0
