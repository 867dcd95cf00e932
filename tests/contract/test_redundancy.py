"""The operator's report of what one blocked sender could silence, over many tenants at once."""

from typing import Any

from sqlalchemy import text

from gateway.db.transaction import worker_transaction
from gateway.routing import redundancy
from gateway.routing.reading import read_routing, read_routings
from tenants.accounts import service as accounts
from tenants.ids import decode
from tenants.senders.models import SenderQuota
from tests.contract.test_routing import account, sender
from tests.harness.statements import counted


async def different(operator, enrol) -> list[Any]:
    """A tenant with nothing, one with a list of routes and pools, one with an AWS account and a quota."""
    bare, listed, owner = [await enrol(countries=["US", "GB"]) for _ in range(3)]
    one, two = await account(operator), await account(operator)
    routes = {"routes": [two["id"], one["id"]]}
    assert (await operator.put(f"/v1/admin/tenants/{listed.id}/routes", json=routes)).status_code == 200
    ids = [(await sender(operator, listed, one, type="TEN_DLC"))["id"] for _ in range(2)]
    await sender(operator, listed, two, type="SHORT_CODE", message_types=["otp"])
    pool = {"name": "codes", "message_types": ["otp"], "senders": ids, "allow_mixed": True}
    assert (await operator.post(f"/v1/admin/tenants/{listed.id}/pools", json=pool)).status_code == 201
    role = {"role_arn": "arn:aws:iam::111122223333:role/x", "external_id": "xy"}
    own = await account(operator, owner=owner.id, **role)
    row = await sender(operator, owner, own, type="TOLL_FREE")
    await sender(operator, owner, own, type="SENDER_ID", value="ACME", country="GB")
    quota = await operator.patch(
        f"/v1/admin/tenants/{owner.id}/senders/{row['id']}", json={"parts_per_second": 7}
    )
    assert quota.status_code == 200, quota.text
    return [bare, listed, owner]


async def test_what_many_tenants_could_send_from_is_what_each_could_by_itself(operator, enrol, world):
    """Read together, nobody gets another's senders, accounts or routes."""
    scopes = [customer.scope for customer in await different(operator, enrol)]
    async with worker_transaction(world.services.operator_engine) as session:
        plans = {each.tenant_id: accounts.plan_of(await accounts.get(each, session)) for each in scopes}
        together = await read_routings(session, plans)
        alone = {each.tenant_id: await read_routing(each, session, plans[each.tenant_id]) for each in scopes}
    assert together == alone
    bare, listed, owner = (together[each.tenant_id] for each in scopes)
    assert [len(each.senders) for each in (bare, listed, owner)] == [0, 3, 2]
    assert [len(each.pools) for each in (bare, listed, owner)] == [0, 1, 0]
    assert [route.position for route in listed.routes.values()] == [1, 2]
    assert len(owner.routes) == len(bare.routes) + 1


async def test_tenants_of_one_number_have_each_its_own_quota(operator, enrol, world):
    """A number that two of them share is a row of each, under one id."""
    first, second = [await enrol(countries=["US"]) for _ in range(2)]
    shared = await sender(operator, first, await account(operator), type="TEN_DLC")
    sender_id = decode("idn", shared["id"])
    scopes = [first.scope, second.scope]
    async with worker_transaction(world.services.operator_engine) as session:
        await session.execute(
            text(_SHARED), {"owner": scopes[0].tenant_id, "guest": scopes[1].tenant_id, "sender": sender_id}
        )
        for scope, rate in zip(scopes, (7.0, 3.0), strict=True):
            quota = SenderQuota(tenant_id=scope.tenant_id, sender_id=sender_id, parts_per_second=rate)
            await session.merge(quota)
        await session.flush()
        plans = {each.tenant_id: accounts.plan_of(await accounts.get(each, session)) for each in scopes}
        together = await read_routings(session, plans)
        assert together == {
            each.tenant_id: await read_routing(each, session, plans[each.tenant_id]) for each in scopes
        }
    rates = [together[each.tenant_id].senders[sender_id].gates.parts_per_second for each in scopes]
    assert rates == [7.0, 3.0]


_SHARED = """
    INSERT INTO senders
    SELECT (jsonb_populate_record(s, jsonb_build_object('tenant_id', CAST(:guest AS uuid)))).* FROM senders s
    WHERE tenant_id = :owner AND id = :sender
"""


async def test_the_report_asks_as_much_of_postgres_for_many_tenants_as_for_few(operator, enrol, world):
    """A thousand tenants would be three thousand queries otherwise, in one transaction."""
    engine = world.services.operator_engine
    counts = []
    for _ in range(2):
        customers = await different(operator, enrol)
        async with worker_transaction(engine) as session:
            with counted(engine) as asked:
                found = await redundancy.gaps(session)
        counts.append(len(asked))
        bare = [gap.country for gap in found if gap.tenant_id == customers[0].scope.tenant_id]
        assert bare == ["GB", "US"]
    assert counts[0] == counts[1] <= 6
