"""
The registration actions of one AWS account.

Each that makes something takes a ClientToken that a second run repeats. How long AWS remembers a token is
nowhere written, so whoever resumes looks first (`find_…`): what is made carries a tag with our id, or the
registration that it is for.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from gateway.carrier.control_calls import Control, said
from gateway.carrier.registration_shapes import (
    Held,
    Seen,
    SeenNumber,
    SeenVersion,
    Tied,
    field_of,
    held_of,
    number_of,
    section_of,
    seen_of,
    tied_of,
    type_of,
    version_of,
)
from tenants.registrations.checking import Value
from tenants.registrations.forms import Field, Form, FormType

TAG: Final = "tollgate-registration"
_PASSING: Final = frozenset(
    {
        "ThrottlingException",
        "TooManyRequestsException",
        "InternalServerException",
        "InternalFailure",
        "ServiceUnavailable",
    }
)
_FORMS: Final = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})
"""What a filled form can bring about; all else, such as an expired token, is between the operator and AWS."""
_DONE: Final = frozenset({"REGISTRATION_ALREADY_SUBMITTED", "RESOURCE_ALREADY_ASSOCIATED"})


class AwsRefusal(Exception):
    """A call that did not do what it was for, and whom that leaves to act."""

    def __init__(self, whose: Literal["form", "operator", "passing"], code: str, detail: str) -> None:
        super().__init__(detail)
        self.whose = whose
        """`form`: what was filled in; `operator`: quota, permission, account; `passing`: try again."""
        self.code = code
        self.detail = detail


class NumberTerms(Struct, frozen=True, kw_only=True):
    """The number that a registration asks for."""

    number_type: str
    country: str
    message_type: str = "TRANSACTIONAL"
    capabilities: tuple[str, ...] = ("SMS",)
    international: bool = False


class AwsRegistrations:
    """One account's; lives as long as the client it is given."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def types(self) -> list[FormType]:
        """Return every registration type that the account offers."""
        pages = self._pages("describe_registration_type_definitions", "RegistrationTypeDefinitions")
        return [type_of(each) async for each in pages]

    async def form(self, registration_type: str) -> Form | None:
        """Return a type with its sections and fields, or None where AWS has no such type."""
        try:
            answer = await self._call(
                "describe_registration_type_definitions", RegistrationTypes=[registration_type]
            )
            named = {"RegistrationType": registration_type}
            sections = self._pages(
                "describe_registration_section_definitions", "RegistrationSectionDefinitions", **named
            )
            shown_sections = [section_of(each) async for each in sections]
            fields = self._pages(
                "describe_registration_field_definitions", "RegistrationFieldDefinitions", **named
            )
            shown_fields = [field_of(each) async for each in fields]
        except AwsRefusal as refusal:
            if refusal.whose == "form":
                return None
            raise
        shown = answer["RegistrationTypeDefinitions"]
        if not shown:
            return None
        return Form(type=type_of(shown[0]), sections=tuple(shown_sections), fields=tuple(shown_fields))

    async def create(self, registration_type: str, *, reference: str, token: str) -> tuple[str, str]:
        """Open a registration under our id; return its AWS id and ARN."""
        made = await self._call(
            "create_registration",
            RegistrationType=registration_type,
            ClientToken=token,
            Tags=[{"Key": TAG, "Value": reference}],
        )
        return made["RegistrationId"], made["RegistrationArn"]

    async def find_created(self, registration_type: str, *, reference: str) -> tuple[str, str] | None:
        """Return the registration that an earlier run opened under our id, if it got that far."""
        wanted = [
            {"Name": "registration-type", "Values": [registration_type]},
            {"Name": "registration-status", "Values": ["CREATED"]},
        ]
        async for shown in self._pages("describe_registrations", "Registrations", Filters=wanted):
            tags = await self._call("list_tags_for_resource", ResourceArn=shown["RegistrationArn"])
            if {"Key": TAG, "Value": reference} in tags.get("Tags", []):
                return shown["RegistrationId"], shown["RegistrationArn"]
        return None

    async def all(self) -> dict[str, Seen]:
        """Return every registration of the account, by its AWS id."""
        pages = self._pages("describe_registrations", "Registrations")
        return {each["RegistrationId"]: seen_of(each) async for each in pages}

    async def one(self, aws_id: str) -> Seen:
        """Return a registration."""
        return seen_of(
            (await self._call("describe_registrations", RegistrationIds=[aws_id]))["Registrations"][0]
        )

    async def versions(self, aws_id: str) -> list[SeenVersion]:
        """Return the versions of a registration, the newest first."""
        pages = self._pages("describe_registration_versions", "RegistrationVersions", RegistrationId=aws_id)
        found = [version_of(each) async for each in pages]
        return sorted(found, key=lambda each: -each.number)

    async def draft_version(self, aws_id: str, *, above: int) -> int:
        """Return the number of an open draft above a version, made if there is none: drafts have no token."""
        newest = (await self.versions(aws_id))[0]
        if newest.number > above and newest.status == "DRAFT":
            return newest.number
        made = await self._call("create_registration_version", RegistrationId=aws_id)
        return int(made["VersionNumber"])

    async def held(self, aws_id: str, *, version: int | None = None) -> dict[str, Held]:
        """Return what AWS holds in each field that is filled."""
        named: dict[str, Any] = {"RegistrationId": aws_id}
        if version is not None:
            named["VersionNumber"] = version
        pages = self._pages("describe_registration_field_values", "RegistrationFieldValues", **named)
        return {each["FieldPath"]: held_of(each) async for each in pages}

    async def upload(self, content: bytes, *, token: str) -> str:
        """Upload a document and return its AWS id."""
        made = await self._call("create_registration_attachment", AttachmentBody=content, ClientToken=token)
        return str(made["RegistrationAttachmentId"])

    async def upload_status(self, attachment_id: str) -> str:
        """Return UPLOAD_IN_PROGRESS, UPLOAD_COMPLETE, UPLOAD_FAILED or DELETED."""
        shown = await self._call(
            "describe_registration_attachments", RegistrationAttachmentIds=[attachment_id]
        )
        return str(shown["RegistrationAttachments"][0]["AttachmentStatus"])

    async def put(self, aws_id: str, field: Field, value: Value, *, attachment_id: str | None) -> None:
        """Put one field's value into the draft."""
        given: dict[str, Any] = {"TextValue": value}
        if field.kind == "SELECT":
            given = {"SelectChoices": [value] if isinstance(value, str) else value}
        elif field.kind == "ATTACHMENT":
            given = {"RegistrationAttachmentId": attachment_id}
        await self._call("put_registration_field_value", RegistrationId=aws_id, FieldPath=field.path, **given)

    async def empty(self, aws_id: str, path: str) -> None:
        """Take one field's value out of the draft."""
        await self._call("delete_registration_field_value", RegistrationId=aws_id, FieldPath=path)

    async def request_number(
        self, terms: NumberTerms, *, aws_id: str | None, reference: str, token: str
    ) -> SeenNumber:
        """Request a number for a registration; AWS bills it from now on."""
        named = {} if aws_id is None else {"RegistrationId": aws_id}
        made = await self._call(
            "request_phone_number",
            IsoCountryCode=terms.country,
            MessageType=terms.message_type,
            NumberCapabilities=list(terms.capabilities),
            NumberType=terms.number_type,
            InternationalSendingEnabled=terms.international,
            ClientToken=token,
            Tags=[{"Key": TAG, "Value": reference}],
            **named,
        )
        return number_of(made)

    async def find_number(self, aws_id: str) -> SeenNumber | None:
        """Return the number that an earlier run requested for a registration."""
        async for shown in self._pages("describe_phone_numbers", "PhoneNumbers"):
            if shown.get("RegistrationId") == aws_id:
                return number_of(shown)
        return None

    async def find_tagged_number(self, number_type: str, *, reference: str) -> SeenNumber | None:
        """Return the number that an earlier run requested under our id, tied to its registration or not."""
        wanted = [{"Name": "number-type", "Values": [number_type]}]
        async for shown in self._pages("describe_phone_numbers", "PhoneNumbers", Filters=wanted):
            tags = await self._call("list_tags_for_resource", ResourceArn=shown["PhoneNumberArn"])
            if {"Key": TAG, "Value": reference} in tags.get("Tags", []):
                return number_of(shown)
        return None

    async def number(self, number_id: str) -> SeenNumber:
        """Return a number."""
        shown = await self._call("describe_phone_numbers", PhoneNumberIds=[number_id])
        return number_of(shown["PhoneNumbers"][0])

    async def tied(self, aws_id: str) -> list[Tied]:
        """Return what a registration is associated with."""
        pages = self._pages(
            "list_registration_associations", "RegistrationAssociations", RegistrationId=aws_id
        )
        return [tied_of(each) async for each in pages]

    async def tie(self, aws_id: str, resource_id: str) -> None:
        """Associate a number or a registration; one that is associated already stays so."""
        await self._call("create_registration_association", RegistrationId=aws_id, ResourceId=resource_id)

    async def submit(self, aws_id: str) -> None:
        """Hand the draft in; one that is handed in already stays so."""
        await self._call("submit_registration_version", RegistrationId=aws_id)

    async def _pages(self, action: str, member: str, **members: Any) -> AsyncIterator[Any]:
        token: dict[str, str] = {}
        while True:
            page = await self._call(action, **members, **token)
            for each in page[member]:
                yield each
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    async def _call(self, action: str, **members: Any) -> dict[str, Any]:
        try:
            return await self._control.call(action, **members)
        except ClientError as error:
            if error.response.get("Reason") in _DONE:
                return {}
            raise refusal_in(error) from error
        except BotoCoreError as error:
            raise AwsRefusal("passing", type(error).__name__, f"AWS does not answer: {error}") from error


def refusal_in(error: ClientError) -> AwsRefusal:
    """Return AWS's answer as a refusal, with whom it leaves to act."""
    response: Any = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason = str(response.get("Reason") or code)
    if code in _PASSING or status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return AwsRefusal("passing", reason, said(error))
    return AwsRefusal("form" if code in _FORMS else "operator", reason, said(error))
