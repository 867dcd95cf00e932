"""Sender ids in bulk on a running gateway: over the operator's API and from a shell."""

import asyncio
import json
import sys
from uuid import uuid4

import pytest

from tests.harness.waiting import until


async def run(stack, *arguments):
    """Run `tollgate sender-ids` with the operator's key; the exit status and what it printed."""
    key = stack.operator.headers["authorization"].removeprefix("Bearer ")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "sender-ids", *arguments),
        *("--api-url", stack.settings.public_url, "--key", key, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    wrote, said = await process.communicate()
    assert wrote, said.decode()
    return process.returncode, json.loads(wrote)


async def test_an_operator_asks_for_a_sender_id_in_many_countries(stack):
    """Ordered from a shell, done by the scheduler, seen by the tenant, compared with AWS."""
    customer = await stack.customer(provision=False)
    tenant = customer.id
    value = f"AC{uuid4().hex[:6].upper()}"
    named = ("--tenant", tenant, "--id", value)
    status, shown = await run(stack, "apply", *named, "--countries", "GB,fr,JO,US")
    assert (status, shown["total"]) == (0, 4)

    async def settled():
        path = f"/v1/admin/tenants/{tenant}/sender-ids/bulk"
        report = (await stack.operator.get(path, params={"sender_id": value})).json()
        return report if report["waiting"] == 0 else None

    report = await until(settled)
    assert {row["country"]: row["state"] for row in report["data"]} == {
        "FR": "created",
        "GB": "created",
        "JO": "registration_required",
        "US": "failed",
    }
    assert report["monthly_usd"] == "0.00"
    senders = (await customer.live.get("/v1/senders")).json()["data"]
    assert {(row["value"], row["country"], row["state"]) for row in senders} == {
        (value, "FR", "active"),
        (value, "GB", "active"),
    }
    status, shown = await run(stack, "status", *named)
    assert (status, shown["failed"]) == (1, 1)
    status, rows = await run(stack, "drift", "--tenant", tenant)
    assert (status, rows) == (0, [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sender_id": "OTP", "countries": ["GB"]}, "/sender_id"),
        ({"sender_id": "ACME", "countries": ["ZZ"]}, "/countries"),
        ({"sender_id": "ACME", "countries": []}, "/countries"),
        ({"sender_id": "ACME", "countries": "some"}, "/countries"),
        ({"sender_id": "ACME", "countries": ["GB"], "message_types": ["x"]}, "/message_types/0"),
    ],
)
async def test_bad_orders_are_refused_with_the_field(stack, body, field):
    """422 with the way out; nothing is ordered."""
    customer = await stack.customer(provision=False)
    path = f"/v1/admin/tenants/{customer.id}/sender-ids/bulk"
    answer = await stack.operator.post(path, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field, answer.text
    assert (await stack.operator.get(path)).json()["total"] == 0
