"""MMS and calls from the request to the settled receipt, over a whole gateway and an emulated AWS."""

from functools import partial

import pytest

from tests.harness.ledger import faults
from tests.harness.numbers import us_number
from tests.harness.waiting import until
from tests.unit.media.files import picture


async def uploaded(client, content: bytes | None = None) -> str:
    """Upload a picture; returns its id."""
    answer = await client.post("/v1/media", content=content or picture("PNG"))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_an_uploaded_picture_arrives_and_costs_one_message(customer, stack) -> None:
    """From S3 at AWS's side; one unit at the price of an MMS, whatever the text."""
    file_id, to = await uploaded(customer.live), us_number()
    sent = await customer.send(to=to, channel="mms", media=[file_id], body="Löwe \N{LION FACE} " * 20)
    assert sent.status_code == 202, sent.text
    assert (sent.json()["parts"], sent.json()["price"]["estimated"]) == (1, "0.0275")
    assert sent.json()["media"] == [{"id": file_id, "content_type": "image/png"}]
    final = await customer.final(sent.json()["id"])
    assert (final["status"], final["price"]["final"]) == ("delivered", "0.0275")
    [carried] = await stack.carried(to=to)
    assert carried["channel"] == "MEDIA"
    assert carried["media_urls"][0].startswith(f"s3://tollgate-media/{customer.uuid.hex}/")
    assert await faults(stack.database) == []


async def test_a_picture_without_a_text_is_a_message(customer) -> None:
    """Its body is null, not empty."""
    sent = await customer.send(to=us_number(), channel="mms", media=[await uploaded(customer.live)])
    assert sent.status_code == 202, sent.text
    assert (await customer.final(sent.json()["id"]))["body"] is None


async def test_a_long_text_may_go_as_mms_without_a_file(customer, stack) -> None:
    """1,600 characters of any alphabet for the price of one; one more is too many."""
    to = us_number()
    sent = await customer.send(to=to, channel="mms", body="ж" * 1600)
    assert sent.status_code == 202, sent.text
    assert (await customer.final(sent.json()["id"]))["status"] == "delivered"
    refused = await customer.send(to=to, channel="mms", body="ж" * 1601)
    assert (refused.status_code, refused.json()["code"]) == (422, "body_too_long")


async def test_a_file_that_left_s3_before_the_send_is_told_and_costs_nothing(customer, stack) -> None:
    """AWS finds nothing under the key: MEDIA_FILE_INACCESSIBLE, and the hold is released."""
    file_id = await uploaded(customer.live)
    staged = await stack.database.fetchval(
        "SELECT object_key FROM media WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1", customer.uuid
    )
    stack.emulator.world.objects.drop("tollgate-media", staged)
    sent = await customer.send(to=us_number(), channel="mms", media=[file_id])
    final = await customer.final(sent.json()["id"])
    assert (final["status"], final["status_reason"]["code"]) == ("undelivered", "media_inaccessible")
    assert final["price"]["final"] == "0.00"


async def test_a_batch_fetches_one_address_once(customer, files) -> None:
    """Fifty sends of one picture are one request to its server."""
    media = [f"{files.url}/cat.png"]
    messages = [{"to": us_number(), "channel": "mms", "media": media} for _ in range(50)]
    answer = await customer.live.post("/v1/messages/batch", json={"messages": messages})
    assert {item["status"] for item in answer.json()["data"]} == {202}, answer.text
    assert files.asked == ["/cat.png"]


@pytest.mark.parametrize(
    ("path", "code", "fault"),
    [
        ("/absent.png", "media_unavailable", "status"),
        ("/moved", "media_unavailable", "status"),
        ("/huge.png", "media_refused", "too_large"),
        ("/program", "media_refused", "unknown_type"),
    ],
)
async def test_an_address_that_gives_no_picture_is_refused_before_the_accept(
    customer, files, path: str, code: str, fault: str
) -> None:
    """Nothing is stored and nothing held; redirects are not followed."""
    files.content |= {"/huge.png": picture("PNG").ljust(2_000_001, b"\0"), "/program": b"MZ" + b"\0" * 99}
    refused = await customer.send(to=us_number(), channel="mms", media=[f"{files.url}{path}"])
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["code"] == fault
    assert refused.json()["errors"][0]["field"] == "/media/0"
    assert "/cat.png" not in files.asked


@pytest.mark.parametrize(
    "url", ["http://example.com/a.png", "https://169.254.169.254/a.png", "file:///etc/x"]
)
async def test_an_address_that_may_not_be_called_is_not_called(customer, url: str) -> None:
    """Metadata services, other schemes, plain HTTP to strangers."""
    refused = await customer.send(to=us_number(), channel="mms", media=[url])
    assert (refused.status_code, refused.json()["code"]) == (422, "media_refused")


async def test_another_tenants_file_does_not_exist(customer, stack) -> None:
    """Nor does one of the test mode for a live key."""
    stranger = await stack.customer()
    for file_id in (await uploaded(customer.test), "med_00000000000000000000000000", "med_nonsense"):
        refused = await customer.send(to=us_number(), channel="mms", media=[file_id])
        assert (refused.status_code, refused.json()["code"]) == (422, "media_unavailable")
    own = await uploaded(customer.live)
    assert (await stranger.live.get(f"/v1/media/{own}")).status_code == 404
    assert (await customer.live.get(f"/v1/media/{own}")).json()["content_type"] == "image/png"


async def test_a_repeated_send_answers_the_same_when_its_address_is_gone(customer, files) -> None:
    """The key's first answer stands, whatever became of the file."""
    send = {"to": us_number(), "channel": "mms", "media": [f"{files.url}/once.png"]}
    files.content["/once.png"] = picture("PNG")
    first = await customer.send("mms-once", **send)
    assert first.status_code == 202, first.text
    del files.content["/once.png"]
    again = await customer.send("mms-once", **send)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_call_is_held_by_estimate_and_settled_by_its_minutes(customer, stack) -> None:
    """Two minutes are held for a long text; AWS reports what it took, and the rest comes back."""
    to = us_number()
    sent = await customer.send(
        to=to, channel="voice", body="word " * 150, voice={"id": "JOANNA"}, type="transactional"
    )
    assert sent.status_code == 202, sent.text
    assert (sent.json()["parts"], sent.json()["price"]["estimated"]) == (2, "0.036")
    assert sent.json()["voice"] == {"id": "JOANNA", "text_type": "text"}

    async def settled():
        message = await customer.message(sent.json()["id"])
        return message if message["provider"]["status"] == "COMPLETED" else None

    final = await until(settled)
    minutes = -(-await stack.database.fetchval("SELECT max(call_seconds) FROM messages") // 60)
    assert minutes == 1  # 750 characters are read in a minute, at the pace of the emulated carrier
    assert (final["status"], final["price"]["final"]) == ("delivered", "0.018")
    [carried] = await stack.carried(to=to)
    assert carried["channel"] == "VOICE"
    assert await faults(stack.database) == []


async def _stands_at(client, message_id: str, status: str) -> bool:
    return (await client.get(f"/v1/messages/{message_id}")).json()["status"] == status


async def test_a_test_key_sends_pictures_and_calls_on_the_sandbox(customer, stack) -> None:
    """Nothing reaches AWS, and every shape ends as it would."""
    file_id, to = await uploaded(customer.test), us_number()
    sends = [
        {"to": to, "channel": "mms", "media": [file_id]},
        {"to": to, "channel": "voice", "body": "Hello"},
        {"to": "+14254147167", "channel": "voice", "body": "Hello"},
    ]
    for send, status in zip(sends, ("delivered", "delivered", "undelivered"), strict=True):
        sent = await customer.test.post("/v1/messages", json=send)
        assert sent.status_code == 202, sent.text

        await until(partial(_stands_at, customer.test, sent.json()["id"], status))
    assert await stack.carried(to=to) == []


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"media": ["med_x", "med_y"], "channel": "mms"}, 422, "/media"),
        ({"media": [], "channel": "mms"}, 422, "/media"),
        ({"media": ["med_x"]}, 422, "/media"),
        ({"voice": {"id": "JOANNA"}}, 422, "/voice"),
        ({"voice": {"id": "NOBODY"}, "channel": "voice"}, 422, "/voice/id"),
        ({"voice": {"text_type": "ssml"}, "channel": "voice"}, 422, "/body"),
        ({"to": "+4915112345678", "channel": "mms"}, 422, "/channel"),
    ],
)
async def test_a_request_that_does_not_fit_its_channel_says_where(customer, changes, status, field) -> None:
    """Each with the field and the way out."""
    refused = await customer.send(**({"to": us_number(), "body": "Hello"} | changes))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (status, field), refused.text


@pytest.mark.parametrize("channel", ["mms", "voice"])
async def test_a_number_that_does_not_carry_the_channel_sends_nothing_over_it(stack, channel: str) -> None:
    """A toll-free number for texts only: 409 before anything is stored."""
    texts_only = await stack.customer()
    refused = await texts_only.send(to=us_number(), channel=channel, body="Hello")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_originator")


async def test_the_hold_of_a_dear_call_is_refused_over_max_price(customer) -> None:
    """max_price counts the minutes that would be held."""
    refused = await customer.send(to=us_number(), channel="voice", body="a " * 400, max_price="0.035")
    assert (refused.status_code, refused.json()["code"]) == (422, "price_over_max")
    taken = await customer.send(to=us_number(), channel="voice", body="a " * 400, max_price="0.036")
    assert taken.status_code == 202, taken.text


async def test_throttled_pictures_do_not_slow_the_texts_of_their_route(customer, stack) -> None:
    """AWS counts SendMediaMessage by itself; while it refuses every picture, texts go at their own rate."""
    file_id = await uploaded(customer.live)
    await stack.emulate("faults", {"actions": {"SendMediaMessage": {"throttle_rate": 1.0}}})
    pictures = [await customer.send(to=us_number(), channel="mms", media=[file_id]) for _ in range(5)]
    texts = [await customer.send(to=us_number(), body="Hello") for _ in range(40)]
    finals = [await customer.final(each.json()["id"], within_s=60) for each in texts]
    assert {each["status"] for each in finals} == {"delivered"}
    waiting = [await customer.message(each.json()["id"]) for each in pictures]
    assert {each["status"] for each in waiting} <= {"queued", "dispatching"}
    await stack.emulate("faults", {})
    for each in pictures:
        assert (await customer.final(each.json()["id"], within_s=60))["status"] == "delivered"
