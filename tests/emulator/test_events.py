"""Delivery events: their records, envelopes, signatures and retries."""

import base64
import random

import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.emulator.conftest import Aws, Sink, emulated

SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ],
}


async def public_key(aws: Aws, envelope: dict[str, str]) -> rsa.RSAPublicKey:
    """Fetch the key that an envelope's certificate holds."""
    async with aws.http.get(envelope["SigningCertURL"]) as answer:
        assert answer.status == 200
        key = x509.load_pem_x509_certificate(await answer.read()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def verify(key: rsa.RSAPublicKey, envelope: dict[str, str]) -> None:
    """Verify as AWS documents it, sharing nothing with the emulator."""
    text = "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED[envelope["Type"]] if name in envelope)
    algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}[envelope["SignatureVersion"]]  # noqa: S303
    key.verify(base64.b64decode(envelope["Signature"]), text.encode(), padding.PKCS1v15(), algorithm)


async def test_a_delivered_text_yields_its_events_in_order(aws: Aws, sink: Sink) -> None:
    """Queued, pending, accepted by the carrier, delivered; context and prices come along."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    message_id = await aws.send(
        OriginationIdentity=number["PhoneNumberId"],
        ConfigurationSetName=name,
        Context={"tenant": "t-1"},
        MessageBody="x" * 161,
    )
    final = await sink.final(message_id)
    assert [each["eventType"] for each in sink.events] == [
        "TEXT_QUEUED",
        "TEXT_PENDING",
        "TEXT_SUCCESSFUL",
        "TEXT_DELIVERED",
    ]
    assert [each["isFinal"] for each in sink.events] == [False, False, False, True]
    assert final["context"] == {"tenant": "t-1"}
    assert final["totalMessageParts"] == 2
    assert final["totalMessagePrice"] == pytest.approx(2 * 0.00581)
    assert final["totalCarrierFee"] == pytest.approx(2 * 0.00256)
    assert (final["isoCountryCode"], final["messageEncoding"]) == ("US", "GSM")
    assert final["originationPhoneNumber"] == number["PhoneNumber"]


async def test_simulator_failure_numbers_end_blocked(aws: Aws, sink: Sink) -> None:
    """The pair of every country is documented."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    message_id = await aws.send(
        "+14254147167", OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name
    )
    final = await sink.final(message_id)
    assert (final["eventType"], final["messageStatusDescription"]) == (
        "TEXT_BLOCKED",
        "Phone has blocked SMS",
    )


@pytest.mark.parametrize("version", ["1", "2"])
async def test_envelopes_verify_with_an_independent_implementation(
    aws: Aws, sink: Sink, version: str
) -> None:
    """Both signature versions, for notifications and for the confirmation."""
    number = await aws.number()
    name = await aws.configuration_set(sink, SignatureVersion=version)
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    assert {each["Type"] for each in sink.envelopes} == {"SubscriptionConfirmation", "Notification"}
    key = await public_key(aws, sink.envelopes[0])
    for envelope in sink.envelopes:
        assert envelope["SignatureVersion"] == version
        verify(key, envelope)


async def test_twenty_thousand_mutated_envelopes_do_not_verify(aws: Aws, sink: Sink) -> None:
    """One changed character anywhere under the signature, or in it, breaks it."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    key = await public_key(aws, sink.envelopes[0])
    dice = random.Random(7)
    for _ in range(20_000):
        envelope = dict(dice.choice(sink.envelopes))
        member = dice.choice(
            [*(each for each in SIGNED[envelope["Type"]] if each in envelope and each != "Type"), "Signature"]
        )
        text = bytearray(
            base64.b64decode(envelope[member]) if member == "Signature" else envelope[member].encode()
        )
        text[dice.randrange(len(text))] ^= 1 << dice.randrange(7)
        envelope[member] = base64.b64encode(text).decode() if member == "Signature" else text.decode()
        with pytest.raises(InvalidSignature):
            verify(key, envelope)


async def test_a_failing_endpoint_is_tried_again_under_the_same_id(aws: Aws, sink: Sink) -> None:
    """Three retries after a 5xx; the MessageId stays, so receivers can deduplicate."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    sink.statuses = [500, 503, 500]
    await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name)
    await sink.until(lambda: len(sink.notifications) == 7)
    assert len({each["MessageId"] for each in sink.notifications}) == 4


async def test_a_4xx_is_given_up_at_once(aws: Aws, sink: Sink) -> None:
    """SNS does not retry client errors."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    sink.statuses = [404]
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    assert len(sink.notifications) == 4
    assert (await aws.control("GET", "stats"))["events_failed"] == 1


async def test_an_endpoint_that_is_up_late_still_gets_its_confirmation(sink: Sink) -> None:
    """Services start in any order."""
    async with emulated() as aws:
        topic = (await aws.sns.create_topic(Name="late"))["TopicArn"]
        late = sink.url.replace("/sns", "/not-there-yet")
        await aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=late)
        await aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=sink.url)
        await sink.confirmed(topic)
        listed = (await aws.sns.list_subscriptions_by_topic(TopicArn=topic))["Subscriptions"]
        assert [each["SubscriptionArn"] == "PendingConfirmation" for each in listed] == [True, False]


async def test_only_matching_event_types_are_published(aws: Aws, sink: Sink) -> None:
    """A destination names the types that it takes."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.sms.update_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="sns",
        MatchingEventTypes=["TEXT_DELIVERED", "VOICE_ALL"],
    )
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    assert [each["eventType"] for each in sink.events] == ["TEXT_DELIVERED"]


async def test_raw_delivery_posts_the_bare_record(aws: Aws, sink: Sink) -> None:
    """RawMessageDelivery drops the envelope."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    [subscription] = (await aws.sns.list_subscriptions())["Subscriptions"]
    await aws.sns.set_subscription_attributes(
        SubscriptionArn=subscription["SubscriptionArn"],
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    )
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    assert all(each["Raw"] for each in sink.notifications)
    assert sink.headers[-1]["x-amz-sns-rawdelivery"] == "true"


async def test_the_confirmation_token_can_be_confirmed_by_api(aws: Aws, sink: Sink) -> None:
    """ConfirmSubscription and visiting SubscribeURL do the same; a wrong token does nothing."""
    topic = (await aws.sns.create_topic(Name="api"))["TopicArn"]
    assert (await aws.sns.create_topic(Name="api"))["TopicArn"] == topic
    await aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=sink.url)
    with pytest.raises(aws.sns.exceptions.InvalidParameterException):
        await aws.sns.confirm_subscription(TopicArn=topic, Token="0" * 128)
    await sink.confirmed(topic)
    token = sink.envelopes[0]["Token"]
    arn = (await aws.sns.confirm_subscription(TopicArn=topic, Token=token))["SubscriptionArn"]
    await aws.sns.unsubscribe(SubscriptionArn=arn)
    assert (await aws.sns.list_subscriptions())["Subscriptions"] == []


async def test_seventy_two_hours_pass_in_a_moment(aws: Aws, sink: Sink) -> None:
    """A silent carrier ends as UNKNOWN when the virtual clock gets there."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "carriers", {"US": {"outcomes": {"SILENT": 1}}})
    message_id = await aws.send(
        "+14255550100", OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name
    )
    await sink.until(lambda: len(sink.events) == 2)
    await aws.control("POST", "clock", {"advance_seconds": 72 * 3600})
    assert (await sink.final(message_id))["eventType"] == "TEXT_UNKNOWN"


async def test_a_message_that_is_not_handed_over_in_time_expires(aws: Aws, sink: Sink) -> None:
    """TimeToLive ends before the slow carrier answers."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await aws.control("POST", "carriers", {"US": {"delay_ms": 600_000, "outcomes": {"DELIVERED": 1}}})
    message_id = await aws.send(
        "+14255550100", OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name, TimeToLive=5
    )
    await aws.control("POST", "clock", {"advance_seconds": 6})
    assert (await sink.final(message_id))["eventType"] == "TEXT_TTL_EXPIRED"


async def test_same_seed_and_recipients_give_the_same_outcomes_in_any_order() -> None:
    """Dice hang on the recipient, not on the order of arrival."""
    recipients = [f"+1425555{n:04d}" for n in range(300)]
    runs = []
    for order in (recipients, recipients[::-1]):
        async with emulated(seed=5) as aws:
            number = await aws.number()
            for recipient in order:
                await aws.raw(
                    "SendTextMessage",
                    {
                        "DestinationPhoneNumber": recipient,
                        "MessageBody": "hi",
                        "OriginationIdentity": number["PhoneNumberId"],
                    },
                )
            messages = (await aws.control("GET", "messages"))["data"]
            runs.append({each["destination"]: each["outcome"] for each in messages})
    assert runs[0] == runs[1]
    assert len(set(runs[0].values())) > 2


async def test_a_filter_rule_blocks_pumped_traffic_after_it_was_accepted(aws: Aws, sink: Sink) -> None:
    """FILTER answers 200 and ends suspects as PROTECT_BLOCKED."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    protect = (await aws.sms.create_protect_configuration())["ProtectConfigurationId"]
    await aws.sms.update_protect_configuration_country_rule_set(
        ProtectConfigurationId=protect,
        NumberCapability="SMS",
        CountryRuleSetUpdates={"US": {"ProtectStatus": "FILTER"}},
    )
    await aws.sms.associate_protect_configuration(ProtectConfigurationId=protect, ConfigurationSetName=name)
    for n in range(25):
        message_id = await aws.send(
            f"+1425555{n:04d}", OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name
        )
    final = await sink.final(message_id)
    assert final["eventType"] == "TEXT_PROTECT_BLOCKED"
    assert final["totalMessagePrice"] == 0
    assert final["protectConfigurationAssessment"]["protectInsights"] == {"blockReason": "AIT_SUSPECTED"}


async def test_media_and_voice_have_events_of_their_own(aws: Aws, sink: Sink) -> None:
    """Each channel has its own types."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    wanted = {
        "DestinationPhoneNumber": "+14254147755",
        "OriginationIdentity": number["PhoneNumberId"],
        "ConfigurationSetName": name,
    }
    media = (await aws.sms.send_media_message(**wanted, MediaUrls=["s3://bucket/cat.png"]))["MessageId"]
    voice = (await aws.sms.send_voice_message(**wanted, MessageBody="Your code is one two three"))[
        "MessageId"
    ]
    assert (await sink.final(media))["eventType"] == "MEDIA_DELIVERED"
    called = await sink.final(voice)
    assert called["eventType"] == "VOICE_COMPLETED"
    assert called["callDurationInSeconds"] > 0


async def test_the_bodies_that_leave_are_json_that_names_its_subscription(aws: Aws, sink: Sink) -> None:
    """Headers repeat what receivers route by."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    await sink.final(await aws.send(OriginationIdentity=number["PhoneNumberId"], ConfigurationSetName=name))
    header = sink.headers[-1]
    assert header["Content-Type"] == "text/plain; charset=UTF-8"
    assert header["x-amz-sns-message-type"] == "Notification"
    assert header["x-amz-sns-message-id"] == sink.envelopes[-1]["MessageId"]
    assert msgspec.json.decode(sink.envelopes[-1]["Message"])["eventVersion"] == "1.0"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("s3://missing/cat.png", "MEDIA_FILE_INACCESSIBLE"),
        ("s3://bucket/virus.exe", "MEDIA_FILE_TYPE_UNSUPPORTED"),
        ("s3://bucket/too-large-film.mp4", "MEDIA_FILE_SIZE_EXCEEDED"),
    ],
)
async def test_a_bad_media_file_fails_after_acceptance(aws: Aws, sink: Sink, url: str, status: str) -> None:
    """The file is looked at when the message is on its way, and nothing is charged."""
    number = await aws.number()
    name = await aws.configuration_set(sink)
    sent = await aws.sms.send_media_message(
        DestinationPhoneNumber="+14254147755",
        OriginationIdentity=number["PhoneNumberId"],
        ConfigurationSetName=name,
        MediaUrls=[url],
    )
    final = await sink.final(sent["MessageId"])
    assert (final["eventType"], final["totalMessagePrice"]) == (status, 0)
