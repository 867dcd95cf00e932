"""A tenant that left is forgotten: its people at once, its rows soon, its money never."""

import io
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.db.transaction import worker_transaction
from gateway.insight.erasing import Erasures
from gateway.messages.keys import TRUSTED_FOR_S, DataKeys
from gateway.messages.reconcile import every_difference
from tests.harness.stored import NUMBER, put
from tests.unit.tenants.onboarding_answers import COMPLETE

FORGET = text("UPDATE tenants SET data_key = '' WHERE id = :id")
TRUST = "UPDATE api_keys SET revoked_at = NULL WHERE tenant_id = $1"
FINAL = {"status": "delivered", "price_final": 0, "price_estimated": 0, "type": "transactional"}


@pytest.fixture
def erasures(world, engines):
    """The scheduler's round, and whom Redis was told to forget."""
    told = []

    async def forget(tenant_id):
        told.append(tenant_id)

    made = Erasures(engines["pool"], engines["operator"], forget, world.services.clock)
    made.told = told
    return made


async def test_only_a_closed_tenant_without_messages_in_flight_is_erased(customer, operator, world) -> None:
    """An open one would go on writing, and a message under way has its money still to be settled."""
    path = f"/v1/admin/tenants/{customer.id}"
    refused = await operator.post(f"{path}/erase")
    assert (refused.status_code, refused.json()["code"]) == (409, "tenant_not_closed")
    await put(world, customer, status="sent", provider_message_id="aws-1")
    await operator.post(f"{path}/close")
    refused = await operator.post(f"{path}/erase")
    assert (refused.status_code, refused.json()["code"]) == (409, "messages_in_flight")
    assert (await operator.get(f"{path}/erase")).status_code == 404
    assert (await operator.get(path)).json()["slug"] == customer.slug


async def test_an_erased_tenant_is_unreadable_at_once_and_gone_soon(
    customer, operator, world, engines, erasures
) -> None:
    """Key and name with the request, the rows with the scheduler; what is left agrees with the books."""
    path = f"/v1/admin/tenants/{customer.id}"
    await operator.post(f"{path}/credits", json={"amount": "1.00", "note": "paid"})
    await put(world, customer, client_reference="of a person", **FINAL)
    assert (await customer.api.put(f"/v1/opt-outs/{NUMBER}")).status_code in {200, 201}
    await operator.post(f"{path}/close")
    assert (await operator.get(f"/v1/admin/messages?numbers=full&tenant={customer.id}")).text.count(
        NUMBER
    ) == 1

    begun = await operator.post(f"{path}/erase")
    assert (begun.status_code, begun.json()["state"], begun.json()["rows"]) == (202, "running", {})
    shown = (await operator.get(f"/v1/admin/messages?numbers=full&tenant={customer.id}")).json()["data"]
    assert [row["to"] for row in shown] == [""]
    tenant = (await operator.get(path)).json()
    assert (tenant["name"], customer.slug in str(tenant), tenant["state"]) == ("erased", False, "closed")

    assert await erasures.work() == 0, "a request under way still writes"
    await erasures.work(begins_after=timedelta(0))
    done = (await operator.get(f"{path}/erase")).json()
    assert (done["state"], done["tenant"]) == ("done", customer.id)
    assert (done["rows"]["messages"], done["rows"]["opt_outs"], done["rows"]["api_keys"]) == (1, 1, 1)
    assert "balances" in done["kept"]
    assert done["rows"]["ledger_transfers"] == 1
    (paid,) = (await operator.get(f"{path}/credits/ledger?kind=top_up")).json()["data"]
    assert (paid["available"], paid["note"]) == ("1.00", "erased")
    assert customer.scope.tenant_id in erasures.told
    assert (await operator.post(f"{path}/erase")).json() == done
    await erasures.work(begins_after=timedelta(0))
    assert erasures.told.count(customer.scope.tenant_id) == 1

    (left,) = (await operator.get(f"/v1/admin/messages?numbers=full&tenant={customer.id}")).json()["data"]
    assert (left["to"], left["status"], left["client_reference"]) == ("", "delivered", None)
    credits_ = (await operator.get(f"{path}/credits")).json()
    assert credits_["available"].startswith("1")
    async with engines["pool"].acquire() as connection:
        found = [
            each for each in await every_difference(connection) if each.tenant_id == customer.scope.tenant_id
        ]
    assert found == []


async def test_a_tenant_that_cannot_be_erased_keeps_no_other_one(
    customer, stranger, operator, world, engines
) -> None:
    """It was asked for first, so nobody behind it was ever forgotten."""
    first, second = customer, stranger
    for each in (first, second):
        for verb in ("close", "erase"):
            assert (await operator.post(f"/v1/admin/tenants/{each.id}/{verb}")).is_success

    async def forget(tenant_id):
        if tenant_id == first.scope.tenant_id:
            raise LookupError("what nobody foresaw")

    erasures = Erasures(engines["pool"], engines["operator"], forget, world.services.clock)
    with pytest.raises(LookupError):
        await erasures.work(begins_after=timedelta(0))
    states = [
        (await operator.get(f"/v1/admin/tenants/{each.id}/erase")).json()["state"] for each in (first, second)
    ]
    assert states == ["running", "done"]


CONSENT = {
    "number": NUMBER, "use_case": "marketing", "type": "promotional", "text": "I agree", "method": "paper",
    "signer": "Alice A.", "evidence": "box 7",
}  # fmt: skip
READ = (
    "messages", "opt-outs", "consents", f"consents/{NUMBER}", "onboarding", "webhook-endpoints",
    "inbound-messages", "templates", "registrations", "protect", "audit", f"lookups/{NUMBER}",
)  # fmt: skip


async def test_between_key_and_rows_everything_reads_as_if_nothing_had_been_said(
    customer, operator, world, engines
) -> None:
    """A big tenant's rows take minutes; no reader of them may break, as long as a key is trusted."""
    path = f"/v1/admin/tenants/{customer.id}"
    await put(world, customer, **FINAL)
    for method, what, body in (
        ("PATCH", "onboarding", COMPLETE),
        ("POST", "consents", CONSENT),
        ("PUT", f"opt-outs/{NUMBER}", None),
        ("POST", "webhook-endpoints", {"url": "https://a.example/"}),
    ):
        answer = await customer.api.request(method, f"/v1/{what}", json=body)
        assert answer.status_code in {200, 201}, answer.text
    await operator.post(f"{path}/close")
    assert (await operator.post(f"{path}/erase")).status_code == 202
    await engines["pool"].execute(TRUST, customer.scope.tenant_id)
    for what in READ:
        answer = await customer.api.get(f"/v1/{what}")
        assert answer.status_code in {200, 404}, (what, answer.text)
        assert NUMBER not in answer.text or what.endswith(NUMBER), what
    for what in ("onboarding", "audit"):
        assert (await operator.get(f"{path}/{what}")).status_code == 200
    exported = await operator.post(f"{path}/export")
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        lines = b"".join(archive.read(name) for name in archive.namelist())
    assert NUMBER.encode() not in lines
    assert b"Alice" not in lines


async def test_the_trail_says_that_a_tenant_was_erased_and_by_whom(
    customer, operator, world, erasures, engines
) -> None:
    """Beside what was done before, of which the subjects are gone."""
    path = f"/v1/admin/tenants/{customer.id}"
    await operator.post(f"{path}/close")
    await operator.post(f"{path}/erase")
    await erasures.work(begins_after=timedelta(0))
    rows = (await operator.get(f"/v1/admin/tenants/{customer.id}/audit")).json()["data"]
    said = {row["action"]: row for row in rows}
    assert {"tenant.erasure_begun", "tenant.erased", "tenant.created"} <= set(said)
    assert customer.slug not in str(rows)


async def test_an_erasure_of_nobody_is_refused(operator, customer, nobody) -> None:
    """Unknown and impossible ids, a tenant's own key and no key at all."""
    for tenant in ("ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", "ten_x", "%00"):
        assert (await operator.post(f"/v1/admin/tenants/{tenant}/erase")).status_code == 404
        assert (await operator.get(f"/v1/admin/tenants/{tenant}/erase")).status_code == 404
    for client in (customer.api, nobody):
        assert (await client.post(f"/v1/admin/tenants/{customer.id}/erase")).status_code == 401


async def test_a_key_is_asked_for_again_after_a_minute(customer, world, engines) -> None:
    """No process opens what is sealed for long after the tenant was erased."""
    now_s = 0.0
    keys = DataKeys(engines["pool"], world.services.settings.secret_key, monotonic=lambda: now_s)
    known = await keys.of(customer.scope.tenant_id)
    assert await keys.of(customer.scope.tenant_id) is known
    async with worker_transaction(world.services.operator_engine) as session:
        await session.execute(FORGET, {"id": customer.scope.tenant_id})
    assert await keys.of(customer.scope.tenant_id) is known
    now_s = TRUSTED_FOR_S
    assert (await keys.of(customer.scope.tenant_id)).open(b"x", context=b"") == b""


async def test_nobody_writes_for_a_tenant_that_is_being_erased(customer, operator, world, engines) -> None:
    """Keys, also test keys, and its people's sessions end with the request: rows would come behind it."""
    path = f"/v1/admin/tenants/{customer.id}"
    of_person = """
        WITH person AS (
            INSERT INTO console_people (id, tenant_id, email_sealed, totp_sealed, email_hash, password_hash)
            VALUES (gen_random_uuid(), $1, '', '', $2, '') RETURNING id
        )
        INSERT INTO console_sessions
            (token_hash, tenant_id, person_id, stage, expires_at, seen_at, created_at)
        SELECT $2, $1, id, 'open', now() + interval '1 hour', now(), now() FROM person
    """
    await engines["pool"].execute(of_person, customer.scope.tenant_id, customer.scope.tenant_id.bytes)
    await operator.post(f"{path}/close")
    await operator.post(f"{path}/erase")
    left = """
        SELECT (SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL) AS keys,
            (SELECT count(*) FROM console_sessions WHERE tenant_id = $1) AS sessions
    """
    row = await engines["pool"].fetchrow(left, customer.scope.tenant_id)
    assert (row["keys"], row["sessions"]) == (0, 0)
