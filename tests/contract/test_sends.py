"""`/v1/messages` as its callers see it; what lies below the edge is a fake."""

import json

import pytest

from gateway.errors import Overloaded, Unavailable
from gateway.intake.outcome import Declined, FieldFault, RateState

SEND = {"to": "+12065550123", "body": "hello", "type": "transactional"}


async def test_an_accepted_send_answers_202_with_the_message(customer) -> None:
    """The contract's message, with an id that names its kind and a request id."""
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert answer.status_code == 202
    message = answer.json()
    assert message["id"].startswith("msg_")
    assert message["to"] == SEND["to"]
    assert message["status"] == "queued"
    assert answer.headers["x-request-id"].startswith("req_")


async def test_a_declined_send_is_a_problem_that_says_it_was_not_charged(customer, world) -> None:
    """A program decides on `code`, a person reads `detail`, an accountant looks at `charged`."""
    world.sending.answer = Declined(code="opted_out", detail="the recipient said STOP")
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "https://gateway.example/docs/errors/opted_out",
        "title": "The recipient has opted out",
        "status": 403,
        "detail": "the recipient said STOP",
        "instance": answer.headers["x-request-id"],
        "code": "opted_out",
        "retryable": False,
        "charged": False,
    }


async def test_a_rate_limited_send_says_when_to_come_back(customer, world) -> None:
    """429 carries Retry-After in seconds, milliseconds in the body, and the RateLimit headers."""
    rate = RateState(limit_per_s=10, remaining=0, reset_ms=1500)
    world.sending.answer = Declined(code="rate_limited", detail="wait", retry_after_ms=1500, rates=(rate,))
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["ratelimit-policy"] == '"requests";q=10;w=1'
    assert answer.headers["ratelimit"] == '"requests";r=0;t=2'
    assert answer.json()["retry_after_ms"] == 1500
    assert answer.json()["retryable"] is True


async def test_wrong_template_variables_are_named_one_by_one(customer, world) -> None:
    """The caller corrects all of them at once."""
    faults = tuple(
        FieldFault(field=f"/template/variables/{name}", code="missing", detail="is missing") for name in "ab"
    )
    world.sending.answer = Declined(code="invalid_template_variables", detail="2 are wrong", errors=faults)
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "/template/variables/a",
        "/template/variables/b",
    ]


async def test_a_store_that_cannot_write_is_a_503_and_never_a_202(customer, world) -> None:
    """Nothing is accepted that is not on disk."""
    world.sending.answer = Unavailable("postgres is away", retry_after_ms=2000)
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"


async def test_a_full_line_is_a_503_that_names_itself(customer, world) -> None:
    """An operator tells load from an outage by the code."""
    world.sending.answer = Overloaded("the line is full")
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")


async def test_a_repeated_key_replays_the_first_answer(customer, world) -> None:
    """A client that lost the answer asks again and sends once."""
    headers = {"Idempotency-Key": "order-1"}
    first = await customer.api.post("/v1/messages", json=SEND, headers=headers)
    second = await customer.api.post("/v1/messages", json=SEND, headers=headers)
    assert second.status_code == 202
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(world.sending.sent) == 1


async def test_a_key_with_another_body_is_refused(customer) -> None:
    """A reused key is a fault of the caller, never a wrong answer."""
    headers = {"Idempotency-Key": "order-1"}
    await customer.api.post("/v1/messages", json=SEND, headers=headers)
    answer = await customer.api.post("/v1/messages", json=SEND | {"body": "other"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_repeated_key_is_known_however_its_json_is_spelled(customer, world) -> None:
    """A retry may come from another client library, which orders and spaces the same request differently."""
    head = {"Idempotency-Key": "respelled", "Content-Type": "application/json"}
    spellings = (b'{"to":"+14155550123","body":"Hello"}', b'{ "body": "Hello",\n "to": "+14155550123" }')
    answers = [await customer.api.post("/v1/messages", content=body, headers=head) for body in spellings]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_a_key_over_255_characters_is_refused(customer) -> None:
    """Keys are indexed; a page of text is no key."""
    answer = await customer.api.post("/v1/messages", json=SEND, headers={"Idempotency-Key": "k" * 256})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


async def test_an_estimate_counts_and_sends_nothing(customer, world) -> None:
    """Asking the price costs nothing."""
    answer = await customer.api.post("/v1/messages/estimate", json=SEND)
    assert answer.status_code == 200
    assert answer.json()["price"]["estimated"] == "0.00645"
    assert world.sending.sent == []


async def test_canceling_again_answers_the_same(customer) -> None:
    """A client that lost the answer may ask again."""
    message = (await customer.api.post("/v1/messages", json=SEND)).json()
    for _ in range(2):
        answer = await customer.api.post(f"/v1/messages/{message['id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")


async def test_a_cancellation_takes_an_idempotency_key_like_every_post(customer, world) -> None:
    """A repeat replays its answer; the key is of no use for another message, and no refusal is kept."""
    first, second = [(await customer.api.post("/v1/messages", json=SEND)).json()["id"] for _ in range(2)]
    headers = {"Idempotency-Key": "stop it"}
    world.sending.answer = Declined(code="message_not_cancelable", detail="the message is sent")
    refused = await customer.api.post(f"/v1/messages/{first}/cancel", headers=headers)
    assert refused.status_code == 409
    world.sending.answer = None
    answers = [await customer.api.post(f"/v1/messages/{first}/cancel", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True]
    other = await customer.api.post(f"/v1/messages/{second}/cancel", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_message_that_has_left_cannot_be_canceled(customer, world) -> None:
    """It is with AWS; nobody can call it back."""
    message = (await customer.api.post("/v1/messages", json=SEND)).json()
    world.sending.answer = Declined(code="message_not_cancelable", detail="the message is sent")
    answer = await customer.api.post(f"/v1/messages/{message['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "message_not_cancelable")


async def test_a_foreign_message_cannot_be_canceled(customer, stranger) -> None:
    """It is answered like one that never was."""
    message = (await customer.api.post("/v1/messages", json=SEND)).json()
    answer = await stranger.api.post(f"/v1/messages/{message['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_batch_answers_item_by_item(customer) -> None:
    """Each send stands alone and keeps its place."""
    sends = [SEND | {"body": f"number {index}"} for index in range(20)]
    answer = await customer.api.post("/v1/messages/batch", json={"messages": sends})
    assert answer.status_code == 207
    items = answer.json()["data"]
    assert [item["index"] for item in items] == list(range(20))
    assert {item["status"] for item in items} == {202}
    assert [item["message"]["body"] for item in items] == [send["body"] for send in sends]


async def test_a_refused_item_of_a_batch_carries_its_own_problem(customer, world) -> None:
    """The batch's status says nothing about its items."""
    world.sending.answer = Declined(code="insufficient_credits", detail="empty")
    answer = await customer.api.post("/v1/messages/batch", json={"messages": [SEND]})
    item = answer.json()["data"][0]
    assert answer.status_code == 207
    assert (item["status"], item["error"]["code"]) == (402, "insufficient_credits")
    assert "message" not in item


async def test_a_repeated_batch_sends_nothing_twice(customer, world) -> None:
    """Its items are replayed one by one."""
    headers = {"Idempotency-Key": "batch-1"}
    body = {"messages": [SEND, SEND]}
    first = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    second = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert len(world.sending.sent) == 2


async def test_a_repeated_batch_asks_again_for_what_was_refused(customer, world) -> None:
    """As a single send does; the header would lie where something was sent."""
    headers, body = {"Idempotency-Key": "batch-3"}, {"messages": [SEND, SEND]}
    world.sending.answer = Declined(code="insufficient_credits", detail="empty")
    refused = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    assert [item["status"] for item in refused.json()["data"]] == [402, 402]
    world.sending.answer = None
    world.sending.most = 1
    mixed = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    assert [item["status"] for item in mixed.json()["data"]] == [202, 402]
    world.sending.most = None
    whole = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    assert [item["status"] for item in whole.json()["data"]] == [202, 202]
    assert [each.headers.get("idempotent-replayed") for each in (refused, mixed, whole)] == [None] * 3
    again = await customer.api.post("/v1/messages/batch", json=body, headers=headers)
    assert (again.json(), again.headers["idempotent-replayed"]) == (whole.json(), "true")


async def test_a_batch_with_an_item_of_another_form_is_refused_whole(customer, world) -> None:
    """The client is wrong, not the send: what it meant by the other items is in doubt, too."""
    body = {"messages": [SEND, SEND | {"ttl_seconds": 1}]}
    answer = await customer.api.post("/v1/messages/batch", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/messages/1/ttl_seconds")
    assert world.sending.sent == []


async def test_a_batch_key_with_another_body_sends_nothing(customer, world) -> None:
    """Not even the items that the first batch did not have."""
    headers = {"Idempotency-Key": "batch-2"}
    await customer.api.post("/v1/messages/batch", json={"messages": [SEND]}, headers=headers)
    answer = await customer.api.post("/v1/messages/batch", json={"messages": [SEND, SEND]}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert len(world.sending.sent) == 1


async def test_a_batch_may_be_larger_than_a_single_send_and_not_over_1_mb(customer) -> None:
    """The limit is the batch's own."""
    fits = {"messages": [SEND | {"body": "x" * 1000} for _ in range(200)]}
    assert (await customer.api.post("/v1/messages/batch", json=fits)).status_code == 207
    exceeds = {"messages": [SEND | {"body": "x" * 5000} for _ in range(220)]}
    answer = await customer.api.post("/v1/messages/batch", json=exceeds)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_batch_of_1001_is_refused_whole(customer, world) -> None:
    """Half a batch would be worse than none."""
    answer = await customer.api.post("/v1/messages/batch", json={"messages": [SEND] * 1001})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/messages")
    assert world.sending.sent == []


async def test_a_batch_that_comes_too_soon_is_one_429(customer, world) -> None:
    """It is one request: a thousand equal refusals would tell nobody more."""
    rate = RateState(limit_per_s=5, remaining=0, reset_ms=200)
    world.sending.too_soon = Declined(code="rate_limited", detail="wait", retry_after_ms=200, rates=(rate,))
    answer = await customer.api.post("/v1/messages/batch", json={"messages": [SEND, SEND]})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert (answer.headers["retry-after"], answer.json()["retry_after_ms"]) == ("1", 200)
    assert answer.headers.get_list("ratelimit") == ['"requests";r=0;t=1']


RATE = RateState(limit_per_s=10, remaining=4, reset_ms=600)
WITHOUT_RATE: dict[str, tuple[int, Declined | None, bytes]] = {
    "money": (402, Declined(code="insufficient_credits", detail="no"), json.dumps(SEND).encode()),
    "template": (403, Declined(code="template_required", detail="no"), json.dumps(SEND).encode()),
    "sender": (409, Declined(code="no_originator", detail="no"), json.dumps(SEND).encode()),
    "number": (422, Declined(code="invalid_number", detail="no"), json.dumps(SEND).encode()),
    "line": (429, Declined(code="queue_full", detail="no", retry_after_ms=1), json.dumps(SEND).encode()),
    "json": (400, None, b"{"),
    "field": (422, None, json.dumps(SEND | {"bdoy": 1}).encode()),
    "length": (413, None, b"{" + b" " * 70_000),
}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/batch"])
@pytest.mark.parametrize("name", WITHOUT_RATE)
async def test_every_refused_send_tells_where_the_rate_stands(customer, world, name, path) -> None:
    """Also a body that never came as far as a gate: a client paces itself by every answer."""
    status, outcome, body = WITHOUT_RATE[name]
    if path.endswith("batch") and outcome is not None:
        status, body = 207, b'{"messages": [' + body + b"]}"
    if name == "length":
        body += b" " * (1 << 20) if path.endswith("batch") else b""
    world.sending.answer, world.sending.rate = outcome, RATE
    answer = await customer.api.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers.get_list("ratelimit-policy") == ['"requests";q=10;w=1']
    assert answer.headers.get_list("ratelimit") == ['"requests";r=4;t=1']


@pytest.mark.parametrize("path", ["/v1/messages/", "/v1/messages/batch/"])
async def test_a_slash_at_the_end_takes_no_headers_away(customer, world, path) -> None:
    """The router reads over it, so it is the same endpoint."""
    world.sending.rate = RATE
    answer = await customer.api.post(path, json={"messages": [SEND]} if "batch" in path else SEND)
    assert answer.status_code in {202, 207}
    assert answer.headers.get_list("ratelimit") == ['"requests";r=4;t=1']


async def test_a_full_queue_tells_when_the_message_would_leave(customer, world) -> None:
    """A client chooses between waiting and a longer life; alone and in a batch alike."""
    at = "2026-01-02T03:04:05.678Z"
    world.sending.answer = Declined(
        code="queue_full", detail="no", retry_after_ms=1, estimated_dispatch_at=at
    )
    alone = await customer.api.post("/v1/messages", json=SEND)
    assert (alone.status_code, alone.json()["estimated_dispatch_at"]) == (429, at)
    batch = await customer.api.post("/v1/messages/batch", json={"messages": [SEND]})
    assert batch.json()["data"][0]["error"]["estimated_dispatch_at"] == at
    world.sending.answer = Declined(code="opted_out", detail="no")
    assert "estimated_dispatch_at" not in (await customer.api.post("/v1/messages", json=SEND)).json()


async def test_an_answer_that_has_its_rate_keeps_it(customer, world) -> None:
    """The rate that refused is the one to wait for."""
    world.sending.rate = RATE
    own = RateState(name="parts-US", limit_per_s=5, remaining=0, reset_ms=900)
    world.sending.answer = Declined(code="rate_limited", detail="wait", retry_after_ms=900, rates=(own,))
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert answer.headers.get_list("ratelimit") == ['"parts-US";r=0;t=1']


async def test_a_plan_without_a_rate_and_a_stranger_get_no_headers(customer, world, nobody) -> None:
    """There is nothing to tell."""
    assert "ratelimit" not in (await customer.api.post("/v1/messages", json=SEND)).headers
    world.sending.rate = RATE
    answer = await nobody.post("/v1/messages", json=SEND)
    assert (answer.status_code, "ratelimit" in answer.headers) == (401, False)
    assert "ratelimit" not in (await customer.api.get("/v1/messages")).headers
