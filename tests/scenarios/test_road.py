"""A send goes all the way: tenant, admission, AWS, receipt, webhook, on real parts."""


async def test_a_live_send_is_delivered_and_paid(stack):
    """The main road, end to end."""
    customer = await stack.customer()
    answer = await customer.send(to="+12065550100", body="Hello")
    assert answer.status_code == 202, answer.text
    message = await customer.final(answer.json()["id"])
    assert message["status"] in {"delivered"}, message
