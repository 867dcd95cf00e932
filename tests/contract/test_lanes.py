"""`/v1/admin/lanes`: the queues as the operator sees them."""

from uuid import uuid4

from gateway.lanes.entry import Priority
from gateway.lanes.lanes import LaneKey
from gateway.lanes.queues import Waiting
from gateway.lanes.survey import LaneSight
from gateway.routing.lanes import lane_identity
from tenants.ids import decode, new_uuid


def sight(route, identity, *, drain_s):
    """A lane of one-time passwords."""
    return LaneSight(
        route=route,
        lane=LaneKey(identity, "US", Priority.OTP),
        waiting=Waiting(7, 5),
        drain_s=drain_s,
        oldest_s=1.5,
    )


async def a_sender(operator, customer):
    """A long code that carries pictures, too."""
    name = f"/v1/admin/aws-accounts/{uuid4().hex}"
    account = (await operator.put(name, json={"region": "us-east-1"})).json()
    body = {
        "account": account["id"],
        "type": "LONG_CODE",
        "value": f"+1206555{uuid4().int % 10_000:04d}",
        "country": "US",
        "channels": ["sms", "mms"],
        "arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/{uuid4().hex}",
    }
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"], account["id"]


async def test_lanes_are_listed_with_whose_they_are_the_slowest_first(operator, customer, world):
    """What waits is named by sender and tenant, pictures by the sender that carries them."""
    sender, account = await a_sender(operator, customer)
    identity = decode("idn", sender)
    world.services.lanes.sights = [
        sight(account, lane_identity(identity, "mms"), drain_s=9.0),
        sight(account, identity, drain_s=2.0),
        sight(account, new_uuid(), drain_s=1.0),
    ]
    rows = (await operator.get("/v1/admin/lanes")).json()["data"]
    assert rows[0] == {
        "route": account,
        "sender": sender,
        "tenant": customer.id,
        "channel": "mms",
        "country": "US",
        "priority": "otp",
        "backlog_parts": 7,
        "backlog_messages": 5,
        "drain_seconds": 9.0,
        "oldest_seconds": 1.5,
    }
    assert [(row["sender"], row["channel"]) for row in rows[1:]] == [(sender, "sms"), (None, "sms")]


async def test_lanes_beyond_a_page_are_reached_by_its_cursor(operator, world):
    """A gateway with many senders has more lines than a page holds."""
    world.services.lanes.sights = [sight("acc_x", new_uuid(), drain_s=each) for each in (3.0, 2.0, 1.0)]
    first = (await operator.get("/v1/admin/lanes?limit=2")).json()
    rest = (await operator.get("/v1/admin/lanes", params={"after": first["next_cursor"]})).json()
    assert [row["drain_seconds"] for row in first["data"] + rest["data"]] == [3.0, 2.0, 1.0]
    assert rest["next_cursor"] is None


async def test_lanes_can_be_limited_and_asked_of_one_route(operator, world, customer):
    """A route that is none is a mistake, not an empty answer."""
    _, account = await a_sender(operator, customer)
    world.services.lanes.sights = [sight("acc_x", new_uuid(), drain_s=each) for each in (3.0, 2.0)]
    assert len((await operator.get("/v1/admin/lanes?limit=1")).json()["data"]) == 1
    assert (await operator.get("/v1/admin/lanes", params={"route": account})).json()["data"] == []
    assert (await operator.get("/v1/admin/lanes?route=us-east-1")).status_code == 422
    assert (await customer.api.get("/v1/admin/lanes")).status_code == 401
