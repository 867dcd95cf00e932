"""Accounts that come and change while the dispatcher runs, and whether one could be used at all."""

import httpx

from tests.harness.numbers import us_number
from tests.harness.waiting import until

ROLE_ARN = "arn:aws:iam::444455556666:role/tollgate-sender"


async def test_an_account_added_by_role_is_carried_without_a_restart(stack) -> None:
    """A tenant's own account: provisioned through the role, sent from it, by processes that run already."""
    account = await stack.operate(
        "PUT",
        "/v1/admin/aws-accounts/their-own",
        {
            "region": "us-east-1",
            "endpoint_url": stack.emulator.base_url,
            "role_arn": ROLE_ARN,
            "external_id": "tenant-7",
            "sends_per_second": 1000,
        },
    )
    checked = await stack.operate("POST", f"/v1/admin/aws-accounts/{account['id']}/check")
    assert checked["ok"], checked
    assert [step["name"] for step in checked["steps"]] == [
        "credentials",
        "describe_account_attributes",
        "dry_run_send",
    ]
    customer = await stack.customer(account=account["id"])
    answer = await customer.send(to=us_number(), body="From their own account", type="transactional")
    assert answer.status_code == 202, answer.text
    final = await customer.final(answer.json()["id"])
    assert final["status"] == "delivered"


async def test_an_account_that_cannot_be_used_says_why(stack) -> None:
    """Before activation, not by the first lost hour of messages."""
    account = await stack.operate(
        "PUT",
        "/v1/admin/aws-accounts/broken",
        {
            "region": "us-east-1",
            "endpoint_url": stack.emulator.base_url,
            "role_arn": "arn:aws:iam::1:role/x",
        },
    )
    checked = await stack.operate("POST", f"/v1/admin/aws-accounts/{account['id']}/check")
    assert not checked["ok"]
    assert [step["name"] for step in checked["steps"]] == ["credentials"]
    assert "AssumeRole was refused" in checked["steps"][0]["detail"]


async def test_an_account_that_does_not_exist_cannot_be_checked(stack) -> None:
    """Nor can what is no id."""
    for named in ("acc_00000000000000000000000000", "nonsense"):
        answer = await stack.operator.post(f"/v1/admin/aws-accounts/{named}/check")
        assert answer.status_code == httpx.codes.NOT_FOUND


async def test_a_changed_rate_is_obeyed_without_a_restart(stack) -> None:
    """`sends_per_second` is raised by a support case while messages wait."""
    facts = {"region": "us-east-1", "endpoint_url": stack.emulator.base_url, "role_arn": ROLE_ARN}
    slow = await stack.operate("PUT", "/v1/admin/aws-accounts/slow", facts | {"sends_per_second": 0.05})
    customer = await stack.customer(account=slow["id"])
    ids = []
    for _ in range(3):
        answer = await customer.send(to=us_number(), body="At its rate", type="transactional")
        ids.append(answer.json()["id"])

    async def first_left():
        return [each for each in ids if (await customer.message(each))["status"] != "queued"]

    await until(first_left)
    await stack.operate("PUT", "/v1/admin/aws-accounts/slow", facts | {"sends_per_second": 1000})
    for each in ids:
        assert (await customer.final(each))["status"] == "delivered"
