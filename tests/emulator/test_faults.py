"""Faults that tests ask for: what happened, what is answered, what receipts do."""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.emulator.conftest import Aws, Sink


async def accepted(aws: Aws) -> int:
    """Return how many sends were accepted."""
    return (await aws.control("GET", "stats"))["accepted_sends"]


@pytest.mark.parametrize(
    ("fault", "status", "code", "happened"),
    [
        ("throttle_rate", 400, "ThrottlingException", 0),
        ("error_rate", 500, "InternalServerException", 0),
        ("unavailable_rate", 503, "ServiceUnavailable", 0),
        ("accept_then_error_rate", 500, "InternalServerException", 1),
    ],
)
async def test_a_faulty_answer_tells_nothing_about_what_happened(
    aws: Aws, fault: str, status: int, code: str, happened: int
) -> None:
    """A 500 may or may not have sent; a throttle never has."""
    number = await aws.number()
    await aws.control("POST", "faults", {"actions": {"SendTextMessage": {fault: 1}}})
    with pytest.raises(ClientError) as caught:
        await aws.send(OriginationIdentity=number["PhoneNumberId"])
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (status, code)
    assert await accepted(aws) == happened


@pytest.mark.parametrize(
    ("fault", "happened"), [("drop_after_accept_rate", 1), ("drop_before_accept_rate", 0)]
)
async def test_a_dropped_answer_closes_the_connection(aws: Aws, fault: str, happened: int) -> None:
    """The client sees a closed connection, whether or not the message is on its way."""
    number = await aws.number()
    await aws.control("POST", "faults", {"actions": {"*": {fault: 1}}})
    with pytest.raises((ConnectionClosedError, ClientError, OSError)) as caught:
        await aws.send(OriginationIdentity=number["PhoneNumberId"])
    assert not isinstance(caught.value, ClientError)
    assert await accepted(aws) == happened


async def test_a_rate_befalls_about_its_share_of_calls_and_always_the_same_ones(aws: Aws) -> None:
    """Drawn from the seed and the number of the call."""
    await aws.control("POST", "faults", {"actions": {"DescribePools": {"throttle_rate": 0.3}}})
    statuses = [(await aws.raw("DescribePools", {}))[0] for _ in range(200)]
    assert 35 <= statuses.count(400) <= 85
    await aws.control("POST", "reset")
    await aws.control("POST", "faults", {"actions": {"DescribePools": {"throttle_rate": 0.3}}})
    assert [(await aws.raw("DescribePools", {}))[0] for _ in range(200)] == statuses


async def test_duplicated_receipts_arrive_twice(aws: Aws, sink: Sink) -> None:
    """Under the same SNS id, or under a new one."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    for ids, distinct in (("same", 4), ("new", 8)):
        sink.envelopes.clear()
        await aws.control("POST", "faults", {"receipts": {"duplicate_rate": 1, "duplicate_ids": ids}})
        await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
        await sink.until(lambda: len(sink.notifications) == 8)
        assert len({each["MessageId"] for each in sink.notifications}) == distinct


async def test_reordered_receipts_leave_out_of_order(aws: Aws, sink: Sink) -> None:
    """The final event does not come last."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "faults", {"receipts": {"reorder": True}})
    await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    await sink.until(lambda: len(sink.events) == 4)
    assert sink.events[-1]["eventType"] != "TEXT_DELIVERED"


@pytest.mark.parametrize(
    "faults",
    [
        {"reorder": True},
        {"lose_final_rate": 1},
        {"lose_rate": 1},
        {"duplicate_rate": 1, "duplicate_ids": "new"},
    ],
)
async def test_the_outcome_is_what_became_of_the_message_whatever_receipts_tell(
    aws: Aws, sink: Sink, faults: dict[str, object]
) -> None:
    """It is what a gateway's own word is held against, and a fault of the receipts is when that is wanted."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "faults", {"receipts": faults})
    for destination in ("+14254147755", "+14254147167"):
        await aws.send(destination, OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    messages = (await aws.control("GET", "messages"))["data"]
    assert [each["outcome"] for each in messages] == ["DELIVERED", "BLOCKED"]


async def test_lost_receipts_never_arrive(aws: Aws, sink: Sink) -> None:
    """The carrier delivered, nobody hears of it."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "faults", {"receipts": {"lose_rate": 1}})
    await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    await aws.control("POST", "clock", {"advance_seconds": 300_000})
    stats = await aws.control("GET", "stats")
    assert (stats["accepted_sends"], stats["events_published"]) == (1, 0)


async def test_receipts_can_arrive_before_the_send_is_answered(aws: Aws, sink: Sink) -> None:
    """An ingest must cope with ids that it has not stored yet."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "faults", {"receipts": {"before_response": True}})
    message_id = await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    assert [each["messageId"] for each in sink.events] == [message_id] * 4


async def test_delayed_receipts_wait_for_the_virtual_clock(aws: Aws, sink: Sink) -> None:
    """A delay of hours costs no real time."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "faults", {"receipts": {"delay_ms": 3_600_000}})
    message_id = await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    assert sink.events == []
    await aws.control("POST", "clock", {"advance_seconds": 3601})
    await sink.final(message_id)
