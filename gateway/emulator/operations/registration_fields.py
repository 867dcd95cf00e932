"""The fields of a registration's current draft."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, validation
from gateway.emulator.operations.lookups import required
from gateway.emulator.operations.registrations import named, named_members, required_form
from gateway.emulator.paging import page
from gateway.emulator.state.registration_records import Attachment, FieldValue, Registration, Version

VALUE_MEMBERS = ("SelectChoices", "TextValue", "RegistrationAttachmentId")


def put_registration_field_value(call: Call) -> dict[str, Any]:
    """Fill one field of the draft."""
    registration, version = _draft_of(call)
    path: str = call.input["FieldPath"]
    value = _given_value(call)
    field = required_form(registration.type).fields.get(path)
    if field is None:
        raise validation("UNKNOWN_REGISTRATION_FIELD", f"No such field: {path}", "FieldPath")
    refusal = field.refusal(value)
    if refusal is not None:
        raise validation("FIELD_VALIDATION_FAILED", refusal, path)
    version.fields = {**version.fields, path: value}
    call.store.put(registration)
    return _answer(call, registration, version, path, value)


def delete_registration_field_value(call: Call) -> dict[str, Any]:
    """Empty one field of the draft."""
    registration, version = _draft_of(call)
    path: str = call.input["FieldPath"]
    if path not in required_form(registration.type).fields:
        raise validation("UNKNOWN_REGISTRATION_FIELD", f"No such field: {path}", "FieldPath")
    value = version.fields.get(path)
    if value is None:
        raise not_found("registration", f"{registration.id} {path}")
    version.fields = {known: kept for known, kept in version.fields.items() if known != path}
    call.store.put(registration)
    return _answer(call, registration, version, path, value)


def describe_registration_field_values(call: Call) -> dict[str, Any]:
    """List the filled fields of a version."""
    registration = named(call)
    version = _version(call, registration)
    form = required_form(registration.type)
    section: str | None = call.input.get("SectionPath")
    if section is not None and section not in form.sections:
        raise validation("UNKNOWN_REGISTRATION_SECTION", f"No such section: {section}", "SectionPath")
    wanted: list[str] = call.input.get("FieldPaths", [])
    unknown = [path for path in wanted if path not in form.fields]
    if unknown:
        raise validation("UNKNOWN_REGISTRATION_FIELD", f"No such field: {unknown[0]}", "FieldPaths")
    found = [
        (path, value)
        for path, value in version.fields.items()
        if (not wanted or path in wanted) and section in {None, path.partition(".")[0]}
    ]
    shown, following = page(found, call)
    values = [{"FieldPath": path, **_value_members(value), **_verdict(value)} for path, value in shown]
    return {
        **named_members(call, registration),
        "VersionNumber": version.number,
        "RegistrationFieldValues": values,
        **following,
    }


def _draft_of(call: Call) -> tuple[Registration, Version]:
    registration = named(call)
    version = registration.versions[-1]
    if version.status != "DRAFT":
        raise conflict("EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED", "registration", registration.id)
    return registration, version


def _given_value(call: Call) -> FieldValue:
    given = [member for member in VALUE_MEMBERS if member in call.input]
    if not given:
        raise validation("MISSING_PARAMETER", "One value is required", *VALUE_MEMBERS)
    if len(given) > 1:
        raise validation("PARAMETERS_CANNOT_BE_USED_TOGETHER", "Give one value", *given)
    attachment = call.input.get("RegistrationAttachmentId")
    if attachment is not None:
        attachment = required(call, Attachment, attachment, "RegistrationAttachmentId").id
    return FieldValue(
        text=call.input.get("TextValue"),
        choices=call.input.get("SelectChoices"),
        attachment_id=attachment,
    )


def _version(call: Call, registration: Registration) -> Version:
    number: int = call.input.get("VersionNumber", registration.versions[-1].number)
    for version in registration.versions:
        if version.number == number:
            return version
    raise not_found("registration", f"{registration.id} version {number}")


def _answer(
    call: Call, registration: Registration, version: Version, path: str, value: FieldValue
) -> dict[str, Any]:
    return {
        **named_members(call, registration),
        "VersionNumber": version.number,
        "FieldPath": path,
        **_value_members(value),
    }


def _value_members(value: FieldValue) -> dict[str, Any]:
    members = {
        "TextValue": value.text,
        "SelectChoices": value.choices,
        "RegistrationAttachmentId": value.attachment_id,
    }
    return {name: member for name, member in members.items() if member is not None}


def _verdict(value: FieldValue) -> dict[str, str]:
    members = {"DeniedReason": value.denied_reason, "Feedback": value.feedback}
    return {name: member for name, member in members.items() if member is not None}


OPERATIONS = {
    "PutRegistrationFieldValue": put_registration_field_value,
    "DeleteRegistrationFieldValue": delete_registration_field_value,
    "DescribeRegistrationFieldValues": describe_registration_field_values,
}
