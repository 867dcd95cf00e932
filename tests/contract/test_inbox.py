"""`/v1/admin/inbox`: what waits for a person, posted by whoever meets it."""

import re

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.inbox import service
from tenants.inbox.service import Task


def broken(customer, **changes) -> Task:
    """A task of the customer's."""
    given = {
        "kind": "webhook_endpoint.disabled",
        "subject": "wh_1",
        "summary": "An endpoint failed for 120 h.",
        "tenant_id": customer.scope.tenant_id,
        "detail": {"failures": 31},
    } | changes
    return Task(**given)


async def listed(operator, customer, **params) -> list:
    """The customer's tasks as the operator sees them."""
    answer = await operator.get("/v1/admin/inbox", params={"tenant": customer.id} | params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_one_cause_stands_in_the_inbox_once(customer, operator, engines) -> None:
    """A round that meets the same trouble every second must not bury the rest."""
    for _ in range(3):
        async with worker_transaction(engines["operator"]) as session:
            await service.post(session, broken(customer))
    (item,) = await listed(operator, customer)
    assert (item["kind"], item["subject"], item["tenant_id"], item["detail"]) == (
        "webhook_endpoint.disabled",
        "wh_1",
        customer.id,
        {"failures": 31},
    )


async def test_a_tenants_own_doing_posts_and_settles(customer, stranger, operator, engines) -> None:
    """Registrations are submitted in the tenant's session; it may write its own tasks and read none."""
    async with tenant_transaction(engines["tenant"], customer.scope) as session:
        await service.post(session, broken(customer))
    assert len(await listed(operator, customer)) == 1
    async with tenant_transaction(engines["tenant"], stranger.scope) as session:
        await service.settle(
            session,
            kind="webhook_endpoint.disabled",
            subject="wh_1",
            tenant_id=customer.scope.tenant_id,
            note="not mine",
        )
    assert len(await listed(operator, customer)) == 1
    async with tenant_transaction(engines["tenant"], customer.scope) as session:
        await service.settle(
            session,
            kind="webhook_endpoint.disabled",
            subject="wh_1",
            tenant_id=customer.scope.tenant_id,
            note="enabled again",
        )
    assert await listed(operator, customer) == []
    (item,) = await listed(operator, customer, state="resolved")
    assert (item["resolved_by"], item["note"]) == ("gateway", "enabled again")


async def test_the_workers_of_batches_post_over_their_own_connection(customer, operator, engines) -> None:
    """Senders of webhooks and receipts write through asyncpg."""
    async with engines["pool"].acquire() as connection, connection.transaction():
        await service.post(connection, broken(customer))
        await service.post(connection, broken(customer))
    (item,) = await listed(operator, customer)
    assert item["detail"] == {"failures": 31}
    async with engines["pool"].acquire() as connection, connection.transaction():
        await service.settle(
            connection,
            kind=item["kind"],
            subject=item["subject"],
            tenant_id=customer.scope.tenant_id,
            note="well again",
        )
    assert await listed(operator, customer) == []


async def test_a_task_is_closed_once_and_the_cause_may_come_again(customer, operator, engines) -> None:
    """Who closed it first, and with what words, stays; the next time is a task of its own."""
    async with worker_transaction(engines["operator"]) as session:
        await service.post(session, broken(customer))
    (item,) = await listed(operator, customer)
    path = f"/v1/admin/inbox/{item['id']}/resolve"
    closed = await operator.post(path, json={"note": "called the tenant"})
    again = await operator.post(path, json={"note": "another word"})
    assert (closed.status_code, again.status_code) == (200, 200)
    assert again.json() == closed.json()
    assert (closed.json()["resolved_by"], closed.json()["note"]) == ("operator", "called the tenant")
    async with worker_transaction(engines["operator"]) as session:
        await service.post(session, broken(customer))
    assert len(await listed(operator, customer)) == 1
    assert len(await listed(operator, customer, state="all")) == 2
    audit = (await operator.get(f"/v1/admin/tenants/{customer.id}/audit")).json()["data"]
    assert audit[0]["action"] == "inbox.resolved"


async def test_what_concerns_no_tenant_names_none(operator, engines) -> None:
    """The operator's own troubles are posted with the nil UUID and shown without one."""
    async with worker_transaction(engines["operator"]) as session:
        await service.post(session, Task(kind="test.platform", subject="books", summary="They differ."))
    items = (await operator.get("/v1/admin/inbox", params={"kind": "test.platform"})).json()["data"]
    assert [item["tenant_id"] for item in items] == [None]


async def test_the_inbox_is_the_operators(customer) -> None:
    """It names other tenants."""
    assert (await customer.api.get("/v1/admin/inbox")).status_code == 401


async def test_a_task_that_is_not_there_cannot_be_closed(operator) -> None:
    """404, whatever stands in the path."""
    for name in ("task_00000000000000000000000000", "nonsense"):
        answer = await operator.post(f"/v1/admin/inbox/{name}/resolve", json={"note": "x"})
        assert answer.status_code == 404


async def test_the_console_shows_every_task_a_hundred_at_a_time(desk, customer, engines) -> None:
    """What lies below the newest hundred waits for a person, too, and settling it does not lose the place."""
    async with worker_transaction(engines["operator"]) as session:
        for n in range(101):
            await service.post(session, broken(customer, subject=f"wh_{n}", summary=f"Trouble {n}."))
    first = await desk.open("/console/operator/inbox")
    seen = re.findall(r'<h2><bdi dir="ltr">(Trouble \d+\.)</bdi></h2>', first.text)
    assert "+ tasks in the inbox" in (await desk.open("/console/operator")).text
    on = re.search(r'href="(/console/operator/inbox\?after=[^"]+)"', first.text)
    assert on is not None, "no way on"
    second = await desk.open(on.group(1))
    seen += re.findall(r'<h2><bdi dir="ltr">(Trouble \d+\.)</bdi></h2>', second.text)
    assert set(seen) == {f"Trouble {n}." for n in range(101)}
    task = re.search(r'action="(/console/operator/inbox/task_[^"]+)"', second.text).group(1)
    after = re.search(r'name="after" value="([^"]+)"', second.text).group(1)
    assert (await desk.send(task, after=after)).headers["location"] == on.group(1)
