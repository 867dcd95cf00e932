"""Verified numbers over the API: a code goes out and comes back in time and within five guesses."""

from typing import Any

import pytest

from gateway.carrier.verify_ports import VerificationRefused
from gateway.db.transaction import worker_transaction
from tenants.ids import encode
from tenants.senders.service import AccountFacts, SenderFacts, ensure_account, put_sender
from tenants.verification.rules import MOST_ATTEMPTS, MOST_CODES

ALICE = "+12065550111"
PATH = "/v1/verified-numbers"
A_MINUTE_MS = 60_000
A_DAY_MS = 86_400_000


@pytest.fixture
async def tester(world, customer, make_key):
    """A client with a test key of the customer."""
    async with world.client(await make_key(customer.id, mode="test")) as client:
        yield client


async def give_sender(world: Any, customer: Any) -> None:
    async with worker_transaction(world.services.operator_engine) as session:
        account = await ensure_account(session, AccountFacts(region="us-east-1"), name="verifying")
        facts = SenderFacts(
            account_id=account.id,
            type="TOLL_FREE",
            value="+18885550100",
            country="US",
            arn=f"arn:aws:sms-voice:us-east-1:1:phone-number/{customer.slug}",
            parts_per_second=3.0,
        )
        await put_sender(customer.scope, session, facts)


async def enter(client: Any, number: str = ALICE, **more: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"number": number} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def confirm(client: Any, number_id: str, code: str) -> tuple[int, str]:
    answer = await client.post(f"{PATH}/{number_id}/confirm", json={"code": code})
    body = answer.json()
    return answer.status_code, body.get("code") or body["status"]


async def test_a_test_key_verifies_with_the_code_it_is_shown(tester, customer, world) -> None:
    """The sandbox's carrier reaches no phone, so the answer has the code; it is shown once."""
    made = await enter(tester)
    assert (made["status"], made["test"], made["attempts_left"]) == ("pending", True, MOST_ATTEMPTS)
    assert await confirm(tester, made["id"], made["sandbox_code"]) == (200, "verified")
    assert await confirm(tester, made["id"], "000000") == (200, "verified")
    shown = (await tester.get(f"{PATH}/{made['id']}")).json()
    assert (shown["status"], shown["number"], shown["sandbox_code"]) == ("verified", ALICE, None)
    assert customer.scope.tenant_id in world.projection.policies
    assert (await customer.api.get(f"{PATH}/{made['id']}")).status_code == 404, "it is not a live key's"


async def test_five_wrong_guesses_end_a_code_and_another_one_begins_anew(tester) -> None:
    """Six digits are few: whoever may guess for ever verifies any phone."""
    made = await enter(tester)
    wrong = "1" * 7
    for _ in range(MOST_ATTEMPTS):
        assert await confirm(tester, made["id"], wrong) == (422, "verification_code_wrong")
    assert await confirm(tester, made["id"], made["sandbox_code"]) == (409, "verification_closed")
    again = (await tester.post(f"{PATH}/{made['id']}/code", json={})).json()
    assert again["attempts_left"] == MOST_ATTEMPTS
    assert await confirm(tester, made["id"], again["sandbox_code"]) == (200, "verified")


async def test_a_code_expires_and_is_stored_as_a_hash_only(tester, database) -> None:
    """What a copy of the database shows must verify nothing, and an old text neither."""
    made = await enter(tester)
    await database.execute("UPDATE verified_numbers SET code_expires_at = now() - interval '1 second'")
    assert await confirm(tester, made["id"], made["sandbox_code"]) == (409, "verification_closed")
    [row] = await database.fetch("SELECT * FROM verified_numbers ORDER BY id DESC LIMIT 1")
    assert len(row["code_hash"]) == 32
    assert made["sandbox_code"].encode() not in bytes(row["code_hash"])
    assert ALICE not in str(dict(row))


async def test_a_number_gets_so_many_codes_a_day(tester) -> None:
    """Each costs money and rings somebody's phone; when there is another one is told to programs, too."""
    made = await enter(tester)
    for _ in range(MOST_CODES - 1):
        await enter(tester)
    answer = await tester.post(f"{PATH}/{made['id']}/code", json={})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_codes")
    wait_ms = answer.json()["retry_after_ms"]
    assert A_DAY_MS - A_MINUTE_MS < wait_ms <= A_DAY_MS
    assert int(answer.headers["retry-after"]) == -(-wait_ms // 1000)


async def test_a_live_number_is_verified_at_aws_and_its_code_is_nowhere_here(
    customer, world, database
) -> None:
    """AWS has to know the number itself, or its sandbox would not let it be reached."""
    await give_sender(world, customer)
    made = await enter(customer.api)
    assert (made["test"], made["sandbox_code"], world.verifier.sent) == (False, None, [ALICE])
    assert await database.fetchval(
        "SELECT count(*) FROM verified_numbers WHERE NOT test AND code_hash IS NULL"
    )
    assert await confirm(customer.api, made["id"], "999999") == (422, "verification_code_wrong")
    assert await confirm(customer.api, made["id"], world.verifier.code) == (200, "verified")
    assert (await customer.api.delete(f"{PATH}/{made['id']}")).status_code == 204
    assert world.verifier.entries == {}
    assert (await customer.api.get(PATH)).json()["data"] == []


async def test_what_aws_refuses_is_told_and_may_be_asked_again_with_the_same_key(customer, world) -> None:
    """The answer that was stored before AWS was asked must not be replayed as if it had been true."""
    await give_sender(world, customer)
    world.verifier.refusal = VerificationRefused(detail="AWS refused: quota (VERIFICATION_ATTEMPTS_PER_DAY)")
    key = {"Idempotency-Key": "one"}
    refused = await customer.api.post(PATH, json={"number": ALICE}, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "verification_refused")
    assert "VERIFICATION_ATTEMPTS_PER_DAY" in refused.json()["detail"]
    world.verifier.refusal = None
    taken = await customer.api.post(PATH, json={"number": ALICE}, headers=key)
    replayed = await customer.api.post(PATH, json={"number": ALICE}, headers=key)
    assert (taken.status_code, replayed.json()) == (201, taken.json())
    assert world.verifier.sent == [ALICE], "a replay sends no second code"


async def test_an_entry_that_another_tenant_proved_proves_nothing(customer, stranger, world) -> None:
    """Two tenants of one account: the second must not have the first one's phone by naming it."""
    for each in (customer, stranger):
        await give_sender(world, each)
    made = await enter(customer.api)
    assert await confirm(customer.api, made["id"], world.verifier.code) == (200, "verified")
    answer = await stranger.api.post(PATH, json={"number": ALICE})
    assert (answer.status_code, answer.json()["code"]) == (409, "verification_refused")
    [pending] = (await stranger.api.get(PATH)).json()["data"]
    assert pending["status"] == "pending"


async def test_another_tenants_number_is_not_there(tester, stranger, make_key, world) -> None:
    """Not to read, not to confirm, not to delete: 404, as for an id that never was."""
    made = await enter(tester)
    async with world.client(await make_key(stranger.id, mode="test")) as other:
        for answer in (
            await other.get(f"{PATH}/{made['id']}"),
            await other.delete(f"{PATH}/{made['id']}"),
            await other.post(f"{PATH}/{made['id']}/code", json={}),
            await other.post(f"{PATH}/{made['id']}/confirm", json={"code": made["sandbox_code"]}),
            await other.get(f"{PATH}/{encode('vdn', stranger.scope.tenant_id)}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await confirm(tester, made["id"], made["sandbox_code"]) == (200, "verified")


async def test_a_live_number_needs_a_sender_and_any_number_has_to_be_one(customer, tester) -> None:
    """Nobody would send the code."""
    answer = await customer.api.post(PATH, json={"number": ALICE})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_originator")
    answer = await tester.post(PATH, json={"number": "12"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/number")
