"""F-MIGR on a running gateway: the senders of a tenant that comes over, and how much of a country does."""

import asyncio
from uuid import uuid4

from click.testing import CliRunner

from gateway.cli.migration import command
from tests.harness.numbers import us_number
from tests.harness.stack import OPERATOR_KEY


def home(customer) -> str:
    """Return the operator's path of the tenant's migration."""
    return f"/v1/admin/tenants/{customer.id}/migration"


async def test_numbers_are_adopted_ported_replaced_or_left(stack) -> None:
    """What the account leases becomes the tenant's sender; porting is a task until it is over."""
    wish = {"reference": uuid4().hex, "country": "GB", "type": "LONG_CODE", "accept_cost": True}
    ours, port = await stack.operate("post", "/v1/admin/numbers", wish), us_number()
    theirs = await stack.operate("post", "/v1/admin/numbers", wish | {"reference": uuid4().hex})
    customer, other = [await stack.customer(provision=False, countries=["GB", "US"]) for _ in range(2)]
    taken = {"senders": [{"country": "GB", "type": "LONG_CODE", "value": theirs["value"]}]}
    await stack.operate("post", f"/v1/admin/tenants/{other.id}/provision", taken | {"dedicated_pool": False})
    numbers = (
        "value,country,type,way\n"
        f"{ours['value']},GB,LONG_CODE,adopt\n"
        f"{theirs['value']},GB,LONG_CODE,adopt\n"
        f"{port},US,TOLL_FREE,port\n"
        "ACME,GB,SENDER_ID,port\n"
        "55555,US,SHORT_CODE,replace\n"
        "66666,US,SHORT_CODE,leave\n"
        "77777,US,PIGEON,leave\n"
    )
    files = {"provider": "Other", "numbers": numbers}
    expected = ["new", "refused", "waiting", "refused", "by_hand", "new", "faulty"]
    for act in ("plan", "apply"):
        report = await stack.operate("post", f"{home(customer)}/{act}", files)
        assert [row["outcome"] for row in report["rows"]] == expected, act
    (sender,) = (await customer.live.get("/v1/senders")).json()["data"]
    assert (sender["value"], sender["state"]) == (ours["value"], "active")
    shown = {each["value"]: each for each in (await customer.live.get("/v1/migration")).json()["numbers"]}
    assert {value: each["state"] for value, each in shown.items()} == {
        ours["value"]: "done",
        port: "planned",
        "55555": "planned",
        "66666": "done",
    }
    again = await stack.operate("post", f"{home(customer)}/apply", files)
    assert again["rows"][0]["outcome"] == "known"
    assert "migration.port" in await tasks(stack, customer)
    moved = await stack.operate(
        "patch", f"{home(customer)}/numbers/{port}", {"state": "refused", "case": "case-7"}
    )
    assert (moved["state"], moved["case"]) == ("refused", "case-7")
    assert "migration.port" not in await tasks(stack, customer)
    await comes_over(stack, customer)


async def comes_over(stack, customer) -> None:
    """Raise a country's share: who came over stays, and no share stands without a sender."""
    shares = f"{home(customer)}/cut-over"
    refused = await stack.operator.put(shares, json={"shares": {"GB": 10, "US": 10}})
    assert (refused.status_code, refused.json()["code"]) == (409, "cut_over_not_ready")
    people = [f"+4479{number:08d}" for number in range(8)]
    before: set[str] = set()
    for percent in (0, 30, 70, 100):
        await stack.operate("put", shares, {"shares": {"GB": percent}})
        here = {person for person in people if await side_of(customer, person) == "here"}
        assert before <= here
        before = here
    assert before == set(people)
    assert await side_of(customer, us_number()) == "provider"
    (gb, us) = (await customer.live.get("/v1/migration")).json()["countries"]
    assert (gb["country"], gb["ready"], gb["percent"]) == ("GB", True, 100)
    assert (us["country"], us["ready"], us["percent"]) == ("US", False, 0)


async def side_of(customer, number: str) -> str:
    """Return who texts a number."""
    return (await customer.live.get(f"/v1/migration/recipients/{number}")).json()["side"]


async def tasks(stack, customer) -> set[str]:
    """Return the kinds of the operator's open tasks about a tenant."""
    page = await stack.operate("get", f"/v1/admin/inbox?limit=100&tenant={customer.id}")
    return {each["kind"] for each in page["data"]}


async def test_the_commands_say_what_the_api_says(stack, tmp_path) -> None:
    """From the inventory of an account to the table of what is left to do."""
    wish = {"reference": uuid4().hex, "country": "GB", "type": "LONG_CODE", "accept_cost": True}
    spare = await stack.operate("post", "/v1/admin/numbers", wish)
    customer = await stack.customer(provision=False, countries=["GB"])
    code, listed = await run(stack, "inventory")
    assert (code, f"{spare['value']},GB,LONG_CODE,adopt" in listed.splitlines()) == (0, True)
    (tmp_path / "numbers.csv").write_text(f"value,country,type,way\n{spare['value']},GB,LONG_CODE,adopt\n")
    (tmp_path / "volumes.csv").write_text("country,messages_per_month\nGB,1000\nZZ,1\n")
    for act in ("plan", "apply"):
        code, said = await run(stack, act, customer.id, str(tmp_path), "--provider", "Other")
        assert (code, "AWS sends to no country" in said) == (1, True), said
    code, said = await run(stack, "cut-over", customer.id, "GB=50")
    assert (code, "50" in said) == (0, True), said
    code, said = await run(stack, "number", customer.id, spare["value"], "done", "--note", "moved")
    assert (code, "moved" in said) == (0, True), said
    code, said = await run(stack, "show", customer.id)
    assert (code, spare["value"] in said) == (0, True), said


async def run(stack, *words: str) -> tuple[int, str]:
    """Return the exit status of a command of `tollgate migration` and what it printed."""
    asked = [*words, "--api-url", stack.settings.public_url, "--key", OPERATOR_KEY]
    done = await asyncio.to_thread(CliRunner().invoke, command, asked)
    return done.exit_code, f"{done.stdout}{done.exception or ''}"
