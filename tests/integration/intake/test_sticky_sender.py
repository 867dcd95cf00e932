"""A recipient keeps the number of its last message, for eight days."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from gateway.intake.last_sender import kept_sender
from gateway.routing.last_senders import KEPT_FOR
from gateway.routing.reading import RoutingReader
from gateway.routing.sticky import sticky
from tenants.scope import TenantScope
from tests.harness.numbers import us_number

RECIPIENTS = 16
STICKY = {"sticky_sender": True, "country_mps": {"US": 0.001}}
"""One text in a thousand seconds: what is accepted waits, since AWS knows nothing of the numbers added."""


async def sent_by(customer, recipients):
    """Send to each; returns which number each got."""
    answers = await asyncio.gather(
        *(customer.send(to=to, body="Hello", type="transactional") for to in recipients)
    )
    assert {answer.status_code for answer in answers} == {202}, answers[0].text
    return {answer.json()["to"]: answer.json()["from"] for answer in answers}


async def added(stack, customer, count):
    """Add numbers that are the equals of the one that is there; returns them."""
    [account] = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"]
    made = []
    for _ in range(count):
        value = us_number()
        body = {"account": account["id"], "type": "TOLL_FREE", "value": value, "country": "US"}
        body |= {"arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/{uuid4().hex}", "parts_per_second": 100}
        made.append(await stack.operate("post", f"/v1/admin/tenants/{customer.id}/senders", body))
    return made


async def test_numbers_that_come_and_go_take_nobody_away_from_his(stack):
    """Who had to move has the new one from then on, also when the old one is back."""
    customer = await stack.customer(plan=STICKY)
    recipients = [us_number() for _ in range(RECIPIENTS)]
    first = await sent_by(customer, recipients)
    others = await added(stack, customer, 3)
    assert await sent_by(customer, recipients) == first
    newcomers = [us_number() for _ in range(RECIPIENTS)]
    spread = await sent_by(customer, newcomers)
    gone = next(each for each in others if each["value"] in spread.values())
    path = f"/v1/admin/tenants/{customer.id}/senders/{gone['id']}"
    await stack.operate("post", f"{path}/disable", {"reason": "test"})
    moved = await sent_by(customer, newcomers)
    assert gone["value"] not in moved.values()
    assert {to: by for to, by in moved.items() if spread[to] != gone["value"]}.items() <= spread.items()
    await stack.operate("post", f"{path}/enable", {"reason": "test"})
    assert await sent_by(customer, newcomers) == moved


async def test_after_eight_days_without_a_message_a_recipient_has_no_number_of_its_own(stack):
    """Each message begins them anew."""
    customer = await stack.customer(plan=STICKY)
    [to] = recipients = [us_number()]
    number = (await sent_by(customer, recipients))[to]
    await added(stack, customer, 3)
    senders = (await RoutingReader(stack.shared.worker_engine).of(customer.uuid)).senders.values()
    row = await stack.database.fetchrow(
        "SELECT recipient_hash, created_at FROM messages WHERE tenant_id = $1", customer.uuid
    )
    equals = sorted(senders, key=lambda each: each.value != number)
    for hours, kept in ((-1, True), (1, False)):
        now = row["created_at"] + KEPT_FOR + timedelta(hours=hours)
        own = await kept_sender(
            stack.shared.pool,
            TenantScope(tenant_id=customer.uuid),
            equals,
            recipient_hash=row["recipient_hash"],
            now=now,
        )
        assert own == (equals[0] if kept else sticky(equals, row["recipient_hash"]))


async def test_each_message_begins_the_eight_days_anew(stack):
    """Who is written to once a week keeps one number for good, though another would be his by hash."""
    customer = await stack.customer(plan=STICKY)
    recipients = [us_number() for _ in range(RECIPIENTS)]
    first = await sent_by(customer, recipients)
    await added(stack, customer, 3)
    assert await sent_by(customer, recipients) == first
    rows = await stack.database.fetch(
        "SELECT recipient_hash, min(created_at) AS first_at, max(created_at) AS last_at FROM messages "
        "WHERE tenant_id = $1 GROUP BY recipient_hash",
        customer.uuid,
    )
    later = (
        "UPDATE messages SET created_at = created_at + $2::interval WHERE tenant_id = $1 AND created_at = $3"
    )
    for row in rows:
        await stack.database.execute(later, customer.uuid, KEPT_FOR - timedelta(hours=1), row["last_at"])
    equals = list((await RoutingReader(stack.shared.worker_engine).of(customer.uuid)).senders.values())
    [number] = set(first.values())

    async def kept(after):
        owns = [
            await kept_sender(
                stack.shared.pool,
                TenantScope(tenant_id=customer.uuid),
                equals,
                recipient_hash=row["recipient_hash"],
                now=row["first_at"] + after,
            )
            for row in rows
        ]
        return {own.value for own in owns} == {number}

    assert await kept(2 * KEPT_FOR - timedelta(hours=2))
    assert not await kept(2 * KEPT_FOR)
