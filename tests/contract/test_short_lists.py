"""Lists that are read whole take `limit` and `after` like all others, so that one pager reads every list."""

import pytest

from tests.harness.waiting import until

OF_TENANT = [
    "/v1/configuration-sets",
    "/v1/keywords/built-in",
    "/v1/opt-out-lists",
    "/v1/protect/blocks",
    "/v1/protect/configurations",
    "/v1/registration-forms",
    "/v1/statements",
    "/v1/template-library",
    "{message}/events",
    "{template}/versions",
    "{registration}/versions",
    "{registration}/history",
]
OF_OPERATOR = [
    "/v1/admin/aws-accounts",
    "/v1/admin/budgets",
    "/v1/admin/firehose-keys",
    "/v1/admin/keyword-texts",
    "/v1/admin/numbers",
    "/v1/admin/opt-out-lists",
    "/v1/admin/price-books",
    "/v1/admin/protect",
    "/v1/admin/protect-copies",
    "/v1/admin/receipt-queues",
    "/v1/admin/reports/redundancy",
    "{tenant}/budgets",
    "{tenant}/pools",
    "{tenant}/protect",
    "{tenant}/protect/blocks",
    "{tenant}/routes",
    "{tenant}/statements",
]


@pytest.fixture
async def customer(stack):
    """A tenant with something in most of its lists."""
    made = await stack.customer()
    for name in ("one", "two"):
        await made.live.post("/v1/protect/configurations", json={"name": name})
    return made


async def whole_and_by_one(get, path):
    """Read a list at once and a row at a time."""
    whole = (await get(path)).json()
    assert whole["next_cursor"] is None, whole
    rows, cursor = [], {}
    while True:
        answer = await get(path, params={"limit": 1} | cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["data"]) <= 1
        rows += page["data"]
        if page["next_cursor"] is None:
            return whole["data"], rows
        cursor = {"after": page["next_cursor"]}


async def refuse_what_is_no_page(get, path):
    """A limit out of bounds and a cursor of nothing are named."""
    for params, field in (({"limit": 0}, "?limit"), ({"limit": 101}, "?limit"), ({"after": "x"}, "?after")):
        answer = await get(path, params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), path


async def homes(customer):
    """A message with its end, a template, and a registration."""
    sent = await customer.test.post("/v1/messages", json={"to": "+14155550123", "body": "Hello"})
    assert sent.status_code == 202, sent.text
    message = f"/v1/messages/{sent.json()['id']}"

    async def ended():
        return (await customer.test.get(message)).json()["status"] == "delivered"

    await until(ended)
    draft = {"name": "a", "body": "Acme: {code}", "type": "otp"}
    template = await customer.test.post("/v1/templates", json=draft)
    body = {"type": "US_TOLL_FREE_REGISTRATION", "name": "Codes"}
    registration = await customer.test.post("/v1/registrations", json=body)
    return {
        "message": message,
        "template": f"/v1/templates/{template.json()['id']}",
        "registration": f"/v1/registrations/{registration.json()['id']}",
    }


async def test_a_tenant_reads_each_short_list_a_row_at_a_time(customer):
    """`?limit=` was refused by them as a parameter that nobody knows."""
    names = await homes(customer)
    for path in (each.format(**names) for each in OF_TENANT):
        whole, rows = await whole_and_by_one(customer.test.get, path)
        assert rows == whole, path
        await refuse_what_is_no_page(customer.test.get, path)


async def test_the_operator_reads_each_short_list_a_row_at_a_time(customer, stack):
    """As a tenant does."""

    async def get(path, params=None):
        return await stack.operator.get(path, params=params)

    for path in (each.format(tenant=f"/v1/admin/tenants/{customer.id}") for each in OF_OPERATOR):
        whole, rows = await whole_and_by_one(get, path)
        assert rows == whole, path
        await refuse_what_is_no_page(get, path)
