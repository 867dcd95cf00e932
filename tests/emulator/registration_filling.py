"""Filling a registration form from its own definitions, as a client that renders forms does."""

from typing import Any

from tests.emulator.conftest import Aws

TEXTS = {
    "[A-Z]{2}": "US",
    r"[^@\s]+@[^@\s]+\.[^@\s]+": "help@acme.example",
    r"\+?[0-9() -]+": "+12065550100",
    r"https?://\S+|\S+\.\S+": "https://acme.example",
    "[0-9]+": "1234567",
}


async def fill(aws: Aws, registration_id: str, kind: str, attachment_id: str, **texts: str) -> None:
    """Fill every field of the current draft; ``texts`` replaces values by the last part of the path."""
    definitions = await aws.sms.describe_registration_field_definitions(RegistrationType=kind)
    for definition in definitions["RegistrationFieldDefinitions"]:
        value = _value(definition, attachment_id)
        name = definition["FieldPath"].partition(".")[2]
        if name in texts:
            value = {"TextValue": texts[name]}
        await aws.sms.put_registration_field_value(
            RegistrationId=registration_id, FieldPath=definition["FieldPath"], **value
        )


def _value(definition: dict[str, Any], attachment_id: str) -> dict[str, Any]:
    if definition["FieldType"] == "SELECT":
        return {"SelectChoices": definition["SelectValidation"]["Options"][:1]}
    if definition["FieldType"] == "ATTACHMENT":
        return {"RegistrationAttachmentId": attachment_id}
    rule = definition["TextValidation"]
    return {"TextValue": TEXTS.get(rule["Pattern"], "a" * max(rule["MinLength"], 3))[: rule["MaxLength"]]}
