"""`/v1/admin/messages/quarantined`: what the operator sees of messages that no dispatcher could handle."""

from datetime import UTC, datetime
from uuid import UUID

from tenants.ids import encode, new_uuid


async def put(database, tenant_id: UUID) -> UUID:
    """Quarantine a message of the tenant."""
    message_id = new_uuid()
    await database.execute(
        "INSERT INTO quarantined_messages (tenant_id, message_id, route, reason, claims, attempts,"
        " quarantined_at) VALUES ($1, $2, 'acc_x', 'claimed_in_vain', 3, 0, $3)",
        tenant_id,
        message_id,
        datetime.now(UTC),
    )
    return message_id


async def test_quarantined_messages_are_listed_the_newest_first_in_pages(
    customer, operator, database
) -> None:
    """A person has to look at them; ids and reasons are enough to find the rest."""
    ids = [await put(database, customer.scope.tenant_id) for _ in range(3)]
    first = (await operator.get("/v1/admin/messages/quarantined?limit=2")).json()
    rest = (await operator.get(f"/v1/admin/messages/quarantined?limit=2&after={first['next_cursor']}")).json()
    listed = [row["message_id"] for row in (*first["data"], *rest["data"])]
    assert listed == [encode("msg", message_id) for message_id in reversed(ids)]
    assert first["data"][0]["reason"] == "claimed_in_vain"
    assert first["data"][0]["tenant_id"] == customer.id
    assert rest["next_cursor"] is None


async def test_a_tenants_key_does_not_open_the_list(customer) -> None:
    """It names other tenants' messages."""
    answer = await customer.api.get("/v1/admin/messages/quarantined")
    assert answer.status_code == 401
