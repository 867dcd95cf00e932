"""The definitions of registration types, sections and fields, from which clients render forms."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.registrations import required_form
from gateway.emulator.paging import page
from gateway.emulator.registration_forms import SECTION_TITLES, Field, Form, forms

READERS: Readers[Form] = {
    "supported-association-resource-type": lambda form: [each.resource_type for each in form.associations],
    "supported-association-iso-country-code": lambda form: [
        each.country for each in form.associations if each.country
    ],
}


def describe_registration_type_definitions(call: Call) -> dict[str, Any]:
    """List registration types."""
    wanted: list[str] = call.input.get("RegistrationTypes", [])
    chosen = [required_form(name) for name in wanted] if wanted else list(forms().values())
    shown, following = page(filtered(chosen, call.input.get("Filters"), READERS), call)
    return {"RegistrationTypeDefinitions": [_type(form) for form in shown], **following}


def describe_registration_section_definitions(call: Call) -> dict[str, Any]:
    """List the sections of a type."""
    form = required_form(call.input["RegistrationType"])
    wanted: list[str] = call.input.get("SectionPaths", [])
    _check_sections(form, wanted)
    shown, following = page(wanted or form.sections, call)
    return {
        "RegistrationType": form.type,
        "RegistrationSectionDefinitions": [_section(path) for path in shown],
        **following,
    }


def describe_registration_field_definitions(call: Call) -> dict[str, Any]:
    """List the fields of a type."""
    form = required_form(call.input["RegistrationType"])
    section: str | None = call.input.get("SectionPath")
    _check_sections(form, [section] if section else [])
    wanted: list[str] = call.input.get("FieldPaths", [])
    unknown = [path for path in wanted if path not in form.fields]
    if unknown:
        raise validation("UNKNOWN_REGISTRATION_FIELD", f"No such field: {unknown[0]}", "FieldPaths")
    chosen = [form.fields[path] for path in wanted] if wanted else list(form.fields.values())
    chosen = [field for field in chosen if section in {None, field.section}]
    shown, following = page(chosen, call)
    return {
        "RegistrationType": form.type,
        "RegistrationFieldDefinitions": [_field(field) for field in shown],
        **following,
    }


def _check_sections(form: Form, wanted: list[str]) -> None:
    unknown = [path for path in wanted if path not in form.sections]
    if unknown:
        raise validation("UNKNOWN_REGISTRATION_SECTION", f"No such section: {unknown[0]}", "SectionPaths")


def _type(form: Form) -> dict[str, Any]:
    associations = [
        {
            "ResourceType": each.resource_type,
            **({"IsoCountryCode": each.country} if each.country else {}),
            "AssociationBehavior": each.behavior,
            "DisassociationBehavior": each.disassociation,
        }
        for each in form.associations
    ]
    return {
        "RegistrationType": form.type,
        **({"SupportedAssociations": associations} if associations else {}),
        "DisplayHints": {"Title": form.title, "ShortDescription": form.title},
    }


def _section(path: str) -> dict[str, Any]:
    title = SECTION_TITLES[path]
    return {"SectionPath": path, "DisplayHints": {"Title": title, "ShortDescription": title}}


def _field(field: Field) -> dict[str, Any]:
    return {
        "SectionPath": field.section,
        "FieldPath": field.path,
        "FieldType": field.kind,
        "FieldRequirement": field.requirement,
        **_rule(field),
        "DisplayHints": {"Title": field.title, "ShortDescription": field.title, **_options(field)},
    }


def _rule(field: Field) -> dict[str, Any]:
    if field.kind == "TEXT":
        rule = {"MinLength": field.least, "MaxLength": field.most, "Pattern": field.pattern}
        return {"TextValidation": rule}
    if field.kind == "SELECT":
        select = {"MinChoices": field.least, "MaxChoices": field.most, "Options": list(field.options)}
        return {"SelectValidation": select}
    return {}


def _options(field: Field) -> dict[str, Any]:
    if not field.options:
        return {}
    described = [{"Option": each, "Title": each, "Description": each} for each in field.options]
    return {"SelectOptionDescriptions": described}


OPERATIONS = {
    "DescribeRegistrationTypeDefinitions": describe_registration_type_definitions,
    "DescribeRegistrationSectionDefinitions": describe_registration_section_definitions,
    "DescribeRegistrationFieldDefinitions": describe_registration_field_definitions,
}
