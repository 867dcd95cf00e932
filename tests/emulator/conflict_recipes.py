"""How each action that lists ConflictException comes to answer it, or why it never does."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.emulator.conftest import Aws

Trial = tuple[dict[str, Any], str]
"""A payload and the reason with which it is refused."""

TO = {"DestinationPhoneNumber": "+14254147755"}
SENDER = {"SenderId": "Acme", "IsoCountryCode": "GB"}
SNS = {"SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t"}}
BRAND, CAMPAIGN = "US_TEN_DLC_BRAND_REGISTRATION", "US_TEN_DLC_CAMPAIGN_REGISTRATION"

NEVER = {
    "AssociateProtectConfiguration": "associating replaces whatever was associated",
    "DeleteOptedOutNumber": "the 30-day rule is a ValidationException",
}


async def number(aws: Aws, **changes: Any) -> str:
    """Lease a number and return its id."""
    return (await aws.number(**changes))["PhoneNumberId"]


async def pool(aws: Aws, **changes: Any) -> tuple[str, str]:
    """Open a pool and return its id and its number's."""
    member = await number(aws)
    request = {"OriginationIdentity": member, "IsoCountryCode": "US", "MessageType": "TRANSACTIONAL"}
    return (await aws.sms.create_pool(**request, **changes))["PoolId"], member


async def protect(aws: Aws, **changes: Any) -> dict[str, str]:
    """Create a protect configuration and return how to name it."""
    created = await aws.sms.create_protect_configuration(**changes)
    return {"ProtectConfigurationId": created["ProtectConfigurationId"]}


async def registration(aws: Aws, kind: str = BRAND, *, discarded: bool = False) -> dict[str, str]:
    """Create a registration and return how to name it."""
    created = await aws.sms.create_registration(RegistrationType=kind)
    named = {"RegistrationId": created["RegistrationId"]}
    if discarded:
        await aws.sms.discard_registration_version(**named)
    return named


async def opted_out(aws: Aws) -> dict[str, str]:
    """Opt the recipient out and return a send to it."""
    await aws.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber=TO["DestinationPhoneNumber"])
    return {**TO, "OriginationIdentity": await number(aws)}


async def verified(aws: Aws) -> dict[str, str]:
    """Verify a destination and return how to name it."""
    entry = await aws.sms.create_verified_destination_number(**TO)
    named = {"VerifiedDestinationNumberId": entry["VerifiedDestinationNumberId"]}
    await number(aws)
    await aws.sms.send_destination_number_verification_code(**named, VerificationChannel="TEXT")
    sent = (await aws.control("GET", "messages"))["data"][-1]
    await aws.sms.verify_destination_number(**named, VerificationCode=sent["body"].split()[-1])
    return named


async def configuration_set(aws: Aws) -> dict[str, str]:
    """Create a set with one event destination and return how to name both."""
    await aws.sms.create_configuration_set(ConfigurationSetName="set")
    named = {"ConfigurationSetName": "set", "EventDestinationName": "d"}
    await aws.sms.create_event_destination(**named, MatchingEventTypes=["ALL"], **SNS)
    return named


async def associate_origination_identity(aws: Aws) -> Trial:
    pool_id, member = await pool(aws)
    return {"PoolId": pool_id, "OriginationIdentity": member}, "RESOURCE_ALREADY_ASSOCIATED"


async def create_pool(aws: Aws) -> Trial:
    _, member = await pool(aws)
    return {"OriginationIdentity": member, "MessageType": "TRANSACTIONAL"}, "PHONE_NUMBER_ASSOCIATED_TO_POOL"


async def create_registration_association(aws: Aws) -> Trial:
    brand, campaign = await registration(aws), await registration(aws, CAMPAIGN)
    payload = {**campaign, "ResourceId": brand["RegistrationId"]}
    await aws.sms.create_registration_association(**payload)
    return payload, "RESOURCE_ALREADY_ASSOCIATED"


async def request_phone_number(aws: Aws) -> Trial:
    pool_id, _ = await pool(aws)
    wanted = {"IsoCountryCode": "US", "NumberCapabilities": ["SMS"], "NumberType": "TOLL_FREE"}
    return {**wanted, "MessageType": "PROMOTIONAL", "PoolId": pool_id}, "MESSAGE_TYPE_MISMATCH"


async def create_configuration_set(aws: Aws) -> Trial:
    await configuration_set(aws)
    return {"ConfigurationSetName": "set"}, "RESOURCE_ALREADY_EXISTS"


async def request_sender_id(aws: Aws) -> Trial:
    await aws.sms.request_sender_id(**SENDER)
    return SENDER, "RESOURCE_ALREADY_EXISTS"


async def release_sender_id(aws: Aws) -> Trial:
    await aws.sms.request_sender_id(**SENDER, DeletionProtectionEnabled=True)
    return SENDER, "DELETION_PROTECTION_ENABLED"


async def create_verified_destination_number(aws: Aws) -> Trial:
    await aws.sms.create_verified_destination_number(**TO)
    return TO, "RESOURCE_ALREADY_EXISTS"


async def delete_verified_destination_number(aws: Aws) -> Trial:
    entry = await aws.sms.create_verified_destination_number(**TO)
    payload = {"VerifiedDestinationNumberId": entry["VerifiedDestinationNumberId"]}
    return payload, "RESOURCE_DELETION_NOT_ALLOWED"


async def delete_registration(aws: Aws) -> Trial:
    brand = await registration(aws)
    campaign = await registration(aws, CAMPAIGN)
    await aws.sms.create_registration_association(**campaign, ResourceId=brand["RegistrationId"])
    return brand, "RESOURCE_DELETION_NOT_ALLOWED"


async def delete_registration_attachment(aws: Aws) -> Trial:
    created = await aws.sms.create_registration_attachment(AttachmentUrl="s3://bucket/a.pdf")
    named = {"RegistrationAttachmentId": created["RegistrationAttachmentId"]}
    form = await registration(aws, "US_TOLL_FREE_REGISTRATION")
    path = "messagingUseCase.optInImage"
    await aws.sms.put_registration_field_value(**form, FieldPath=path, **named)
    return named, "RESOURCE_DELETION_NOT_ALLOWED"


async def disassociate_origination_identity(aws: Aws) -> Trial:
    pool_id, member = await pool(aws)
    return {"PoolId": pool_id, "OriginationIdentity": member}, "LAST_PHONE_NUMBER"


async def disassociate_protect_configuration(aws: Aws) -> Trial:
    named = await protect(aws)
    await configuration_set(aws)
    reason = "PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET"
    return {**named, "ConfigurationSetName": "set"}, reason


async def update_event_destination(aws: Aws) -> Trial:
    named = await configuration_set(aws)
    logs = {
        "IamRoleArn": "arn:aws:iam::123456789012:role/r",
        "LogGroupArn": "arn:aws:logs:us-east-1:1:log-group",
    }
    return {**named, "CloudWatchLogsDestination": logs}, "EVENT_DESTINATION_MISMATCH"


async def update_phone_number(aws: Aws) -> Trial:
    _, member = await pool(aws)
    return {"PhoneNumberId": member}, "PHONE_NUMBER_ASSOCIATED_TO_POOL"


async def put_override(aws: Aws) -> Trial:
    payload = {**await protect(aws), **TO, "Action": "ALLOW", "ClientToken": "t"}
    await aws.sms.put_protect_configuration_rule_set_number_override(**payload)
    return {**payload, "Action": "BLOCK"}, "RESOURCE_ALREADY_EXISTS"


def same_token(
    method: str, first: dict[str, Any], second: dict[str, Any]
) -> Callable[[Aws], Awaitable[Trial]]:
    """Return a recipe that uses one ClientToken for two different requests."""

    async def recipe(aws: Aws) -> Trial:
        await getattr(aws.sms, method)(**first, ClientToken="t")
        return {**second, "ClientToken": "t"}, "RESOURCE_ALREADY_EXISTS"

    return recipe


def built(
    prepare: Callable[[Aws], Awaitable[dict[str, Any]]], reason: str, **more: Any
) -> Callable[[Aws], Awaitable[Trial]]:
    """Return a recipe whose payload is what was prepared, and more."""

    async def recipe(aws: Aws) -> Trial:
        return {**await prepare(aws), **more}, reason

    return recipe


async def nothing(aws: Aws) -> dict[str, str]:
    """Prepare nothing."""
    return {}


async def pool_named(aws: Aws, **changes: Any) -> dict[str, str]:
    """Open a pool, its number settled before, and return how to name it."""
    member = await number(aws)
    await aws.control("POST", "clock", {"advance_seconds": 1})
    request = {"OriginationIdentity": member, "IsoCountryCode": "US", "MessageType": "TRANSACTIONAL"}
    return {"PoolId": (await aws.sms.create_pool(**request, **changes))["PoolId"]}


async def number_named(aws: Aws, **changes: Any) -> dict[str, str]:
    """Lease a number and return how to name it."""
    return {"PhoneNumberId": await number(aws, **changes)}


async def number_as_owner(aws: Aws) -> dict[str, str]:
    """Lease a number that keywords can be put on."""
    return {"OriginationIdentity": await number(aws, NumberType="TEN_DLC")}


RECIPES: dict[str, Callable[[Aws], Awaitable[Trial]]] = {
    "AssociateOriginationIdentity": associate_origination_identity,
    "CreateConfigurationSet": create_configuration_set,
    "CreateEventDestination": built(
        configuration_set, "RESOURCE_ALREADY_EXISTS", MatchingEventTypes=["ALL"], **SNS
    ),
    "CreateOptOutList": built(nothing, "RESOURCE_ALREADY_EXISTS", OptOutListName="Default"),
    "CreatePool": create_pool,
    "CreateProtectConfiguration": same_token(
        "create_protect_configuration", {}, {"DeletionProtectionEnabled": True}
    ),
    "CreateRegistration": same_token(
        "create_registration", {"RegistrationType": BRAND}, {"RegistrationType": CAMPAIGN}
    ),
    "CreateRegistrationAssociation": create_registration_association,
    "CreateRegistrationAttachment": same_token(
        "create_registration_attachment",
        {"AttachmentUrl": "s3://bucket/a.pdf"},
        {"AttachmentUrl": "s3://bucket/b.pdf"},
    ),
    "CreateRegistrationVersion": built(registration, "CREATE_REGISTRATION_VERSION_NOT_ALLOWED"),
    "CreateVerifiedDestinationNumber": create_verified_destination_number,
    "DeleteKeyword": built(number_as_owner, "RESOURCE_DELETION_NOT_ALLOWED", Keyword="STOP"),
    "DeleteOptOutList": built(nothing, "RESOURCE_DELETION_NOT_ALLOWED", OptOutListName="Default"),
    "DeletePool": built(
        lambda aws: pool_named(aws, DeletionProtectionEnabled=True), "DELETION_PROTECTION_ENABLED"
    ),
    "DeleteProtectConfiguration": built(
        lambda aws: protect(aws, DeletionProtectionEnabled=True), "DELETION_PROTECTION_ENABLED"
    ),
    "DeleteRegistration": delete_registration,
    "DeleteRegistrationAttachment": delete_registration_attachment,
    "DeleteRegistrationFieldValue": built(
        lambda aws: registration(aws, discarded=True),
        "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED",
        FieldPath="companyInfo.city",
    ),
    "DeleteVerifiedDestinationNumber": delete_verified_destination_number,
    "DisassociateOriginationIdentity": disassociate_origination_identity,
    "DisassociateProtectConfiguration": disassociate_protect_configuration,
    "DiscardRegistrationVersion": built(
        lambda aws: registration(aws, discarded=True), "DISCARD_REGISTRATION_VERSION_NOT_ALLOWED"
    ),
    "PutKeyword": built(
        number_as_owner,
        "RESOURCE_MODIFICATION_NOT_ALLOWED",
        Keyword="STOP",
        KeywordMessage="x",
        KeywordAction="OPT_IN",
    ),
    "PutProtectConfigurationRuleSetNumberOverride": put_override,
    "PutRegistrationFieldValue": built(
        lambda aws: registration(aws, discarded=True),
        "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED",
        FieldPath="companyInfo.city",
        TextValue="Here",
    ),
    "ReleasePhoneNumber": built(
        lambda aws: number_named(aws, DeletionProtectionEnabled=True), "DELETION_PROTECTION_ENABLED"
    ),
    "ReleaseSenderId": release_sender_id,
    "RequestPhoneNumber": request_phone_number,
    "RequestSenderId": request_sender_id,
    "SendDestinationNumberVerificationCode": built(
        verified, "VERIFICATION_ALREADY_COMPLETE", VerificationChannel="TEXT"
    ),
    "SendMediaMessage": built(opted_out, "DESTINATION_PHONE_NUMBER_OPTED_OUT", MessageBody="hi"),
    "SendTextMessage": built(opted_out, "DESTINATION_PHONE_NUMBER_OPTED_OUT", MessageBody="hi"),
    "SendVoiceMessage": built(opted_out, "DESTINATION_PHONE_NUMBER_OPTED_OUT", MessageBody="hi"),
    "SubmitRegistrationVersion": built(registration, "REGISTRATION_NOT_COMPLETE"),
    "UpdateEventDestination": update_event_destination,
    "UpdatePhoneNumber": update_phone_number,
    "UpdatePool": built(pool_named, "RESOURCE_NOT_ACTIVE"),
    "VerifyDestinationNumber": built(verified, "VERIFICATION_ALREADY_COMPLETE", VerificationCode="1"),
}

OPTIONS: dict[str, dict[str, Any]] = {
    "DeleteVerifiedDestinationNumber": {"strict": True},
    "UpdatePool": {"status_change_ms": 50},
}
"""Options of the emulator that a recipe needs."""
