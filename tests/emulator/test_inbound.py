"""Messages from recipients: keywords, opt-outs, replies and the two-way topic."""

import msgspec
import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Aws, Sink

TO_US = "+14255550100"


async def ten_dlc(aws: Aws) -> dict[str, str]:
    """Lease a number whose opt-outs AWS handles itself."""
    return await aws.number(NumberType="TEN_DLC", NumberCapabilities=["SMS"])


async def write(aws: Aws, number: dict[str, str], body: str) -> None:
    """Let the recipient write to a number."""
    await aws.control("POST", "inbound", {"from": TO_US, "to": number["PhoneNumber"], "body": body})


@pytest.mark.parametrize("body", ["STOP", "stop please", "Unsubscribe", "QUIT"])
async def test_stop_opts_out_and_confirms(aws: Aws, body: str) -> None:
    """The next send is refused, and the recipient has been told."""
    number = await ten_dlc(aws)
    await write(aws, number, body)
    [entry] = (await aws.sms.describe_opted_out_numbers(OptOutListName="Default"))["OptedOutNumbers"]
    assert (entry["OptedOutNumber"], entry["EndUserOptedOut"]) == (TO_US, True)
    with pytest.raises(ClientError) as caught:
        await aws.send(TO_US, OriginationIdentity=number["PhoneNumberId"])
    assert caught.value.response["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT"
    assert (await aws.control("GET", "messages"))["data"] == []
    [reply] = (await aws.control("GET", "messages?automatic=1"))["data"]
    assert (reply["destination"], reply["origination"]) == (TO_US, number["PhoneNumber"])


async def test_start_only_opts_in_where_a_keyword_says_so(aws: Aws) -> None:
    """AWS does not opt in by itself."""
    number = await ten_dlc(aws)
    await write(aws, number, "STOP")
    await write(aws, number, "START")
    assert (await aws.sms.describe_opted_out_numbers(OptOutListName="Default"))["OptedOutNumbers"]
    await aws.sms.put_keyword(
        OriginationIdentity=number["PhoneNumberId"],
        Keyword="START",
        KeywordMessage="Welcome back",
        KeywordAction="OPT_IN",
    )
    await write(aws, number, "Start")
    assert (await aws.sms.describe_opted_out_numbers(OptOutListName="Default"))["OptedOutNumbers"] == []


async def test_toll_free_stop_is_kept_by_the_network(aws: Aws, sink: Sink) -> None:
    """No list hears of it; the send is accepted and ends blocked."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await write(aws, number, "STOP")
    assert (await aws.sms.describe_opted_out_numbers(OptOutListName="Default"))["OptedOutNumbers"] == []
    message_id = await aws.send(TO_US, OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    assert (await sink.final(message_id))["eventType"] == "TEXT_BLOCKED"
    await write(aws, number, "UNSTOP")
    await aws.control("POST", "carriers", {"US": {"outcomes": {"DELIVERED": 1}}})
    message_id = await aws.send(TO_US, OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    assert (await sink.final(message_id))["eventType"] == "TEXT_DELIVERED"


async def test_two_way_messages_reach_the_topic(aws: Aws, sink: Sink) -> None:
    """With the keyword, and the last message that the recipient had got."""
    number = await ten_dlc(aws)
    topic = (await aws.sns.create_topic(Name="two-way"))["TopicArn"]
    await aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=sink.url)
    await sink.confirmed(topic)
    await aws.sms.update_phone_number(
        PhoneNumberId=number["PhoneNumberId"], TwoWayEnabled=True, TwoWayChannelArn=topic
    )
    sent = await aws.send(TO_US, OriginationIdentity=number["PhoneNumberId"])
    await write(aws, number, "help me")
    await sink.until(lambda: bool(sink.notifications))
    record = msgspec.json.decode(sink.notifications[0]["Message"])
    assert record.pop("inboundMessageId")
    assert record == {
        "originationNumber": TO_US,
        "destinationNumber": number["PhoneNumber"],
        "messageKeyword": "HELP",
        "messageBody": "help me",
        "previousPublishedMessageId": sent,
    }


async def test_help_and_stop_keep_their_actions(aws: Aws) -> None:
    """Their texts may change, they cannot go."""
    number = await ten_dlc(aws)
    owner = {"OriginationIdentity": number["PhoneNumberId"]}
    await aws.sms.put_keyword(**owner, Keyword="help", KeywordMessage="Call us")
    listed = (await aws.sms.describe_keywords(**owner))["Keywords"]
    assert {each["Keyword"]: each["KeywordMessage"] for each in listed}["HELP"] == "Call us"
    for call in (
        aws.sms.delete_keyword(**owner, Keyword="STOP"),
        aws.sms.put_keyword(**owner, Keyword="STOP", KeywordMessage="x", KeywordAction="AUTOMATIC_RESPONSE"),
    ):
        with pytest.raises(aws.sms.exceptions.ConflictException):
            await call
