"""Rules of resources: uniqueness, membership, protection, filters and pages."""

from collections.abc import Awaitable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gateway.emulator.options import Behaviour, Quotas
from tests.emulator.conftest import Aws, emulated


async def refused(call: Awaitable[Any]) -> tuple[str, str | None]:
    """Await a call that must fail and return its code and reason."""
    with pytest.raises(ClientError) as caught:
        await call
    return caught.value.response["Error"]["Code"], caught.value.response.get("Reason")


def conflict(reason: str) -> tuple[str, str]:
    """Return what a conflict looks like."""
    return "ConflictException", reason


async def pool_of(aws: Aws, number: dict[str, Any]) -> dict[str, Any]:
    """Open a pool around a number."""
    return await aws.sms.create_pool(
        OriginationIdentity=number["PhoneNumberId"], IsoCountryCode="US", MessageType=number["MessageType"]
    )


async def test_names_are_unique(aws: Aws) -> None:
    """A second one of the same name conflicts."""
    await aws.sms.create_opt_out_list(OptOutListName="list")
    await aws.sms.create_configuration_set(ConfigurationSetName="set")
    await aws.sms.request_sender_id(SenderId="Acme", IsoCountryCode="GB")
    for call in (
        aws.sms.create_opt_out_list(OptOutListName="list"),
        aws.sms.create_configuration_set(ConfigurationSetName="set"),
        aws.sms.request_sender_id(SenderId="ACME", IsoCountryCode="GB"),
    ):
        assert await refused(call) == conflict("RESOURCE_ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("country", "reason"), [("US", "SENDER_ID_NOT_SUPPORTED"), ("IN", "SENDER_ID_REQUIRES_REGISTRATION")]
)
async def test_sender_ids_depend_on_the_country(aws: Aws, country: str, reason: str) -> None:
    """Some have none, some ask for a registration."""
    call = aws.sms.request_sender_id(SenderId="Acme", IsoCountryCode=country)
    assert await refused(call) == ("ValidationException", reason)


async def test_a_number_is_in_one_pool_and_cannot_be_changed_or_released_there(aws: Aws) -> None:
    """The pool is configured instead."""
    number = await aws.number()
    pool = await pool_of(aws, number)
    named = {"PhoneNumberId": number["PhoneNumberId"]}
    in_pool = conflict("PHONE_NUMBER_ASSOCIATED_TO_POOL")
    assert await refused(pool_of(aws, number)) == in_pool
    assert await refused(aws.sms.update_phone_number(**named, TwoWayEnabled=False)) == in_pool
    assert await refused(aws.sms.release_phone_number(**named)) == in_pool
    member = {
        "PoolId": pool["PoolId"],
        "OriginationIdentity": number["PhoneNumberId"],
        "IsoCountryCode": "US",
    }
    assert await refused(aws.sms.disassociate_origination_identity(**member)) == conflict("LAST_PHONE_NUMBER")
    await aws.sms.delete_pool(PoolId=pool["PoolId"])
    await aws.sms.release_phone_number(**named)


async def test_an_identity_must_fit_its_pool(aws: Aws) -> None:
    """Type, opt-out list and two-way settings have to be the same."""
    pool = await pool_of(aws, await aws.number())
    await aws.sms.create_opt_out_list(OptOutListName="other")
    two_way = await aws.number()
    topic = "arn:aws:sns:us-east-1:123456789012:two-way"
    await aws.sms.update_phone_number(
        PhoneNumberId=two_way["PhoneNumberId"], TwoWayEnabled=True, TwoWayChannelArn=topic
    )
    for number, reason in (
        (await aws.number(MessageType="PROMOTIONAL"), "MESSAGE_TYPE_MISMATCH"),
        (await aws.number(OptOutListName="other"), "OPT_OUT_LIST_MISMATCH"),
        (two_way, "TWO_WAY_CONFIG_MISMATCH"),
    ):
        call = aws.sms.associate_origination_identity(
            PoolId=pool["PoolId"], OriginationIdentity=number["PhoneNumberId"], IsoCountryCode="US"
        )
        assert await refused(call) == conflict(reason)


async def test_deletion_protection_holds_until_it_is_turned_off(aws: Aws) -> None:
    """For numbers, pools, sender ids and protect configurations."""
    number = await aws.number(DeletionProtectionEnabled=True)
    named = {"PhoneNumberId": number["PhoneNumberId"]}
    assert await refused(aws.sms.release_phone_number(**named)) == conflict("DELETION_PROTECTION_ENABLED")
    await aws.sms.update_phone_number(**named, DeletionProtectionEnabled=False)
    await aws.sms.release_phone_number(**named)


async def test_the_default_opt_out_list_and_lists_in_use_stay(aws: Aws) -> None:
    """Deleting a list must not leave a number without one."""
    await aws.sms.create_opt_out_list(OptOutListName="used")
    await aws.number(OptOutListName="used")
    for name in ("Default", "used"):
        call = aws.sms.delete_opt_out_list(OptOutListName=name)
        assert await refused(call) == conflict("RESOURCE_DELETION_NOT_ALLOWED")


async def test_a_number_is_taken_off_an_opt_out_list_once_in_thirty_days(aws: Aws) -> None:
    """Then it can be again."""
    entry = {"OptOutListName": "Default", "OptedOutNumber": "+14255550100"}
    for _ in range(2):
        await aws.sms.put_opted_out_number(**entry)
        await aws.sms.delete_opted_out_number(**entry)
        await aws.sms.put_opted_out_number(**entry)
        call = aws.sms.delete_opted_out_number(**entry)
        assert await refused(call) == ("ValidationException", "PHONE_NUMBER_CANNOT_BE_OPTED_IN")
        await aws.control("POST", "clock", {"advance_seconds": 31 * 86_400})


async def test_a_configuration_set_has_five_destinations_of_a_fixed_kind(aws: Aws) -> None:
    """The sixth is over the quota; a kind cannot change."""
    topic = {"SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t"}}
    await aws.sms.create_configuration_set(ConfigurationSetName="set")

    async def create(name: str, **target: Any) -> None:
        await aws.sms.create_event_destination(
            ConfigurationSetName="set", EventDestinationName=name, MatchingEventTypes=["ALL"], **target
        )

    for n in range(5):
        await create(f"d{n}", **topic)
    assert await refused(create("d5", **topic)) == (
        "ServiceQuotaExceededException",
        "EVENT_DESTINATIONS_PER_CONFIGURATION_SET",
    )
    assert await refused(create("d6")) == ("ValidationException", "MISSING_PARAMETER")
    logs = {
        "IamRoleArn": "arn:aws:iam::123456789012:role/r",
        "LogGroupArn": "arn:aws:logs:us-east-1:1:log-group:g",
    }
    change = aws.sms.update_event_destination(
        ConfigurationSetName="set", EventDestinationName="d0", CloudWatchLogsDestination=logs
    )
    assert await refused(change) == conflict("EVENT_DESTINATION_MISMATCH")


async def test_lists_come_in_pages_and_through_filters(aws: Aws) -> None:
    """Paginators of the SDK see every item once."""
    for n in range(25):
        await aws.sms.create_opt_out_list(OptOutListName=f"list-{n}")
    pages = aws.sms.get_paginator("describe_opt_out_lists").paginate(PaginationConfig={"PageSize": 10})
    seen = [each["OptOutListName"] async for page in pages for each in page["OptOutLists"]]
    assert seen == ["Default", *(f"list-{n}" for n in range(25))]
    await aws.number()
    wanted = await aws.number(NumberType="TEN_DLC")
    found = await aws.sms.describe_phone_numbers(
        Filters=[
            {"Name": "number-type", "Values": ["TEN_DLC", "SHORT_CODE"]},
            {"Name": "two-way-enabled", "Values": ["false"]},
        ]
    )
    assert [each["PhoneNumberId"] for each in found["PhoneNumbers"]] == [wanted["PhoneNumberId"]]


async def test_an_unknown_id_in_a_describe_is_an_error(aws: Aws) -> None:
    """Nothing is left out in silence."""
    number = await aws.number()
    call = aws.sms.describe_phone_numbers(PhoneNumberIds=[number["PhoneNumberId"], "phone-unknown"])
    assert (await refused(call))[0] == "ResourceNotFoundException"


async def test_a_quota_ends_what_an_account_may_own() -> None:
    """Off by default, AWS's numbers in strict mode, or any others."""
    async with emulated(quotas=Quotas(opt_out_lists=2)) as aws:
        await aws.sms.create_opt_out_list(OptOutListName="second")
        call = aws.sms.create_opt_out_list(OptOutListName="third")
        assert await refused(call) == ("ServiceQuotaExceededException", "OPT_OUT_LISTS_PER_ACCOUNT")


async def test_regions_do_not_see_each_other(aws: Aws) -> None:
    """One store for each account and Region."""
    await aws.number()
    scope = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sms-voice/aws4_request"
    _, answer = await aws.raw("DescribePhoneNumbers", {}, Authorization=scope)
    assert answer["PhoneNumbers"] == []


async def test_undocumented_points_are_options() -> None:
    """What AWS leaves open can be chosen."""
    async with emulated(behaviour=Behaviour(token_mismatch="conflict", sender_id_upper_case=True)) as aws:
        sender = await aws.sms.request_sender_id(SenderId="Acme", IsoCountryCode="GB", ClientToken="t")
        assert sender["SenderId"] == "ACME"
        call = aws.sms.request_sender_id(SenderId="Other", IsoCountryCode="GB", ClientToken="t")
        assert await refused(call) == conflict("RESOURCE_ALREADY_EXISTS")
