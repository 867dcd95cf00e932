"""AWS's registration answers as the structs of `tenants.registrations.forms`. Pure."""

from typing import Any

from msgspec import Struct

from tenants.registrations.forms import Association, Choice, Field, FormType, Section


class Seen(Struct, frozen=True, kw_only=True):
    """A registration as DescribeRegistrations shows it."""

    aws_id: str
    status: str
    version: int


class SeenVersion(Struct, frozen=True, kw_only=True):
    """A version as DescribeRegistrationVersions shows it."""

    number: int
    status: str
    reasons: tuple[str, ...] = ()
    """Why it was denied, in the reviewer's words."""
    feedback: str | None = None


class Held(Struct, frozen=True, kw_only=True):
    """What AWS holds in one field."""

    text: str | None = None
    choices: tuple[str, ...] | None = None
    attachment_id: str | None = None
    denied_reason: str | None = None
    feedback: str | None = None


class SeenNumber(Struct, frozen=True, kw_only=True):
    """A phone number that is tied, or to be tied, to a registration."""

    number_id: str
    arn: str
    number: str
    price: str
    """Dollars a month."""
    status: str


class Tied(Struct, frozen=True, kw_only=True):
    """What a registration is associated with."""

    kind: str
    """PHONE_NUMBER, SENDER_ID or REGISTRATION."""
    resource_id: str
    arn: str
    country: str | None


def type_of(shown: Any) -> FormType:
    """Return a type definition."""
    hints = shown.get("DisplayHints", {})
    return FormType(
        type=shown["RegistrationType"],
        title=hints.get("Title", ""),
        description=hints.get("LongDescription") or hints.get("ShortDescription", ""),
        associations=tuple(
            Association(
                resource_type=each["ResourceType"],
                country=each.get("IsoCountryCode"),
                behavior=each["AssociationBehavior"],
                disassociation=each.get("DisassociationBehavior", ""),
            )
            for each in shown.get("SupportedAssociations", [])
        ),
    )


def section_of(shown: Any) -> Section:
    """Return a section definition."""
    hints = shown.get("DisplayHints", {})
    return Section(
        path=shown["SectionPath"], title=hints.get("Title", ""), description=hints.get("ShortDescription", "")
    )


def field_of(shown: Any) -> Field:
    """Return a field definition."""
    hints = shown.get("DisplayHints", {})
    text: Any = shown.get("TextValidation") or {}
    select: Any = shown.get("SelectValidation") or {}
    described: dict[str, Any] = {each["Option"]: each for each in hints.get("SelectOptionDescriptions", [])}
    return Field(
        path=shown["FieldPath"],
        section=shown["SectionPath"],
        kind=shown["FieldType"],
        requirement=shown["FieldRequirement"],
        title=hints.get("Title", ""),
        description=hints.get("LongDescription") or hints.get("ShortDescription", ""),
        hint=hints.get("TextValidationDescription", ""),
        example=hints.get("ExampleTextValue", ""),
        documentation_url=hints.get("DocumentationLink"),
        least=text.get("MinLength", select.get("MinChoices", 0)),
        most=text.get("MaxLength", select.get("MaxChoices", 0)),
        pattern=text.get("Pattern") or None,
        options=tuple(_choice(option, described.get(option, {})) for option in select.get("Options", [])),
    )


def _choice(option: str, described: Any) -> Choice:
    return Choice(
        value=option, title=described.get("Title", ""), description=described.get("Description", "")
    )


def seen_of(shown: Any) -> Seen:
    """Return a registration."""
    return Seen(
        aws_id=shown["RegistrationId"],
        status=shown["RegistrationStatus"],
        version=shown["CurrentVersionNumber"],
    )


def version_of(shown: Any) -> SeenVersion:
    """Return a version; each reason as one text, the shortest name of it last."""
    reasons = (
        ": ".join(
            part
            for part in (each.get("LongDescription"), each.get("ShortDescription"), each["Reason"])
            if part
        )
        for each in shown.get("DeniedReasons", [])
    )
    return SeenVersion(
        number=shown["VersionNumber"],
        status=shown["RegistrationVersionStatus"],
        reasons=tuple(reasons),
        feedback=shown.get("Feedback"),
    )


def held_of(shown: Any) -> Held:
    """Return a field's value."""
    choices = shown.get("SelectChoices")
    return Held(
        text=shown.get("TextValue"),
        choices=None if choices is None else tuple(choices),
        attachment_id=shown.get("RegistrationAttachmentId"),
        denied_reason=shown.get("DeniedReason"),
        feedback=shown.get("Feedback"),
    )


def number_of(shown: Any) -> SeenNumber:
    """Return a number."""
    return SeenNumber(
        number_id=shown["PhoneNumberId"],
        arn=shown["PhoneNumberArn"],
        number=shown["PhoneNumber"],
        price=shown["MonthlyLeasingPrice"],
        status=shown["Status"],
    )


def tied_of(shown: Any) -> Tied:
    """Return an association."""
    return Tied(
        kind=shown["ResourceType"],
        resource_id=shown["ResourceId"],
        arn=shown["ResourceArn"],
        country=shown.get("IsoCountryCode"),
    )
