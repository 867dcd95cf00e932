"""
Answers that never come, and what is done about them at the carrier: at most one flagged resend.

A gateway of its own, which waits one second for a receipt instead of ninety.
"""

import asyncio

import pytest

from tests.harness.ledger import agreeing_books, faults
from tests.harness.numbers import us_number
from tests.harness.stack import US_PROMOTIONAL, running_stack
from tests.harness.waiting import until


@pytest.fixture(scope="module")
async def hasty(database_url, redis_url, emulator):
    """A gateway that decides on unknown outcomes after a second."""
    async with running_stack(database_url, redis_url, emulator, unknown_wait_s=1.0) as stack:
        await stack.emulate("carriers", {"*": {"outcomes": {"DELIVERED": 1.0}}})
        async with agreeing_books(stack.database):
            yield stack


async def unanswered(stack, customer, **members):
    """Send while AWS takes texts, answers with an error and loses its receipts; return the message's id."""
    await stack.emulate(
        "faults",
        {"actions": {"SendTextMessage": {"accept_then_error_rate": 1.0}}, "receipts": {"lose_rate": 1.0}},
    )
    try:
        message_id = (await customer.send(**members)).json()["id"]

        async def is_unknown():
            return await stack.database.fetchval(
                "SELECT count(*) FROM dispatch_queue WHERE state = 'unknown' AND tenant_id = $1",
                customer.uuid,
            )

        await until(is_unknown)
    finally:
        await stack.emulate("faults", {})
    return message_id


@pytest.mark.parametrize("kind", ["otp", "transactional"])
async def test_a_code_without_an_answer_is_sent_once_more_flagged_and_paid_once(hasty, kind):
    """Two texts at the carrier, one charge, and the message says that it may have come twice."""
    customer, recipient = await hasty.customer(credit="1.00"), us_number()
    message_id = await unanswered(hasty, customer, to=recipient, body="Your code is 1", type=kind)
    message = await customer.final(message_id)
    assert (message["status"], message["resend_of_unknown"], message["attempts"]) == ("delivered", True, 2)
    carried = await hasty.carried(to=recipient)
    assert [each["context"]["tg_a"] for each in carried] == ["1", "2"]
    assert message["price"]["final"] == message["price"]["estimated"]
    assert await faults(hasty.database) == []


async def test_an_advertisement_without_an_answer_is_never_sent_again_and_is_free(hasty):
    """A second advertisement is worse than none."""
    customer, recipient = await hasty.customer(senders=[US_PROMOTIONAL], credit="1.00"), us_number()
    message_id = await unanswered(hasty, customer, to=recipient, body="Sale", type="promotional")
    message = await customer.final(message_id)
    assert (message["status"], message["resend_of_unknown"]) == ("unknown", False)
    assert message["status_reason"]["code"] == "no_answer_from_carrier"
    assert len(await hasty.carried(to=recipient)) == 1
    balance = await hasty.database.fetchval("SELECT posted FROM balances WHERE tenant_id = $1", customer.uuid)
    assert balance == 1_000_000


async def test_a_tenant_may_forbid_the_resend(hasty):
    """The plan decides for transactional texts."""
    customer = await hasty.customer(plan={"resend_unknown_transactional": False})
    recipient = us_number()
    message_id = await unanswered(hasty, customer, to=recipient, body="Receipt", type="transactional")
    assert (await customer.final(message_id))["status"] == "unknown"
    assert len(await hasty.carried(to=recipient)) == 1


async def test_an_emptied_redis_loses_nothing_and_sends_nothing_twice(hasty):
    """Redis says whose turn it is; Postgres says what there is. The lanes are built again from it."""
    slow = {"country": "US", "type": "TOLL_FREE", "parts_per_second": 15}
    customer, numbers = await hasty.customer(senders=[slow]), [us_number() for _ in range(45)]
    answers = await asyncio.gather(*(customer.send(to=number, body="x") for number in numbers))
    ids = [answer.json()["id"] for answer in answers]

    async def some_carried():
        return len([each for each in await hasty.carried() if each["destination"] in set(numbers)]) >= 10

    await until(some_carried)
    await hasty.shared.redis.flushdb()
    assert (await customer.send(to=us_number(), body="after")).status_code == 202, (
        "admission is projected again"
    )
    for each in ids:
        assert (await customer.final(each))["status"] == "delivered"
    carried = [each["destination"] for each in await hasty.carried() if each["destination"] in set(numbers)]
    assert sorted(carried) == sorted(numbers)


async def test_an_opt_out_survives_an_emptied_redis(hasty):
    """A STOP is in Postgres; the projection is made again before the next send is let through."""
    customer, recipient = await hasty.customer(), us_number()
    await customer.live.put(f"/v1/opt-outs/{recipient}")
    await hasty.shared.redis.flushdb()
    answer = await customer.send(to=recipient, body="x")
    assert (answer.status_code, answer.json()["code"]) == (403, "opted_out")
