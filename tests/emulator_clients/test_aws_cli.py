"""The walk-throughs that AWS published, typed into the aws command line."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Aws, emulated
from tests.emulator_clients.aws_cli import AwsCli, CliRefusedError, environment
from tests.emulator_clients.registration_answers import JORDAN, TOLL_FREE

DAY_S = 86_400
US_HANDSET, JORDANIAN_HANDSET = "+12065550199", "+962790000001"
VALUE_OPTIONS = {
    "TEXT": "--text-value",
    "SELECT": "--select-choices",
    "ATTACHMENT": "--registration-attachment-id",
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """What a company shows of itself: a small PNG file."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
async def aws() -> AsyncIterator[Aws]:
    """An emulator where numbers wait for registrations and each step of a review takes a day."""
    async with emulated(registration_required=True, review_ms=DAY_S * 1000) as running:
        yield running


async def fill(cli: AwsCli, registration_id: str, kind: str, answers: dict[str, str]) -> None:
    """Put every required field of a form, as its own definitions say it is to be given."""
    definitions = await cli.run("describe-registration-field-definitions", "--registration-type", kind)
    asked = {each["FieldPath"]: each for each in definitions["RegistrationFieldDefinitions"]}
    assert set(answers) <= set(asked)
    required = {path for path, each in asked.items() if each["FieldRequirement"] == "REQUIRED"}
    assert required <= set(answers)
    named = ("--registration-id", registration_id)
    for path, value in answers.items():
        given = ("--field-path", path, VALUE_OPTIONS[asked[path]["FieldType"]], value)
        await cli.run("put-registration-field-value", *named, *given)


async def attach(cli: AwsCli, path: Path) -> str:
    """Upload a document and return the id of the attachment, which is there at once."""
    made = await cli.run("create-registration-attachment", "--attachment-body", f"fileb://{path}")
    kept = await cli.one(
        "describe-registration-attachments", "--registration-attachment-ids", made["RegistrationAttachmentId"]
    )
    assert kept["AttachmentStatus"] == "UPLOAD_COMPLETE"
    return made["RegistrationAttachmentId"]


async def status(cli: AwsCli, registration_id: str) -> str:
    """Return a registration's status as the command line shows it."""
    found = await cli.one("describe-registrations", "--registration-ids", registration_id)
    return found["RegistrationStatus"]


async def days_pass(aws: Aws, days: int) -> None:
    """Let days go by, one at a time, as the steps of a review follow each other."""
    for _ in range(days):
        await aws.control("POST", "clock", {"advance_seconds": DAY_S})


async def test_the_seven_steps_register_a_toll_free_number_that_then_sends(
    aws: Aws, cli: AwsCli, picture: Path
) -> None:
    """From create-registration to submit-registration-version, the review on the clock, the first text."""
    kind = "US_TOLL_FREE_REGISTRATION"
    created = await cli.run("create-registration", "--registration-type", kind)
    registration_id, named = created["RegistrationId"], ("--registration-id", created["RegistrationId"])
    assert created["RegistrationStatus"] == "CREATED"
    attachment_id = await attach(cli, picture)
    await fill(cli, registration_id, kind, {**TOLL_FREE, "messagingUseCase.optInImage": attachment_id})
    number = await cli.run(
        "request-phone-number",
        *("--iso-country-code", "US", "--message-type", "TRANSACTIONAL"),
        *("--number-capabilities", "SMS", "--number-type", "TOLL_FREE"),
    )
    assert number["Status"] == "PENDING"
    await cli.run("create-registration-association", *named, "--resource-id", number["PhoneNumberId"])
    submitted = await cli.run("submit-registration-version", *named)
    assert submitted["RegistrationVersionStatus"] == "SUBMITTED"

    text = ("--destination-phone-number", US_HANDSET, "--message-body", "Example Corp: your code is 123456")
    sender = ("--origination-identity", number["PhoneNumberId"])
    with pytest.raises(CliRefusedError, match="RESOURCE_NOT_ACTIVE"):
        await cli.run("send-text-message", *text, *sender)
    await days_pass(aws, 1)
    assert await status(cli, registration_id) == "REVIEWING"
    with pytest.raises(CliRefusedError, match="EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED"):
        await cli.run(
            "put-registration-field-value",
            *named,
            *("--field-path", "companyInfo.city", "--text-value", "Portland"),
        )
    await days_pass(aws, 15)
    assert await status(cli, registration_id) == "COMPLETE"
    kept = await cli.one("describe-phone-numbers", "--phone-number-ids", number["PhoneNumberId"])
    assert (kept["Status"], kept["RegistrationId"]) == ("ACTIVE", registration_id)
    sent = await cli.run("send-text-message", *text, *sender)
    [message] = (await aws.control("GET", "messages"))["data"]
    assert message["message_id"] == sent["MessageId"]


async def test_an_incomplete_form_cannot_be_submitted(cli: AwsCli) -> None:
    """The script's user forgot a field; the command line says which conflict it is."""
    created = await cli.run("create-registration", "--registration-type", "US_TOLL_FREE_REGISTRATION")
    with pytest.raises(CliRefusedError, match="REGISTRATION_NOT_COMPLETE"):
        await cli.run("submit-registration-version", "--registration-id", created["RegistrationId"])


async def test_a_denied_registration_is_corrected_and_approved(aws: Aws, cli: AwsCli, picture: Path) -> None:
    """The Jordan sender id: denied with a reason for a field, amended in a new version, approved."""
    kind = "JO_SENDER_ID_REGISTRATION"
    await check_type(cli, kind)
    created = await cli.run("create-registration", "--registration-type", kind)
    registration_id, named = created["RegistrationId"], ("--registration-id", created["RegistrationId"])
    documents = {"companyInfo.registrationDocuments": await attach(cli, picture)}
    with pytest.raises(CliRefusedError, match="FIELD_VALIDATION_FAILED"):
        await cli.run(
            "put-registration-field-value",
            *named,
            *("--field-path", "messagingUseCase.transactionalOnly", "--select-choices", "No"),
        )
    await fill(cli, registration_id, kind, {**JORDAN, **documents})
    values = (await cli.run("describe-registration-field-values", *named))["RegistrationFieldValues"]
    assert {each["FieldPath"]: shown(each) for each in values} == {**JORDAN, **documents}
    await cli.run("submit-registration-version", *named)

    decision = {"decision": "deny", "fields": {"companyInfo.companyName": "Not the company in the documents"}}
    await aws.control("POST", "reviews", {"registration_id": registration_id, **decision})
    assert await status(cli, registration_id) == "REQUIRES_UPDATES"
    denied = await cli.one(
        "describe-registration-field-values", *named, "--field-paths", "companyInfo.companyName"
    )
    assert denied["DeniedReason"] == "Not the company in the documents"
    await cli.run("create-registration-version", *named)
    corrected = {**JORDAN, **documents, "companyInfo.companyName": "Example Corp LLC"}
    await fill(cli, registration_id, kind, corrected)
    await cli.run("submit-registration-version", *named)
    await aws.control("POST", "reviews", {"registration_id": registration_id, "decision": "approve"})
    await days_pass(aws, 1)

    sender = await cli.one("describe-sender-ids")
    assert (sender["SenderId"], sender["IsoCountryCode"], sender["RegistrationId"]) == (
        "EXAMPLE",
        "JO",
        registration_id,
    )
    await cli.run(
        "send-text-message",
        *("--destination-phone-number", JORDANIAN_HANDSET, "--message-body", "EXAMPLE: your code is 123456"),
        *("--origination-identity", sender["SenderIdArn"]),
    )


async def check_type(cli: AwsCli, kind: str) -> None:
    """Step 1 of the walk-through: what the type says about itself."""
    definition = await cli.one("describe-registration-type-definitions", "--registration-types", kind)
    assert definition["SupportedAssociations"] == [
        {
            "ResourceType": "SENDER_ID",
            "IsoCountryCode": "JO",
            "AssociationBehavior": "ASSOCIATE_ON_APPROVAL",
            "DisassociationBehavior": "DISASSOCIATE_ALL_CLOSES_REGISTRATION",
        }
    ]


def shown(value: dict[str, Any]) -> str:
    """Return a field's value, whichever kind it is."""
    if "SelectChoices" in value:
        [choice] = value["SelectChoices"]
        return choice
    return value.get("TextValue") or value["RegistrationAttachmentId"]


async def test_a_sender_id_is_configured_in_many_countries_past_those_that_fail(cli: AwsCli) -> None:
    """Protected and tagged; a country that asks for registration and one without sender ids fail."""
    refusals = {"JO": "SENDER_ID_REQUIRES_REGISTRATION", "US": "SENDER_ID_NOT_SUPPORTED"}
    tags = ("Key=Environment,Value=Production", "Key=Department,Value=Marketing")

    async def request(country: str) -> Any:
        return await cli.run(
            "request-sender-id",
            *("--client-token", str(uuid.uuid5(uuid.NAMESPACE_DNS, country))),
            *("--sender-id", "YourBrand", "--iso-country-code", country),
            *("--message-types", "TRANSACTIONAL", "PROMOTIONAL"),
            *("--deletion-protection-enabled", "--tags", *tags),
        )

    results = {country: await request(country) for country in ("GB", "DE", "FR")}
    for country, reason in refusals.items():
        with pytest.raises(CliRefusedError, match=reason):
            await request(country)
    for country, made in results.items():
        assert made["SenderIdArn"].endswith(f":123456789012:sender-id/YourBrand/{country}")
        assert made["MonthlyLeasingPrice"] == "0.00"
    assert await request("GB") == results["GB"]
    kept = (await cli.run("describe-sender-ids"))["SenderIds"]
    assert {each["IsoCountryCode"] for each in kept} == {"GB", "DE", "FR"}
    assert all(each["DeletionProtectionEnabled"] for each in kept)
    found = await cli.run("list-tags-for-resource", "--resource-arn", results["FR"]["SenderIdArn"])
    assert {each["Key"]: each["Value"] for each in found["Tags"]} == {
        "Environment": "Production",
        "Department": "Marketing",
    }
    with pytest.raises(CliRefusedError, match="DELETION_PROTECTION_ENABLED"):
        await cli.run("release-sender-id", "--sender-id", "YourBrand", "--iso-country-code", "GB")
    with pytest.raises(CliRefusedError, match="ResourceNotFoundException"):
        await cli.run("describe-sender-ids", "--sender-ids", "SenderId=Nobody,IsoCountryCode=GB")


async def test_the_command_works_as_a_user_types_it(tmp_path: Path) -> None:
    """One command, one process: endpoint, Region and keys from the environment, and the signature holds."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "awscli", "pinpoint-sms-voice-v2", "describe-account-attributes"),
            env=environment(tmp_path) | {"AWS_ENDPOINT_URL": aws.base_url},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    attributes = {each["Name"]: each["Value"] for each in json.loads(printed)["AccountAttributes"]}
    assert attributes["ACCOUNT_TIER"] == "PRODUCTION"
