"""Every error that the API reference lists for an action can be met."""

from typing import Any

import pytest

from gateway.emulator.model.service import listed_errors, load_service_model, operation_models
from gateway.emulator.operations.table import OPERATIONS
from gateway.emulator.options import Quotas
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
