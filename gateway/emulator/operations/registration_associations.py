"""What a registration is for: its numbers, sender ids and other registrations."""

from typing import Any

from gateway.emulator.arns import parse
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.lookups import required
from gateway.emulator.operations.phone_numbers import arn_of as number_arn
from gateway.emulator.operations.registrations import arn_of, named, named_members, required_form
from gateway.emulator.operations.sender_ids import arn_of as sender_arn
from gateway.emulator.paging import page
from gateway.emulator.registration_forms import Form
from gateway.emulator.state.records import PhoneNumber, SenderId
from gateway.emulator.state.registration_records import Registration

Associated = PhoneNumber | SenderId | Registration

PARENT_TYPES = {
    "US_TEN_DLC_CAMPAIGN_REGISTRATION": "US_TEN_DLC_BRAND_REGISTRATION",
    "US_TEN_DLC_BRAND_VETTING": "US_TEN_DLC_BRAND_REGISTRATION",
}
"""Which registrations other registrations are built on."""

READERS: Readers[dict[str, Any]] = {
    "resource-type": lambda member: member["ResourceType"],
    "iso-country-code": lambda member: member.get("IsoCountryCode"),
}


def create_registration_association(call: Call) -> dict[str, Any]:
    """Associate a number or a registration, when the type allows it now."""
    registration = named(call)
    form = required_form(registration.type)
    resource = _resource(call, call.input["ResourceId"])
    kind = _kind(resource)
    association = form.association_of(kind)
    if association is None or not _fits(form, resource):
        raise _unfit()
    _check_moment(registration, association.behavior)
    if resource.key in registration.associations:
        raise conflict("RESOURCE_ALREADY_ASSOCIATED", "registration", registration.id)
    most = call.world.options.effective_quotas().associations_per_registration
    if len(registration.associations) >= most:
        raise quota("ASSOCIATIONS_PER_REGISTRATION")
    if isinstance(resource, PhoneNumber):
        _link_number(call, registration, resource)
    registration.associations.append(resource.key)
    call.store.put(registration)
    return {
        **named_members(call, registration),
        "RegistrationType": registration.type,
        **_described(call, resource),
    }


def list_registration_associations(call: Call) -> dict[str, Any]:
    """List what a registration is for."""
    registration = named(call)
    resources = [_by_key(call, key) for key in registration.associations]
    described = [_described(call, each) for each in resources if each is not None]
    shown, following = page(filtered(described, call.input.get("Filters"), READERS), call)
    return {
        **named_members(call, registration),
        "RegistrationType": registration.type,
        "RegistrationAssociations": shown,
        **following,
    }


def _resource(call: Call, value: str) -> Associated:
    kind = parse(value, "ResourceId").kind if value.startswith("arn:") else value.partition("-")[0]
    if kind in {"phone", "phone-number"}:
        return required(call, PhoneNumber, value, "ResourceId")
    if kind == "registration":
        return required(call, Registration, value, "ResourceId")
    if kind == "sender-id":
        raise _unfit()
    raise not_found("phone-number", value)


def _fits(form: Form, resource: Associated) -> bool:
    if isinstance(resource, PhoneNumber):
        return form.accepts_number(resource.number_type, resource.country)
    return isinstance(resource, Registration) and PARENT_TYPES.get(form.type) == resource.type


def _check_moment(registration: Registration, behavior: str) -> None:
    if behavior == "ASSOCIATE_AFTER_COMPLETE" and registration.status != "COMPLETE":
        raise conflict("REGISTRATION_NOT_COMPLETE", "registration", registration.id)
    if behavior == "ASSOCIATE_BEFORE_SUBMIT" and registration.versions[-1].status != "DRAFT":
        raise conflict("REGISTRATION_ALREADY_SUBMITTED", "registration", registration.id)


def _link_number(call: Call, registration: Registration, number: PhoneNumber) -> None:
    if number.registration_id is not None:
        raise conflict("PHONE_NUMBER_ASSOCIATED_TO_REGISTRATION", "phone-number", number.id)
    number.registration_id = registration.id
    if registration.status == "COMPLETE" and number.status == "PENDING":
        number.status = "ACTIVE"
    call.store.put(number)


def _unfit() -> Exception:
    return validation(
        "INVALID_REGISTRATION_ASSOCIATION", "The registration is not for such a resource", "ResourceId"
    )


def _by_key(call: Call, key: str) -> Associated | None:
    if "/" in key:
        return call.store.find(SenderId, key)
    return call.store.find(PhoneNumber, key) or call.store.find(Registration, key)


def _kind(resource: Associated) -> str:
    if isinstance(resource, PhoneNumber):
        return "PHONE_NUMBER"
    return "SENDER_ID" if isinstance(resource, SenderId) else "REGISTRATION"


def _described(call: Call, resource: Associated) -> dict[str, Any]:
    if isinstance(resource, PhoneNumber):
        return {
            "ResourceArn": number_arn(call, resource),
            "ResourceId": resource.id,
            "ResourceType": "PHONE_NUMBER",
            "IsoCountryCode": resource.country,
            "PhoneNumber": resource.number,
        }
    if isinstance(resource, SenderId):
        return {
            "ResourceArn": sender_arn(call, resource),
            "ResourceId": resource.sender_id,
            "ResourceType": "SENDER_ID",
            "IsoCountryCode": resource.country,
        }
    return {"ResourceArn": arn_of(call, resource), "ResourceId": resource.id, "ResourceType": "REGISTRATION"}


OPERATIONS = {
    "CreateRegistrationAssociation": create_registration_association,
    "ListRegistrationAssociations": list_registration_associations,
}
