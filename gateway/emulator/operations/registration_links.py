"""Links between registrations and the numbers that are requested for them."""

from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, validation
from gateway.emulator.registration_forms import form_of
from gateway.emulator.state.records import PhoneNumber, SenderId
from gateway.emulator.state.registration_records import Registration


def attach_number(call: Call, registration: Registration, number: PhoneNumber) -> None:
    """Link a new number to a registration of its kind; a complete one makes the number active."""
    form = form_of(registration.type)
    if form is None or not form.accepts_number(number.number_type, number.country):
        raise validation(
            "INVALID_REGISTRATION_ASSOCIATION", "The registration is not for such a number", "RegistrationId"
        )
    if registration.status in {"CLOSED", "DELETED"}:
        raise conflict("RESOURCE_NOT_ACTIVE", "registration", registration.id)
    number.registration_id = registration.id
    registration.associations.append(number.key)
    if registration.status == "COMPLETE":
        number.status = "ACTIVE"
    call.store.put(registration)


def close_registration(call: Call, sender: SenderId) -> None:
    """Close the registration that a released sender id came from; only deleting it is left to do."""
    registration = call.store.find(Registration, sender.registration_id or "")
    if registration is not None and sender.key in registration.associations:
        registration.associations.remove(sender.key)
        registration.status, registration.next_step_ms = "CLOSED", 0.0
        call.store.put(registration)
