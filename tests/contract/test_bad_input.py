"""Every way of asking wrongly gets the contract's problem and reaches nothing behind the edge."""

import pytest

from gateway.api.lists.paging import cursor_in

SEND = {"to": "+12065550123", "body": "hello"}
JSON = {"Content-Type": "application/json"}


def _problem(answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["instance"] == answer.headers["x-request-id"]
    assert body["charged"] is False
    assert body["type"].endswith(f"/docs/errors/{body['code']}")
    return answer.status_code, body["code"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (SEND | {"boddy": "x"}, "/boddy", "unknown_field"),
        ({"to": "+1", "template": {"name": "otp", "vars": {}}}, "/template/vars", "unknown_field"),
        ({"body": "x"}, "/to", "required"),
        (SEND | {"to": 5}, "/to", "invalid"),
        (SEND | {"type": "spam"}, "/type", "invalid"),
        (SEND | {"ttl_seconds": 1}, "/ttl_seconds", "invalid"),
        (SEND | {"ttl_seconds": 10**30}, "/ttl_seconds", "invalid"),
        (SEND | {"send_at": "tomorrow"}, "/send_at", "invalid"),
        (SEND | {"max_price": "1e3"}, "/max_price", "invalid"),
        (SEND | {"context": {"a b": "c"}}, "/context/a b", "invalid"),
        (SEND | {"template": {"variables": {"code": []}}}, "/template/variables/code", "invalid"),
        (SEND | {"a/b~c": 1}, "/a~1b~0c", "unknown_field"),
    ],
)
async def test_a_wrong_field_is_named_by_its_json_pointer(customer, world, body, field, code) -> None:
    """A caller corrects what it can find."""
    answer = await customer.api.post("/v1/messages", json=body)
    assert _problem(answer)[0] == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert world.sending.sent == []


async def test_a_422_that_is_about_no_single_field_lists_the_body(customer) -> None:
    """Who reads `errors` of every 422 finds the reason there, too."""
    key = {"Idempotency-Key": "one-key"}
    await customer.api.post("/v1/messages/batch", json={"messages": [SEND]}, headers=key)
    answer = await customer.api.post("/v1/messages/batch", json={"messages": [SEND] * 2}, headers=key)
    assert _problem(answer) == (422, "idempotency_mismatch")
    [fault] = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == ("/", "idempotency_mismatch")
    assert fault["detail"] == answer.json()["detail"]


async def test_an_unknown_field_has_a_code_of_its_own(customer) -> None:
    """A typo is told apart from a wrong value."""
    answer = await customer.api.post("/v1/messages", json=SEND | {"boddy": "x"})
    assert _problem(answer) == (422, "unknown_field")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"to": "\\ud800"}', b"[" * 20_000, b'{"to": NaN}', b"null x"],
    ids=["empty", "cut", "not utf-8", "lone surrogate", "deep", "NaN", "trailing"],
)
async def test_what_is_not_json_is_a_400_or_422(customer, body) -> None:
    """Whatever the bytes are, the gateway stands."""
    answer = await customer.api.post("/v1/messages", content=body, headers=JSON)
    assert _problem(answer) in {(400, "invalid_json"), (422, "validation_failed")}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/messages", SEND | {"body": "a\0b"}, "/body"),
        ("/v1/messages/batch", {"messages": [SEND, SEND, SEND | {"body": "\0"}]}, "/messages/2/body"),
        (
            "/v1/messages",
            SEND | {"template": {"name": "x", "variables": {"a\0": "b"}}},
            "/template/variables",
        ),
    ],
)
async def test_the_text_that_holds_a_nul_character_is_named(customer, path, body, field) -> None:
    """In a batch by its item, too."""
    answer = await customer.api.post(path, json=body)
    assert _problem(answer) == (422, "validation_failed")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "half", ["\\ud800", "\\udc00", "\\ud83d\\ude00\\ud800", "\\ud800\\ud800x", "\\ud800 and on"]
)
async def test_half_a_surrogate_pair_is_told_as_such(customer, half) -> None:
    """A client that cut a text between two halves learns which one is left."""
    raw = b'{"to": "+12065550123", "body": "' + half.encode() + b'"}'
    answer = await customer.api.post("/v1/messages", content=raw, headers=JSON)
    assert _problem(answer) == (400, "invalid_json")
    assert "is half of a surrogate pair" in answer.json()["detail"]
    cut = await customer.api.post("/v1/messages", content=b'{"body": "\\ud83d\\ude00', headers=JSON)
    assert "surrogate" not in cut.json()["detail"]


async def test_a_value_that_is_none_of_a_few_is_told_which_there_are(customer) -> None:
    """In a body and in a query alike."""
    answer = await customer.api.post("/v1/messages", json=SEND | {"type": "OTP"})
    assert answer.json()["errors"][0]["detail"].endswith("it is one of otp, promotional, transactional.")
    answer = await customer.api.get("/v1/messages?channel=fax")
    assert answer.json()["errors"][0]["detail"].endswith("it is one of mms, sms, voice.")
    answer = await customer.api.put("/v1/protect/country-rules", json={"rules": {"US": "SOMETIMES"}})
    assert "ALLOW, BLOCK" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("/v1/messages?type=x", "?type"),
        ("/v1/insight/summary?type=x", "?type"),
        ("/v1/usage/conversion?from=x", "?from"),
        ("/v1/protect/effective", "?number"),
    ],
)
async def test_a_query_parameter_has_its_name_on_the_wire(customer, query, field) -> None:
    """Not the one that it has in the code, and also where it is missing."""
    answer = await customer.api.get(query)
    assert _problem(answer)[0] == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1&limit=2", "?limit"),
        ("status=queued&status=delivered", "?status"),
        ("from=A&from=B", "?from"),
    ],
)
async def test_a_query_parameter_that_is_given_twice_is_refused(customer, query, field) -> None:
    """Else the last one would win without a word; only `context` takes several."""
    answer = await customer.api.get(f"/v1/messages?{query}")
    assert _problem(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field
    assert (await customer.api.get("/v1/messages?context=a%3Db&context=c%3Dd")).status_code == 200


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", None),
        (b"{}", None),
        (b'{"x": 1}', ("/x", "unknown_field")),
        (b"[]", ("/", "invalid")),
        (b"x=1", ("/", "unexpected")),
    ],
)
async def test_a_body_where_none_is_taken_is_no_silent_default(customer, operator, body, refused) -> None:
    """An object without members is what many clients send instead of none."""
    for api, method, path in (
        (customer.api, "PUT", "/v1/opt-outs/+12065550123"),
        (customer.api, "DELETE", "/v1/opt-outs/+12065550123"),
        (operator, "POST", f"/v1/admin/tenants/{customer.id}/resume"),
    ):
        answer = await api.request(method, path, content=body, headers=JSON)
        if refused is None:
            assert answer.is_success, answer.text
        else:
            assert _problem(answer)[0] == 422
            assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [refused]


async def test_a_nul_character_is_refused_before_postgres_sees_it(customer) -> None:
    """Postgres stores no U+0000; a backslash before a harmless u0000 stays harmless."""
    raw = b'{"name": "a\\u0000b", "body": "x", "type": "otp"}'
    answer = await customer.api.post("/v1/templates", content=raw, headers=JSON)
    assert _problem(answer) == (422, "validation_failed")
    fine = b'{"to": "+12065550123", "body": "\\\\u0000"}'
    assert (await customer.api.post("/v1/messages", content=fine, headers=JSON)).status_code == 202


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/xml", "application/json; charset=utf-16"]
)
async def test_another_content_type_is_a_415(customer, content_type) -> None:
    """What is not said to be JSON is not read as JSON."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await customer.api.post("/v1/messages", content=b'{"to": "+1"}', headers=headers)
    assert _problem(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
async def test_json_is_json_however_it_is_spelt(customer, content_type) -> None:
    """Media types know no case."""
    raw = b'{"to": "+12065550123", "body": "x"}'
    answer = await customer.api.post("/v1/messages", content=raw, headers={"Content-Type": content_type})
    assert answer.status_code == 202


async def test_a_body_over_64_kb_is_a_413(customer, world) -> None:
    """The announced length is enough to refuse it."""
    answer = await customer.api.post("/v1/messages", json=SEND | {"body": "x" * 70_000})
    assert _problem(answer) == (413, "body_too_large")
    assert world.sending.sent == []


async def test_a_body_that_does_not_say_its_length_stops_at_the_limit(customer) -> None:
    """The bytes are counted as they come, so a stream cannot fill the memory."""
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 8192

    answer = await customer.api.post("/v1/messages", content=endless(), headers=JSON)
    assert _problem(answer) == (413, "body_too_large")
    assert read < 20


async def test_a_wrong_method_is_a_405_that_lists_the_right_ones(customer) -> None:
    """RFC 9110 wants the Allow header."""
    answer = await customer.api.put("/v1/messages", json=SEND)
    assert _problem(answer) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "path", ["/v1/mesages", "/nothing", "/v1/messages/msg_1/nothing", "/v1/admin", "/openapi"]
)
async def test_an_unknown_path_is_a_404_problem(customer, path) -> None:
    """Also outside of /v1."""
    assert _problem(await customer.api.get(path)) == (404, "no_such_route")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limt=5", "?limt"),
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=x", "?limit"),
        ("limit=1e1", "?limit"),
        ("limit=10.0", "?limit"),
        ("limit=%2B10", "?limit"),
        ("limit=+10", "?limit"),
        ("limit=1_0", "?limit"),
        ("status=lost", "?status"),
        ("country=usa", "?country"),
        ("to=12", "?to"),
        ("created_after=yesterday", "?created_after"),
        ("created_after=2026-01-01T00:00:00", "?created_after"),
        ("after=%21%21", "?after"),
        ("after=AAAA", "?after"),
        ("client=%00", "?client"),
    ],
)
async def test_a_wrong_query_parameter_is_named(customer, query, field) -> None:
    """As a field is, with a question mark in front."""
    answer = await customer.api.get(f"/v1/messages?{query}")
    assert _problem(answer)[0] == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "message_id",
    ["msg_1", "tpl_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", "msg_ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "%00", "1" * 500],
)
async def test_what_cannot_be_an_id_is_answered_like_an_absent_one(customer, message_id) -> None:
    """A 404 that says nothing, and no query that a strange text could reach."""
    assert _problem(await customer.api.get(f"/v1/messages/{message_id}")) == (404, "not_found")


async def test_a_cursor_made_by_hand_is_never_a_500(customer) -> None:
    """Whatever is inside it, even a number that no column holds."""
    entry = "led_01K3ZQ4V7N8R9T0W2Y4A6C8E0G"
    for text in ("x", f"{entry}.hold.99999999999999999999", f"{entry}.hold.-1", "\x00.\x00.1"):
        cursor = cursor_in("/v1/credits/ledger", text)
        answer = await customer.api.get("/v1/credits/ledger", params={"after": cursor})
        assert answer.status_code in {200, 422}, answer.text


async def test_an_error_nobody_expected_is_a_500_without_a_traceback(customer, world) -> None:
    """The log has the traceback, the caller has the request id."""

    async def broken(*_: object, **__: object) -> None:
        secret = "hunter2"
        raise RuntimeError(secret)

    world.sending.send = broken
    answer = await customer.api.post("/v1/messages", json=SEND)
    assert _problem(answer) == (500, "internal_error")
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_sane_request_id_of_the_client_is_kept(nobody) -> None:
    """So that one id runs through the caller's log and ours."""
    answer = await nobody.get("/healthz", headers={"X-Request-Id": "job-42.step_7"})
    assert answer.headers["x-request-id"] == "job-42.step_7"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f g", "evil;drop=tables"])
async def test_a_strange_request_id_of_the_client_is_replaced(nobody, given) -> None:
    """It is written into logs and headers, so its alphabet is ours."""
    answer = await nobody.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"].startswith("req_")


async def test_every_answer_carries_the_security_headers(customer) -> None:
    """Browsers are told not to guess, frame or keep."""
    answer = await customer.api.get("/v1/credits")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
