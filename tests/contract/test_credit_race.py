"""Credit for exactly k messages and 64 clients at once, through the real API: k are accepted, never k+1."""

import asyncio
import contextlib
import itertools
from uuid import uuid4

import httpx
import pytest

from tests.harness.ledger import faults
from tests.harness.numbers import us_number
from tests.harness.waiting import until

CLIENTS = 64


async def race(stack, customers, credit):
    """Let 64 clients send, eight more per tenant than it can pay; return the 202s per tenant."""
    accepted = {customer.id: set() for customer in customers}
    wanted = itertools.chain.from_iterable(itertools.repeat(customers, credit + 8))
    turns = iter(list(wanted))

    async def client():
        for customer in turns:
            answer = await send(customer)
            assert answer.status_code in {202, 402}, answer.text
            if answer.status_code == 202:
                accepted[customer.id].add(answer.json()["id"])
            else:
                assert answer.json()["code"] == "insufficient_credits"

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return {name: len(ids) for name, ids in accepted.items()}


async def send(customer):
    """Send once; on a connection that the server closed for idleness, again with the same key."""
    key, to = uuid4().hex, us_number()
    for _ in range(3):
        with contextlib.suppress(httpx.TransportError):
            return await customer.send(key, to=to, body="Hello", type="transactional")
    raise AssertionError("the API does not answer")


@pytest.mark.parametrize(("tenants", "credit"), [(1, 200), (50, 6)], ids=["one hot tenant", "50 tenants"])
async def test_credit_for_k_messages_accepts_k(stack, tenants, credit):
    """The last credit goes to one of 64, and nobody's balance goes below zero."""
    shape = {"plan": {"pricing": "credits"}, "credit": credit}
    customers = [await stack.customer(**shape) for _ in range(tenants)]
    accepted = await race(stack, customers, credit)
    assert set(accepted.values()) == {credit}
    for customer in customers:
        rows = await stack.database.fetchval(
            "SELECT count(*) FROM messages WHERE tenant_id = $1", customer.uuid
        )
        spent = await stack.database.fetchrow("SELECT * FROM balances WHERE tenant_id = $1", customer.uuid)
        assert rows == credit
        assert spent["posted"] - spent["held"] == 0
    assert await faults(stack.database) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "credits", {"amount": "5.00"}),
        ("post", "credits/adjust", {"amount": "5.00"}),
        ("post", "credits/corrections", {"amount": "5.00", "reason": "a test"}),
        ("put", "budgets", {"budgets": [{"cap": "5.00"}]}),
    ],
)
async def test_an_amount_is_read_in_the_unit_in_which_it_is_posted(stack, method, path, body):
    """While it waits for the balance the pricing may change: five dollars are not five million credits."""
    customer = await stack.customer(credit=None)
    async with stack.database.acquire() as connection:
        async with connection.transaction():
            await connection.execute(
                "UPDATE balances SET unit = 'credits' WHERE tenant_id = $1", customer.uuid
            )
            await connection.execute(
                'UPDATE tenants SET plan = plan || \'{"pricing": "credits"}\' WHERE id = $1', customer.uuid
            )
            own = await connection.fetchval("SELECT pg_backend_pid()")
            asked = asyncio.create_task(
                stack.operate(method, f"/v1/admin/tenants/{customer.id}/{path}", body)
            )
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
            await until(lambda: stack.database.fetchval(blocked, own))
        with pytest.raises(AssertionError, match="invalid_amount"):
            await asked
    posted = await stack.database.fetchval("SELECT posted FROM balances WHERE tenant_id = $1", customer.uuid)
    caps = await stack.database.fetchval("SELECT count(*) FROM budgets WHERE tenant_id = $1", customer.uuid)
    assert (posted, caps) == (0, 0)
