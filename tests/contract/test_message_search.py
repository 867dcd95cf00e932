"""Messages are found by any of their fields, by their tenant and by the operator, and by nobody else."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tenants.ids import encode
from tests.harness.stored import NUMBER, put

OTHER = "+12065550199"
SPECIAL = {
    "status": "undelivered",
    "country": "CA",
    "type": "promotional",
    "channel": "mms",
    "sender_value": "ACME",
    "carrier": "Example Mobile",
    "mcc": "302",
    "mnc": "720",
    "reason_code": "spam",
    "reason_detail": "judged unsolicited",
    "provider_status": "SPAM",
    "provider_message_id": "aws-1",
    "client_reference": "order 7",
    "context": {"campaign": "spring", "shop": "7"},
    "feedback": "failed",
    "price_estimated": 99_000,
}


async def found(client, path="/v1/messages", **params) -> list:
    """The ids that a search finds."""
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    "params",
    [
        {"status": "undelivered"},
        {"country": "CA"},
        {"to": OTHER},
        {"type": "promotional"},
        {"channel": "mms"},
        {"from": "ACME"},
        {"carrier": "Example Mobile"},
        {"mcc": "302"},
        {"mnc": "720"},
        {"reason": "spam"},
        {"provider_status": "SPAM"},
        {"provider_message_id": "aws-1"},
        {"client_reference": "order 7"},
        {"context": "campaign=spring"},
        {"context": ["campaign=spring", "shop=7"]},
        {"feedback": "failed"},
        {"price_from": "0.05"},
        {"price_from": "0.099", "price_to": "0.099"},
        {"country": "CA", "type": "promotional", "carrier": "Example Mobile"},
    ],
    ids=str,
)
async def test_each_field_narrows_a_search(customer, operator, world, params) -> None:
    """One message differs in everything; each condition finds it and leaves the other out."""
    await put(world, customer)
    special = encode("msg", await put(world, customer, to=OTHER, **SPECIAL))
    assert await found(customer.api, **params) == [special]
    assert await found(operator, "/v1/admin/messages", tenant=customer.id, **params) == [special]


async def test_what_does_not_match_all_conditions_is_not_found(customer, world) -> None:
    """Conditions are joined by and."""
    await put(world, customer, to=OTHER, **SPECIAL)
    assert await found(customer.api, context=["campaign=spring", "shop=8"]) == []
    assert await found(customer.api, price_to="0.05") == []
    assert await found(customer.api, to=OTHER, country="US") == []


async def test_a_span_of_time_is_closed_before_and_open_after(customer, world) -> None:
    """To the millisecond, in the ids as in the instants."""
    at = datetime.now(UTC).replace(microsecond=0)
    ids = [
        encode("msg", await put(world, customer, at=at + timedelta(milliseconds=step))) for step in range(3)
    ]
    second = (at + timedelta(milliseconds=1)).isoformat()
    third = (at + timedelta(milliseconds=2)).isoformat()
    assert await found(customer.api, created_after=second, created_before=third) == [ids[1]]
    assert await found(customer.api, created_after=second) == [ids[2], ids[1]]
    assert await found(customer.api, created_before=third) == [ids[1], ids[0]]


async def test_pages_of_a_search_hold_every_message_once(customer, world) -> None:
    """The cursor is a place in the order, whatever comes in the meantime."""
    ids = [encode("msg", await put(world, customer, client_reference="same")) for _ in range(5)]
    seen, after = [], None
    while True:
        params = {"client_reference": "same", "limit": 2} | ({} if after is None else {"after": after})
        body = (await customer.api.get("/v1/messages", params=params)).json()
        seen += [row["id"] for row in body["data"]]
        after = body["next_cursor"]
        if after is None:
            break
        await put(world, customer, client_reference="same")
    assert seen == ids[::-1]


async def test_no_condition_reaches_another_tenants_messages(customer, stranger, world) -> None:
    """The same number, the same reference, the same AWS id: still nothing of the neighbour's."""
    await put(world, stranger, to=OTHER, **SPECIAL)
    for params in (
        {"to": OTHER},
        {"client_reference": "order 7"},
        {"provider_message_id": "aws-1"},
        {"context": "campaign=spring"},
        {"status": "undelivered"},
        {},
    ):
        assert await found(customer.api, **params) == [], params


async def test_the_operator_finds_a_number_with_every_tenant(customer, stranger, operator, world) -> None:
    """Who texts this person? Each tenant hashes numbers under its own key; all are asked."""
    number = f"+1206555{uuid4().int % 100:04d}"
    first = encode("msg", await put(world, customer, to=number))
    second = encode("msg", await put(world, stranger, to=number, test=True))
    assert await found(operator, "/v1/admin/messages", to=number) == [second, first]
    assert await found(operator, "/v1/admin/messages", to=number, tenant=customer.id) == [first]


async def test_the_operators_look_is_in_the_audit_trail(customer, operator, world) -> None:
    """A tenant can see that its messages were looked at, by what, and whether numbers were shown."""
    await put(world, customer)
    masked = await operator.get("/v1/admin/messages", params={"tenant": customer.id, "country": "US"})
    full = await operator.get(
        "/v1/admin/messages", params={"tenant": customer.id, "to": NUMBER, "numbers": "full"}
    )
    assert [row["to"] for row in masked.json()["data"]] == ["+120******23"]
    assert [row["to"] for row in full.json()["data"]] == [NUMBER]
    assert "body" not in full.json()["data"][0]
    trail = (await customer.api.get("/v1/audit")).json()["data"][:2]
    assert [(row["actor"], row["action"], row["detail"]) for row in trail] == [
        ("operator", "messages.searched", {"by": ["to"], "numbers": "full"}),
        ("operator", "messages.searched", {"by": ["country"], "numbers": "masked"}),
    ]
    await operator.get("/v1/admin/messages", params={"mcc": "310"})
    own = (await operator.get("/v1/admin/audit")).json()["data"][0]
    assert (own["action"], own["subject"], own["detail"]["by"]) == ("messages.searched", "all", ["mcc"])


async def test_a_tenants_key_does_not_search_over_tenants(customer) -> None:
    """The operator's search is the operator's."""
    assert (await customer.api.get("/v1/admin/messages")).status_code == 401


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"context": "no pair"}, "?context"),
        ({"price_from": "cheap"}, "?price_from"),
        ({"to": "12"}, "?to"),
        ({"mcc": "1"}, "?mcc"),
        ({"created_after": "2026-01-01T00:00:00"}, "?created_after"),
        ({"template": "msg_1"}, "?template"),
        ({"stauts": "sent"}, "?stauts"),
    ],
    ids=str,
)
async def test_a_condition_that_cannot_be_is_named(customer, params, field) -> None:
    """A typo must not look like an empty answer."""
    answer = await customer.api.get("/v1/messages", params=params)
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/exports/messages", "/v1/exports/events"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-12:00"])
async def test_the_ends_of_the_calendar_are_no_fault(customer, path, at) -> None:
    """Generated clients send them."""
    for name in ("created_after", "created_before"):
        answer = await customer.api.get(path, params={name: at})
        assert answer.status_code in {200, 422}, answer.text


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9-12:00", "9999-12-31T23:59:59Z"]
)
async def test_a_summary_of_the_ends_of_the_calendar_is_no_fault(customer, at) -> None:
    """As above."""
    for params in ({"from": at}, {"to": at}, {"from": at, "to": at}):
        answer = await customer.api.get("/v1/insight/summary", params=params)
        assert answer.status_code in {200, 422}, answer.text
