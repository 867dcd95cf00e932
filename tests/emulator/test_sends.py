"""What SendTextMessage checks and in which order, and what it answers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Aws, emulated


async def refused(aws: Aws, **request: Any) -> dict[str, Any]:
    """Return the error of a send that must fail."""
    with pytest.raises(ClientError) as caught:
        await aws.send(**request)
    return caught.value.response


async def test_a_send_through_a_pool_uses_its_number(aws: Aws) -> None:
    """The pool's member for the country carries the message."""
    number = await aws.number()
    pool = await aws.sms.create_pool(
        OriginationIdentity=number["PhoneNumberId"], IsoCountryCode="US", MessageType="TRANSACTIONAL"
    )
    message_id = await aws.send(OriginationIdentity=pool["PoolArn"], Context={"m": "1"})
    [message] = (await aws.control("GET", "messages"))["data"]
    assert message["message_id"] == message_id
    assert message["origination"] == number["PhoneNumber"]
    assert message["context"] == {"m": "1"}


@pytest.mark.parametrize("name", ["PhoneNumber", "PhoneNumberId", "PhoneNumberArn"])
async def test_a_number_can_be_named_in_three_ways(aws: Aws, name: str) -> None:
    """Number, id and ARN mean the same."""
    number = await aws.number()
    await aws.send(OriginationIdentity=number[name])
    [message] = (await aws.control("GET", "messages"))["data"]
    assert message["origination"] == number["PhoneNumber"]


async def test_an_opted_out_recipient_is_refused_before_anything_is_charged(aws: Aws) -> None:
    """The list of the identity counts."""
    number = await aws.number()
    await aws.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber="+14254147755")
    error = await refused(aws, OriginationIdentity=number["PhoneNumberId"])
    assert (error["Error"]["Code"], error["Reason"]) == (
        "ConflictException",
        "DESTINATION_PHONE_NUMBER_OPTED_OUT",
    )
    assert (await aws.control("GET", "stats"))["accepted_sends"] == 0


async def test_a_price_above_the_maximum_is_not_sent(aws: Aws) -> None:
    """MaxPrice guards the whole message, all parts."""
    number = await aws.number()
    await aws.control("POST", "carriers", {"US": {"price": "0.005", "fee": "0.001"}})
    named = {"OriginationIdentity": number["PhoneNumberId"], "MessageBody": "x" * 161}
    error = await refused(aws, **named, MaxPrice="0.011")
    assert error["Reason"] == "PRICE_OVER_THRESHOLD"
    await aws.send(**named, MaxPrice="0.012")


async def test_the_united_states_need_a_number(aws: Aws) -> None:
    """Sender ids and shared routes do not work there."""
    assert (await refused(aws))["Reason"] == "NO_ORIGINATION_IDENTITIES_FOUND"
    await aws.send("+447860019066")


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        ({"OriginationIdentity": "pool-unknown"}, "ResourceNotFoundException", None),
        ({"ConfigurationSetName": "unknown"}, "ResourceNotFoundException", None),
        ({"ProtectConfigurationId": "protect-unknown"}, "ResourceNotFoundException", None),
        ({"destination": "+9991234567"}, "ValidationException", "INVALID_PARAMETER"),
        ({"destination": "+1425"}, "ValidationException", "INVALID_PARAMETER"),
    ],
)
async def test_what_does_not_exist_is_told(
    aws: Aws, request_: dict[str, str], code: str, reason: str | None
) -> None:
    """Existence is checked before any state."""
    error = await refused(aws, **request_)
    assert (error["Error"]["Code"], error.get("Reason")) == (code, reason)


async def test_a_message_type_that_the_number_does_not_have_conflicts(aws: Aws) -> None:
    """A named identity must fit the message."""
    number = await aws.number()
    error = await refused(aws, OriginationIdentity=number["PhoneNumberId"], MessageType="PROMOTIONAL")
    assert error["Reason"] == "MESSAGE_TYPE_MISMATCH"


async def test_a_number_does_not_send_abroad_unless_it_may(aws: Aws) -> None:
    """International sending is off by default."""
    number = await aws.number()
    error = await refused(aws, destination="+447860019066", OriginationIdentity=number["PhoneNumberId"])
    assert error["Reason"] == "INTERNATIONAL_SENDING_NOT_SUPPORTED"
    await aws.sms.update_phone_number(PhoneNumberId=number["PhoneNumberId"], InternationalSendingEnabled=True)
    await aws.send("+447860019066", OriginationIdentity=number["PhoneNumberId"])


async def test_a_sandbox_account_sends_to_verified_numbers_only() -> None:
    """Simulator destinations need no verification."""
    async with emulated(sandbox=True) as aws:
        number = await aws.number()
        named = {"OriginationIdentity": number["PhoneNumberId"]}
        assert (await refused(aws, destination="+14255550100", **named))[
            "Reason"
        ] == "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"
        await aws.send(**named)


async def test_a_spend_limit_stops_sends_when_it_is_reached(aws: Aws) -> None:
    """The limit counts what the month has cost so far."""
    number = await aws.number()
    await aws.sms.set_text_message_spend_limit_override(MonthlyLimit=0)
    error = await refused(aws, OriginationIdentity=number["PhoneNumberId"])
    assert (error["Error"]["Code"], error["Reason"]) == (
        "ServiceQuotaExceededException",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    )


async def test_a_dry_run_is_checked_but_not_sent(aws: Aws) -> None:
    """It costs nothing and yields no events."""
    number = await aws.number()
    await aws.send(OriginationIdentity=number["PhoneNumberId"], DryRun=True)
    assert (await refused(aws, OriginationIdentity="pool-unknown", DryRun=True))["Error"][
        "Code"
    ] == "ResourceNotFoundException"


async def test_protect_rules_apply_in_their_order_of_precedence(aws: Aws) -> None:
    """Request over configuration set over account; number over country; opt-out over everything."""
    number = await aws.number()
    named = {"OriginationIdentity": number["PhoneNumberId"]}
    blocking = (await aws.sms.create_protect_configuration())["ProtectConfigurationId"]
    allowing = (await aws.sms.create_protect_configuration())["ProtectConfigurationId"]
    await aws.sms.update_protect_configuration_country_rule_set(
        ProtectConfigurationId=blocking,
        NumberCapability="SMS",
        CountryRuleSetUpdates={"US": {"ProtectStatus": "BLOCK"}},
    )
    await aws.sms.set_account_default_protect_configuration(ProtectConfigurationId=blocking)
    blocked = await refused(aws, **named)
    assert blocked["Reason"] == "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"
    assert (blocked["ResourceType"], blocked["ResourceId"]) == ("protect-configuration", blocking)
    await aws.sms.create_configuration_set(ConfigurationSetName="set")
    await aws.sms.associate_protect_configuration(ProtectConfigurationId=allowing, ConfigurationSetName="set")
    await aws.send(**named, ConfigurationSetName="set")
    assert (await refused(aws, **named, ConfigurationSetName="set", ProtectConfigurationId=blocking))[
        "Reason"
    ]
    await aws.sms.put_protect_configuration_rule_set_number_override(
        ProtectConfigurationId=blocking, DestinationPhoneNumber="+14254147755", Action="ALLOW"
    )
    await aws.send(**named)
    await aws.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber="+14254147755")
    assert (await refused(aws, **named))["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT"


async def test_strict_mode_holds_actions_to_one_request_per_second() -> None:
    """AWS's default for almost every action."""
    async with emulated(strict=True) as aws:
        await aws.sms.describe_pools()
        with pytest.raises(ClientError) as caught:
            await aws.sms.describe_pools()
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"


async def test_the_same_client_token_replays_the_first_answer(aws: Aws) -> None:
    """Other parameters under the same token are refused."""
    wanted = {"ConfigurationSetName": "set", "ClientToken": "token-1"}
    first = await aws.sms.create_configuration_set(**wanted)
    second = await aws.sms.create_configuration_set(**wanted)
    assert first["CreatedTimestamp"] == second["CreatedTimestamp"]
    with pytest.raises(ClientError) as caught:
        await aws.sms.create_configuration_set(ConfigurationSetName="other", ClientToken="token-1")
    assert caught.value.response["Reason"] == "INVALID_PARAMETER"


async def test_strict_mode_counts_parts_and_recipients() -> None:
    """A toll-free number sends three parts a second, a recipient takes one message."""
    async with emulated(strict=True, registration_required=False) as aws:
        number = await aws.number()
        named = {"OriginationIdentity": number["PhoneNumberId"]}
        await aws.send("+14255550100", **named, MessageBody="x" * 400)
        await aws.control("POST", "clock", {"advance_seconds": 1.01})
        await aws.send("+14255550101", **named)
        await aws.control("POST", "clock", {"advance_seconds": 1.01})
        await aws.send("+14255550101", **named, MessageBody="x" * 200)
        for destination in ("+14255550101", "+14255550102"):
            assert (await refused(aws, destination=destination, **named))["Error"][
                "Code"
            ] == "ThrottlingException"


async def test_strict_rates_can_be_raised_and_every_arrival_is_listed() -> None:
    """A support case raises both; whoever limits a rate wants to see what came."""
    raised = {"requests_per_second": {"*": 100.0}, "parts_per_second": {"ACME": 2.0}}
    async with emulated(strict=True, max_spend_usd=1_000, **raised) as aws:
        await aws.sms.request_sender_id(SenderId="ACME", IsoCountryCode="GB", MessageTypes=["TRANSACTIONAL"])
        for last in range(2):
            await aws.send(f"+44740000000{last}", OriginationIdentity="ACME")
        await refused(aws, destination="+447400000009", OriginationIdentity="ACME")
        came = await aws.control("GET", "arrivals")
        assert [each[1:] for each in came["data"]] == [
            ["ACME", "GB", 1, False],
            ["ACME", "GB", 1, False],
            ["ACME", "GB", 1, True],
        ]


async def test_a_sandbox_account_makes_few_calls_a_day() -> None:
    """Five to one recipient in 24 hours."""
    async with emulated(sandbox=True) as aws:
        number = await aws.number()
        wanted = {
            "DestinationPhoneNumber": "+14254147755",
            "OriginationIdentity": number["PhoneNumberId"],
            "MessageBody": "hello",
        }
        for _ in range(5):
            await aws.sms.send_voice_message(**wanted)
        with pytest.raises(aws.sms.exceptions.ServiceQuotaExceededException) as caught:
            await aws.sms.send_voice_message(**wanted)
        assert caught.value.response["Reason"] == "DAILY_DESTINATION_CALL_LIMIT"
        await aws.control("POST", "clock", {"advance_seconds": 86_401})
        await aws.sms.send_voice_message(**wanted)


async def test_feedback_needs_to_be_enabled_and_ends_after_an_hour(aws: Aws) -> None:
    """A message without feedback in its first hour counts as failed."""
    number = await aws.number()
    named = {"OriginationIdentity": number["PhoneNumberId"]}
    plain = await aws.send(**named)
    with pytest.raises(aws.sms.exceptions.ValidationException):
        await aws.sms.put_message_feedback(MessageId=plain, MessageFeedbackStatus="RECEIVED")
    told, silent = [await aws.send(**named, MessageFeedbackEnabled=True) for _ in range(2)]
    await aws.sms.put_message_feedback(MessageId=told, MessageFeedbackStatus="RECEIVED")
    await aws.control("POST", "clock", {"advance_seconds": 3601})
    await aws.sms.put_message_feedback(MessageId=silent, MessageFeedbackStatus="RECEIVED")
    listed = {each["message_id"]: each["feedback"] for each in (await aws.control("GET", "messages"))["data"]}
    assert listed == {plain: None, told: "RECEIVED", silent: "FAILED"}
