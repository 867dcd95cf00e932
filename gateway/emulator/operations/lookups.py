"""Finding the resources that id-or-ARN parameters name."""

from typing import TypeVar

from gateway.emulator.arns import Kind, id_of, parse
from gateway.emulator.call import Call
from gateway.emulator.errors import not_found, validation
from gateway.emulator.state.records import (
    ConfigurationSet,
    OptOutList,
    PhoneNumber,
    Pool,
    ProtectConfiguration,
    Record,
    SenderId,
    VerifiedNumber,
)
from gateway.emulator.state.registration_records import Attachment, Registration

R = TypeVar("R", bound=Record)

KINDS: dict[type[Record], Kind] = {
    PhoneNumber: "phone-number",
    Pool: "pool",
    ConfigurationSet: "configuration-set",
    OptOutList: "opt-out-list",
    ProtectConfiguration: "protect-configuration",
    Registration: "registration",
    Attachment: "registration-attachment",
    VerifiedNumber: "verified-destination-number",
}
"""What the ARN of each kind of record calls it. Sender ids are found by name and country instead."""

Identity = PhoneNumber | SenderId | Pool


def required(call: Call, kind: type[R], value: str, field: str) -> R:
    """Return the resource that an id or ARN names, or raise ResourceNotFound."""
    found = call.store.find(kind, id_of(call.store, value, KINDS[kind], field))
    if found is None:
        raise not_found(KINDS[kind], value)
    settle(call, found)
    return found


def listed(call: Call, kind: type[R], ids_field: str) -> list[R]:
    """Return the resources that a Describe action asks for: the named ones, or all."""
    ids: list[str] = call.input.get(ids_field, [])
    if "Owner" in call.input and ids:
        raise validation(
            "PARAMETERS_CANNOT_BE_USED_TOGETHER",
            f"Owner and {ids_field} cannot be used together",
            "Owner",
            ids_field,
        )
    if call.input.get("Owner") == "SHARED":
        return []
    if ids:
        return [required(call, kind, each, ids_field) for each in dict.fromkeys(ids)]
    everything = call.store.all(kind)
    for each in everything:
        settle(call, each)
    return everything


def settle(call: Call, record: Record) -> None:
    """End a transitional status whose time has come."""
    if isinstance(record, PhoneNumber | Pool) and 0 < record.settles_ms <= call.world.clock.now_ms():
        record.settles_ms = 0.0
        record.status = "ACTIVE"
        call.store.put(record)


def begin(call: Call, record: PhoneNumber | Pool, status: str) -> None:
    """Enter a transitional status for the configured time; without one the record is ACTIVE at once."""
    takes_ms = call.world.options.status_change_ms
    record.status = status if takes_ms else "ACTIVE"
    record.settles_ms = call.world.clock.now_ms() + takes_ms if takes_ms else 0.0


def sender_id(call: Call, value: str, country: str | None, field: str) -> SenderId:
    """Return the sender id that a name (with a country) or an ARN names."""
    if value.startswith("arn:"):
        name, _, in_arn = id_of(call.store, value, "sender-id", field).partition("/")
        if not in_arn:
            raise validation("INVALID_ARN", "The ARN of a sender ID needs its country", "senderId")
        country = country or in_arn
        value_key = f"{name.upper()}/{in_arn}"
    else:
        value_key = f"{value.upper()}/{country or ''}"
    found = call.store.find(SenderId, value_key)
    if found is None:
        raise not_found("sender-id", value)
    return found


def identity(call: Call, value: str, country: str | None, field: str = "OriginationIdentity") -> Identity:
    """
    Return the number, sender id or pool that an origination identity names.

    Args:
        call: The call that carries it.
        value: Number, id, name or ARN.
        country: Which of several sender ids of one name is meant; None takes the only or first one.
        field: The parameter, for errors.
    """
    if value.startswith("arn:"):
        return _identity_by_arn(call, value, country, field)
    if value.startswith("pool-"):
        return required(call, Pool, value, field)
    if value.startswith("phone-"):
        return required(call, PhoneNumber, value, field)
    number = _by_number(call, value)
    if number is not None:
        return number
    named = _by_name(call, value, country)
    if named is None:
        raise not_found("phone-number" if value.lstrip("+").isdigit() else "sender-id", value)
    return named


def _identity_by_arn(call: Call, value: str, country: str | None, field: str) -> Identity:
    kind = parse(value, field).kind
    if kind == "pool":
        return required(call, Pool, value, field)
    if kind == "phone-number":
        return required(call, PhoneNumber, value, field)
    if kind == "sender-id":
        return sender_id(call, value, country, field)
    raise validation("INVALID_ARN", f"The ARN is not of an origination identity: {value}", field)


def _by_number(call: Call, value: str) -> PhoneNumber | None:
    wanted = value.lstrip("+")
    if not wanted.isdigit():
        return None
    for found in call.store.grouped(PhoneNumber, wanted):
        settle(call, found)
        return found
    return None


def _by_name(call: Call, value: str, country: str | None) -> SenderId | None:
    if country is not None:
        exact = call.store.find(SenderId, f"{value.upper()}/{country}")
        if exact is not None:
            return exact
    wanted = value.upper()
    return next((each for each in call.store.all(SenderId) if each.sender_id.upper() == wanted), None)
