"""Registrations: forms, reviews and what they provision."""

from typing import Any

import pytest

from tests.emulator.conftest import Aws, emulated
from tests.emulator.registration_filling import fill


async def filled(aws: Aws, kind: str, **texts: str) -> str:
    """Create a registration with every field filled and return its id."""
    attachment = await aws.sms.create_registration_attachment(AttachmentBody=b"%PDF-1.7")
    created = await aws.sms.create_registration(RegistrationType=kind)
    await fill(aws, created["RegistrationId"], kind, attachment["RegistrationAttachmentId"], **texts)
    return created["RegistrationId"]


async def status(aws: Aws, registration_id: str) -> str:
    """Return a registration's status."""
    [found] = (await aws.sms.describe_registrations(RegistrationIds=[registration_id]))["Registrations"]
    return found["RegistrationStatus"]


async def test_a_sender_id_registration_provisions_the_sender_id() -> None:
    """ASSOCIATE_ON_APPROVAL: the identity appears by itself."""
    async with emulated(automatic_reviews=False) as aws:
        registration_id = await filled(aws, "JO_SENDER_ID_REGISTRATION", senderId="AcmeBank")
        await aws.sms.submit_registration_version(RegistrationId=registration_id)
        assert await status(aws, registration_id) == "SUBMITTED"
        decided = {"registration_id": registration_id}
        await aws.control("POST", "reviews", {**decided, "decision": "approve"})
        await aws.control("POST", "clock", {"advance_seconds": 1})
        assert await status(aws, registration_id) == "COMPLETE"
        [sender] = (await aws.sms.describe_sender_ids())["SenderIds"]
        assert (sender["SenderId"], sender["IsoCountryCode"], sender["Registered"]) == (
            "AcmeBank",
            "JO",
            True,
        )
        await aws.sms.release_sender_id(SenderId="AcmeBank", IsoCountryCode="JO")
        assert await status(aws, registration_id) == "CLOSED"
        await aws.sms.delete_registration(RegistrationId=registration_id)


async def test_a_denied_version_says_why_and_a_new_one_starts_empty() -> None:
    """Reasons per version and per field."""
    async with emulated(automatic_reviews=False) as aws:
        registration_id = await filled(aws, "US_TEN_DLC_BRAND_REGISTRATION")
        named = {"RegistrationId": registration_id}
        await aws.sms.submit_registration_version(**named)
        decision = {
            "decision": "deny",
            "reasons": [{"reason": "BAD_NAME", "short": "No such company"}],
            "fields": {"companyInfo.companyName": "Unknown"},
        }
        await aws.control("POST", "reviews", {"registration_id": registration_id, **decision})
        assert await status(aws, registration_id) == "REQUIRES_UPDATES"
        [version] = (await aws.sms.describe_registration_versions(**named))["RegistrationVersions"]
        assert version["DeniedReasons"][0]["Reason"] == "BAD_NAME"
        values = (
            await aws.sms.describe_registration_field_values(**named, FieldPaths=["companyInfo.companyName"])
        )["RegistrationFieldValues"]
        assert values[0]["DeniedReason"] == "Unknown"
        await aws.sms.create_registration_version(**named)
        assert (await aws.sms.describe_registration_field_values(**named))["RegistrationFieldValues"] == []


async def test_a_toll_free_number_waits_for_its_registration_where_that_is_required() -> None:
    """PENDING until the registration is complete, then ACTIVE."""
    async with emulated(registration_required=True) as aws:
        number = await aws.number()
        assert number["Status"] == "PENDING"
        registration_id = await filled(aws, "US_TOLL_FREE_REGISTRATION")
        named = {"RegistrationId": registration_id}
        await refused(aws, aws.sms.submit_registration_version(**named), "REGISTRATION_NOT_COMPLETE")
        await aws.sms.create_registration_association(**named, ResourceId=number["PhoneNumberId"])
        await aws.sms.submit_registration_version(**named)
        await aws.control("POST", "clock", {"advance_seconds": 10})
        await aws.control("POST", "clock", {"advance_seconds": 10})
        await aws.control("POST", "clock", {"advance_seconds": 10})
        assert await status(aws, registration_id) == "COMPLETE"
        [kept] = (await aws.sms.describe_phone_numbers())["PhoneNumbers"]
        assert (kept["Status"], kept["RegistrationId"]) == ("ACTIVE", registration_id)
        await refused(aws, aws.sms.delete_registration(**named), "RESOURCE_DELETION_NOT_ALLOWED")


async def test_a_submitted_form_cannot_be_edited_or_submitted_again() -> None:
    """The draft is closed until the review is over."""
    async with emulated(automatic_reviews=False) as aws:
        registration_id = await filled(aws, "US_TEN_DLC_BRAND_REGISTRATION")
        named = {"RegistrationId": registration_id}
        await aws.sms.submit_registration_version(**named)
        edit = aws.sms.put_registration_field_value(**named, FieldPath="companyInfo.city", TextValue="Here")
        await refused(aws, edit, "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED")
        await refused(aws, aws.sms.submit_registration_version(**named), "REGISTRATION_ALREADY_SUBMITTED")
        await refused(
            aws, aws.sms.create_registration_version(**named), "CREATE_REGISTRATION_VERSION_NOT_ALLOWED"
        )


async def test_a_campaign_needs_its_brand(aws: Aws) -> None:
    """Brand first, then the campaign; a used brand stays."""
    brand = await filled(aws, "US_TEN_DLC_BRAND_REGISTRATION")
    campaign = await filled(aws, "US_TEN_DLC_CAMPAIGN_REGISTRATION")
    submit = aws.sms.submit_registration_version(RegistrationId=campaign)
    await refused(aws, submit, "REGISTRATION_NOT_COMPLETE")
    await aws.sms.create_registration_association(RegistrationId=campaign, ResourceId=brand)
    await aws.sms.submit_registration_version(RegistrationId=campaign)
    await refused(aws, aws.sms.delete_registration(RegistrationId=brand), "RESOURCE_DELETION_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"GIF89a", "ATTACHMENT_TYPE_NOT_SUPPORTED"), (b"%PDF-" + b"x" * 600_000, "MAXIMUM_SIZE_EXCEEDED")],
)
async def test_attachments_are_small_pdf_jpeg_or_png_files(aws: Aws, content: bytes, reason: str) -> None:
    """500 KB at most."""
    with pytest.raises(aws.sms.exceptions.ValidationException) as caught:
        await aws.sms.create_registration_attachment(AttachmentBody=content)
    assert caught.value.response["Reason"] == reason


async def refused(aws: Aws, call: Any, reason: str) -> None:
    """Await a call that must conflict."""
    with pytest.raises(aws.sms.exceptions.ConflictException) as caught:
        await call
    assert caught.value.response["Reason"] == reason
