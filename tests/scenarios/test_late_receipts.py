"""
Receipts that come after three days, and receipts that come before the send is on record (row 21).

What AWS says late is what the emulator holds back until its clock is moved; the gateway's scheduler lives
three days later meanwhile, so that it has closed the messages by then.
"""

import json
import os
import signal

import pytest

from gateway.faultpoints import FaultPoint
from tenants.ids import encode
from tests.harness.clients import new_clients
from tests.harness.ledger import faults
from tests.harness.receipts import event
from tests.harness.roads import LIFE, poster_of
from tests.harness.waiting import until

pytestmark = pytest.mark.scenario

MESSAGES = 4
LATE_S = 73 * 3600
BUILDS = int(os.environ.get("SCENARIO_BUILDS", "1"))
"""How many of the broken builds of one checker are tried."""
STANDING = """
    SELECT m.id, m.status, m.price_final, m.price_estimated,
        (SELECT count(*) FROM events e WHERE e.message_id = m.id AND e.type = 'message.unknown') AS closed,
        (SELECT count(*) FROM events e WHERE e.message_id = m.id AND e.type = 'message.delivered') AS told,
        (SELECT count(*) FROM ledger_transfers l WHERE l.subject_id = m.id AND l.kind = 'recapture') AS paid
    FROM messages m WHERE m.tenant_id = $1
"""


async def standing(fleet, clients):
    """What the tenant's messages are, what they cost and what was told of them."""
    return await fleet.database.fetch(STANDING, clients.tenant_id)


async def all_are(fleet, clients, status):
    """Whether every message of the tenant has the status; the messages, once it is so."""
    rows = await standing(fleet, clients)
    return rows if len(rows) == MESSAGES and all(row["status"] == status for row in rows) else []


async def heard_after_three_days(fleet, *, broken=""):
    """Close messages that AWS is silent about, then let AWS speak; whatever is not as it must be."""
    clients = await new_clients(fleet)
    await fleet.emulate("faults", {"receipts": {"delay_ms": LATE_S * 1000}})
    await fleet.start("dispatcher")
    await clients.send(MESSAGES, types=("transactional",))
    sent = await until(lambda: all_are(fleet, clients, "sent"), within_s=60)
    poster = await poster_of(fleet)
    await poster.post_all([_free(row["id"]) for row in sent])
    await fleet.start("workers", broken=broken, SCENARIO_LATER_S=str(LATE_S))
    closed = await until(lambda: all_are(fleet, clients, "unknown"), within_s=60)
    assert [row["price_final"] for row in closed] == [0] * MESSAGES, "what AWS called free was charged"
    # The events come over SNS to the API, which projects and settles them: it is of the same build.
    await fleet.ensure("api", broken=broken)
    await fleet.emulate("clock", {"advance_seconds": LATE_S + 3600})

    async def heard():
        query = "SELECT count(*) FROM receipts WHERE tenant_id = $1 AND event_type = 'TEXT_DELIVERED'"
        return await fleet.database.fetchval(query, clients.tenant_id) == MESSAGES

    await until(heard, within_s=60)
    found = [
        f"{encode('msg', row['id'])}: {tuple(row)[1:]}"
        for row in await standing(fleet, clients)
        if (row["status"], row["price_final"]) != ("delivered", row["price_estimated"])
        or (row["closed"], row["told"], row["paid"]) != (1, 1, 1)
    ]
    return found + await faults(fleet.database, of_tenant=clients.tenant_id)


def _free(message_id):
    """An early word of AWS that it charges nothing, so that closing the message costs nothing."""
    early = event("PENDING", message_id=message_id, provider_message_id=f"aws-{message_id}", price=0)
    return json.dumps(early | {"totalCarrierFee": 0})


async def test_a_receipt_after_three_days_upgrades_and_settles_anew(fleet):
    """Row 21: unknown and free after 72 hours; delivered, charged and told once when AWS speaks at last."""
    assert await heard_after_three_days(fleet) == []


@pytest.mark.parametrize("broken", ["unknown_is_an_end", "settled_once"][:BUILDS])
async def test_builds_that_leave_it_at_unknown_or_at_its_price_are_found_out(fleet, broken):
    """The checker of row 21, late."""
    assert await heard_after_three_days(fleet, broken=broken) != []


async def heard_before_the_record(fleet, *, broken=""):
    """Post events that name no message of ours, while its dispatcher stands still after the call."""
    clients = await new_clients(fleet)
    await fleet.emulate("faults", {"receipts": {"lose_rate": 1.0}})
    await fleet.ensure("api", broken=broken)
    dispatcher = await fleet.start("dispatcher", fault=f"{FaultPoint.WORKER_AFTER_AWS}:stop:1")
    before = len(fleet.truth())
    await clients.send(1, types=("promotional",))
    await dispatcher.stands_still()
    [taken] = fleet.truth()[before:]
    poster = await poster_of(fleet)
    lives = [event(name, provider_message_id=taken["message_id"], second=n) for n, name in enumerate(LIFE)]
    await poster.post_all([json.dumps(each) for each in lives])
    parked = await fleet.database.fetchval(
        "SELECT count(*) FROM parked_receipts WHERE provider_message_id = $1", taken["message_id"]
    )
    dispatcher.signal(signal.SIGCONT)

    async def joined():
        return await fleet.database.fetchval(
            """
            SELECT m.status = 'delivered' AND (SELECT count(*) FROM receipts r WHERE r.message_id = m.id) = $2
                AND NOT EXISTS (SELECT FROM parked_receipts p WHERE p.provider_message_id = $3)
            FROM messages m WHERE m.tenant_id = $1
            """,
            clients.tenant_id,
            len(LIFE),
            taken["message_id"],
        )

    if parked != len(LIFE):
        return [f"{parked} of {len(LIFE)} events are parked"]
    await until(joined, within_s=60)
    sends = [line for line in fleet.truth() if line["context"]["tg_m"] == taken["context"]["tg_m"]]
    found = [] if len(sends) == 1 else [f"sent {len(sends)} times"]
    return found + await faults(fleet.database, of_tenant=clients.tenant_id)


async def test_receipts_before_the_record_are_parked_and_joined(fleet):
    """Row 21: events without our Context come while nobody knows AWS's id yet; none is lost."""
    assert await heard_before_the_record(fleet) == []


async def test_a_build_that_forgets_what_no_message_claims_is_found_out(fleet):
    """The checker of row 21, early."""
    assert await heard_before_the_record(fleet, broken="strays_are_forgotten") != []


async def test_receipts_before_the_answer_find_their_message_by_its_context(fleet):
    """Row 21, the emulator's mode: all events are published before the send is answered."""
    clients = await new_clients(fleet)
    await fleet.emulate("faults", {"receipts": {"before_response": True}})
    await fleet.start("dispatcher")
    await clients.send(MESSAGES, types=("transactional",))
    rows = await until(lambda: all_are(fleet, clients, "delivered"), within_s=60)
    assert [row["told"] for row in rows] == [1] * MESSAGES
    assert await faults(fleet.database, of_tenant=clients.tenant_id) == []
