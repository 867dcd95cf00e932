"""Every error that the API reference lists for an action can be met."""

from typing import Any

import pytest

from gateway.emulator.accounts import temporary_key
from gateway.emulator.model.service import listed_errors, load_service_model, operation_models
from gateway.emulator.operations.table import OPERATIONS
from gateway.emulator.options import Behaviour, Quotas
from tests.emulator import conflict_recipes as conflicts
from tests.emulator.conftest import Aws, emulated
from tests.emulator.shape_values import valid

MODELS = operation_models(load_service_model())

NAMES_SOMETHING: dict[str, dict[str, Any]] = {
    "SendTextMessage": {"MessageBody": "hi", "OriginationIdentity": "pool-unknown"},
    "SendMediaMessage": {"MediaUrls": ["s3://bucket/cat.png"]},
    "SendVoiceMessage": {"MessageBody": "hi"},
    "RequestPhoneNumber": {"OptOutListName": "unknown"},
    "DescribePhoneNumbers": {"PhoneNumberIds": ["phone-unknown"]},
    "DescribeSenderIds": {"SenderIds": [{"SenderId": "Unknown", "IsoCountryCode": "GB"}]},
    "DescribePools": {"PoolIds": ["pool-unknown"]},
    "DescribeConfigurationSets": {"ConfigurationSetNames": ["unknown"]},
    "DescribeOptOutLists": {"OptOutListNames": ["unknown"]},
    "DescribeProtectConfigurations": {"ProtectConfigurationIds": ["unknown"]},
    "DescribeRegistrations": {"RegistrationIds": ["unknown"]},
    "DescribeRegistrationAttachments": {"RegistrationAttachmentIds": ["unknown"]},
    "DescribeVerifiedDestinationNumbers": {"VerifiedDestinationNumberIds": ["unknown"]},
    "PutRegistrationFieldValue": {"TextValue": "x"},
    "CreatePool": {"MessageType": "TRANSACTIONAL"},
}
"""What a minimal request has to name besides, for something to be missing."""

NEVER_MISSING = {
    "CreateVerifiedDestinationNumber": "only an RCS agent could be missing, and the reference has none",
}


@pytest.mark.parametrize(
    "action",
    sorted(name for name in OPERATIONS if "ResourceNotFoundException" in listed_errors(MODELS[name])),
)
async def test_what_an_action_names_and_is_not_there_is_not_found(shared: Aws, action: str) -> None:
    """The minimal request names things that no account has."""
    payload = {**valid(MODELS[action].input_shape), **NAMES_SOMETHING.get(action, {})}
    status, answer = await shared.raw(action, payload)
    if action in NEVER_MISSING:
        assert status == 200
    else:
        assert (status, answer["__type"]) == (400, "ResourceNotFoundException"), answer


@pytest.mark.parametrize("action", sorted(OPERATIONS))
async def test_every_action_can_be_throttled_and_fail(shared: Aws, action: str) -> None:
    """All of them list ThrottlingException and InternalServerException."""
    for fault, status, code in (
        ("throttle_rate", 400, "ThrottlingException"),
        ("error_rate", 500, "InternalServerException"),
    ):
        await shared.control("POST", "faults", {"actions": {"*": {fault: 1}}})
        answered, answer = await shared.raw(action, valid(MODELS[action].input_shape))
        assert (answered, answer["__type"]) == (status, code)
    await shared.control("POST", "reset")


@pytest.mark.parametrize(
    ("action", "quota", "payload", "reason"),
    [
        ("CreateConfigurationSet", "configuration_sets", {}, "CONFIGURATION_SETS_PER_ACCOUNT"),
        ("CreateOptOutList", "opt_out_lists", {}, "OPT_OUT_LISTS_PER_ACCOUNT"),
        ("CreateProtectConfiguration", "protect_configurations", {}, "PROTECT_CONFIGURATIONS_PER_ACCOUNT"),
        (
            "CreateRegistration",
            "registrations",
            {"RegistrationType": "US_TOLL_FREE_REGISTRATION"},
            "REGISTRATIONS_PER_ACCOUNT",
        ),
        (
            "CreateRegistrationAttachment",
            "registration_attachments",
            {"AttachmentUrl": "s3://bucket/a.pdf"},
            "REGISTRATION_ATTACHMENTS_PER_ACCOUNT",
        ),
        (
            "CreateVerifiedDestinationNumber",
            "verified_numbers",
            {},
            "VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT",
        ),
        ("RequestPhoneNumber", "phone_numbers", {}, "PHONE_NUMBERS_PER_ACCOUNT"),
        ("RequestSenderId", "sender_ids", {"IsoCountryCode": "GB"}, "SENDER_IDS_PER_ACCOUNT"),
        ("CarrierLookup", "carrier_lookups_per_day", {}, "DAILY_DESTINATION_CALL_LIMIT"),
    ],
)
async def test_a_quota_of_nothing_refuses_the_first(
    action: str, quota: str, payload: dict[str, str], reason: str
) -> None:
    """Each quota has a reason of its own."""
    async with emulated(quotas=Quotas(**{quota: 0})) as aws:
        status, answer = await aws.raw(action, {**valid(MODELS[action].input_shape), **payload})
        assert (status, answer["__type"], answer["Reason"]) == (
            400,
            "ServiceQuotaExceededException",
            reason,
        )


async def test_lookups_are_counted_by_account() -> None:
    """One account's curiosity costs another one nothing."""
    async with emulated(quotas=Quotas(carrier_lookups_per_day=1)) as aws:

        async def look_up(account: str) -> int:
            scope = f"{temporary_key(account)}/20260101/us-east-1/sms-voice/aws4_request"
            signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
            status, _ = await aws.raw("CarrierLookup", {"PhoneNumber": "+14255550100"}, **signed)
            return status

        one, other = "111122223333", "444455556666"
        assert [await look_up(each) for each in (one, one, other)] == [200, 400, 200]


async def test_a_disabled_account_is_denied_sends_and_requests() -> None:
    """AccessDeniedException of the service itself."""
    async with emulated(account_disabled=True) as aws:
        send = {"DestinationPhoneNumber": "+14254147755", "MessageBody": "hi"}
        sender = {"SenderId": "Acme", "IsoCountryCode": "GB"}
        for action, payload in (("SendTextMessage", send), ("RequestSenderId", sender)):
            status, answer = await aws.raw(action, payload)
            assert (status, answer["__type"], answer["Reason"]) == (
                400,
                "AccessDeniedException",
                "ACCOUNT_DISABLED",
            )


def actions_listing(error: str) -> list[str]:
    """Return the actions for which the reference lists an error."""
    return sorted(name for name in OPERATIONS if error in listed_errors(MODELS[name]))


def test_every_listed_conflict_has_a_recipe_or_a_reason_why_not() -> None:
    """Nothing that the reference lists is passed over in silence."""
    assert sorted(conflicts.RECIPES.keys() | conflicts.NEVER.keys()) == actions_listing("ConflictException")


@pytest.mark.parametrize("action", sorted(conflicts.RECIPES))
async def test_every_listed_conflict_can_be_met(action: str) -> None:
    """Each with the reason that says what is in the way."""
    behaviour = Behaviour(token_mismatch="conflict")
    async with emulated(behaviour=behaviour, **conflicts.OPTIONS.get(action, {})) as aws:
        payload, reason = await conflicts.RECIPES[action](aws)
        status, answer = await aws.raw(action, payload)
        assert (status, answer["__type"]) == (400, "ConflictException"), answer
        assert answer["Reason"] == reason


QUOTA_RECIPES = {
    "AssociateOriginationIdentity",
    "CarrierLookup",
    "CreateConfigurationSet",
    "CreateEventDestination",
    "CreateOptOutList",
    "CreatePool",
    "CreateProtectConfiguration",
    "CreateRegistration",
    "CreateRegistrationAssociation",
    "CreateRegistrationAttachment",
    "CreateRegistrationVersion",
    "CreateVerifiedDestinationNumber",
    "PutKeyword",
    "RequestPhoneNumber",
    "RequestSenderId",
    "SendDestinationNumberVerificationCode",
    "SendMediaMessage",
    "SendTextMessage",
    "SendVoiceMessage",
    "TagResource",
}
NO_QUOTA = {"PutProtectConfigurationRuleSetNumberOverride": "the reference names no reason for it"}


def test_every_listed_quota_has_a_test_or_a_reason_why_not() -> None:
    """The table above and the tests around it cover the reference."""
    assert sorted(QUOTA_RECIPES | NO_QUOTA.keys()) == actions_listing("ServiceQuotaExceededException")


async def test_quotas_on_what_a_resource_holds_have_reasons_of_their_own() -> None:
    """Pools, keywords, destinations, tags, registrations, verification codes and spend."""
    none = Quotas(
        identities_per_pool=1,
        keywords_per_identity=2,
        event_destinations_per_set=0,
        tags_per_resource=0,
        associations_per_registration=0,
        registration_versions_per_day=1,
        verification_codes_per_day=0,
    )
    async with emulated(quotas=none) as aws:
        pool_id, _ = await conflicts.pool(aws)
        lone = await aws.number(NumberType="TEN_DLC")
        await aws.sms.create_configuration_set(ConfigurationSetName="set")
        brand = await conflicts.registration(aws)
        campaign = await conflicts.registration(aws, conflicts.CAMPAIGN)
        discarded = await conflicts.registration(aws, discarded=True)
        entry = await aws.sms.create_verified_destination_number(**conflicts.TO)
        for channel in ("text", "media", "voice"):
            await getattr(aws.sms, f"set_{channel}_message_spend_limit_override")(MonthlyLimit=0)
        named = {"OriginationIdentity": pool_id}
        send = {**conflicts.TO, **named, "MessageBody": "hi"}
        code = {
            "VerifiedDestinationNumberId": entry["VerifiedDestinationNumberId"],
            "VerificationChannel": "TEXT",
        }
        for action, payload, reason in (
            (
                "AssociateOriginationIdentity",
                {"PoolId": pool_id, "OriginationIdentity": lone["PhoneNumberId"]},
                "ORIGINATION_IDENTITIES_PER_POOL",
            ),
            ("PutKeyword", {**named, "Keyword": "JOIN", "KeywordMessage": "x"}, "KEYWORDS_PER_POOL"),
            (
                "PutKeyword",
                {"OriginationIdentity": lone["PhoneNumberId"], "Keyword": "JOIN", "KeywordMessage": "x"},
                "KEYWORDS_PER_PHONE_NUMBER",
            ),
            (
                "CreateEventDestination",
                {
                    "ConfigurationSetName": "set",
                    "EventDestinationName": "d",
                    "MatchingEventTypes": ["ALL"],
                    **conflicts.SNS,
                },
                "EVENT_DESTINATIONS_PER_CONFIGURATION_SET",
            ),
            (
                "TagResource",
                {"ResourceArn": lone["PhoneNumberArn"], "Tags": [{"Key": "a", "Value": "b"}]},
                "TAGS_PER_RESOURCE",
            ),
            (
                "CreateRegistrationAssociation",
                {**campaign, "ResourceId": brand["RegistrationId"]},
                "ASSOCIATIONS_PER_REGISTRATION",
            ),
            ("CreateRegistrationVersion", discarded, "REGISTRATION_VERSIONS_CREATED_PER_DAY"),
            ("SendDestinationNumberVerificationCode", code, "VERIFICATION_ATTEMPTS_PER_DAY"),
            ("SendTextMessage", send, "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            ("SendMediaMessage", send, "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA"),
            ("SendVoiceMessage", send, "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE"),
        ):
            status, answer = await aws.raw(action, payload)
            assert (status, answer["__type"]) == (400, "ServiceQuotaExceededException"), (action, answer)
            assert answer["Reason"] == reason


async def test_a_pool_is_a_quota_of_its_own() -> None:
    """It needs a number first."""
    async with emulated(quotas=Quotas(pools=0)) as aws:
        member = await conflicts.number(aws)
        status, answer = await aws.raw(
            "CreatePool", {"OriginationIdentity": member, "MessageType": "TRANSACTIONAL"}
        )
        assert (status, answer["Reason"]) == (400, "POOLS_PER_ACCOUNT")
