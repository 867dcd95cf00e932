"""Sender ids: request, update, release, describe."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import countries
from gateway.emulator.errors import access_denied, conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.lookups import sender_id as found_sender_id
from gateway.emulator.operations.registration_links import close_registration
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.records import Pool, SenderId

READERS: Readers[SenderId] = {
    "sender-id": lambda sender: sender.sender_id,
    "iso-country-code": lambda sender: sender.country,
    "message-type": lambda sender: sender.message_types,
    "deletion-protection-enabled": lambda sender: sender.protected,
    "registered": lambda sender: sender.registered,
}


def request_sender_id(call: Call) -> dict[str, Any]:
    """Take a sender id in a country that asks for no registration."""
    if call.world.options.account_disabled:
        raise access_denied("ACCOUNT_DISABLED")
    tags = check_tags(call)
    name, country = _name(call), call.input["IsoCountryCode"]
    _check_country(country)
    sender = SenderId(
        scope=call.store.scope,
        sender_id=name,
        country=country,
        message_types=call.input.get("MessageTypes") or ["TRANSACTIONAL", "PROMOTIONAL"],
        monthly_price="0.00",
        created_s=call.now_s,
        protected=call.input.get("DeletionProtectionEnabled", False),
    )
    if call.store.find(SenderId, sender.key) is not None:
        raise conflict("RESOURCE_ALREADY_EXISTS", "sender-id", name)
    if call.store.count(SenderId) >= call.world.options.effective_quotas().sender_ids:
        raise quota("SENDER_IDS_PER_ACCOUNT")
    call.store.put(sender)
    return {**describe(call, sender), **keep_tags(call, arn_of(call, sender), tags)}


def update_sender_id(call: Call) -> dict[str, Any]:
    """Change the deletion protection, all that can be changed."""
    sender = _required(call)
    sender.protected = call.input.get("DeletionProtectionEnabled", sender.protected)
    call.store.put(sender)
    return describe(call, sender)


def release_sender_id(call: Call) -> dict[str, Any]:
    """Give a sender id back."""
    sender = _required(call)
    if sender.protected:
        raise conflict("DELETION_PROTECTION_ENABLED", "sender-id", sender.sender_id)
    if any(sender.key in pool.members for pool in call.store.all(Pool)):
        raise conflict("SENDER_ID_ASSOCIATED_TO_POOL", "sender-id", sender.sender_id)
    drop_tags(call, arn_of(call, sender))
    close_registration(call, sender)
    call.store.remove(sender)
    described = describe(call, sender)
    described.pop("DeletionProtectionEnabled")
    return described


def describe_sender_ids(call: Call) -> dict[str, Any]:
    """List sender ids."""
    wanted = call.input.get("SenderIds", [])
    if wanted and "Owner" in call.input:
        raise validation(
            "PARAMETERS_CANNOT_BE_USED_TOGETHER",
            "Owner and SenderIds cannot be used together",
            "Owner",
            "SenderIds",
        )
    senders = [
        found_sender_id(call, each["SenderId"], each["IsoCountryCode"], "SenderIds") for each in wanted
    ]
    if not wanted and call.input.get("Owner") != "SHARED":
        senders = call.store.all(SenderId)
    senders = filtered(senders, call.input.get("Filters"), READERS)
    shown, following = page(senders, call)
    return {"SenderIds": [describe(call, sender) for sender in shown], **following}


def describe(call: Call, sender: SenderId) -> dict[str, Any]:
    """Return a sender id as the API shows it."""
    registration = {"RegistrationId": sender.registration_id} if sender.registration_id else {}
    return {
        "SenderIdArn": arn_of(call, sender),
        "SenderId": sender.sender_id,
        "IsoCountryCode": sender.country,
        "MessageTypes": sender.message_types,
        "MonthlyLeasingPrice": sender.monthly_price,
        "DeletionProtectionEnabled": sender.protected,
        "Registered": sender.registered,
        **registration,
    }


def arn_of(call: Call, sender: SenderId) -> str:
    """Return the ARN of a sender id."""
    return build(call.store, "sender-id", f"{sender.sender_id}/{sender.country}")


def _name(call: Call) -> str:
    name: str = call.input["SenderId"]
    if not any(letter.isalpha() for letter in name) or name.startswith("-") or name.endswith("-"):
        raise validation(
            "INVALID_PARAMETER", "A sender ID has a letter and no hyphen at either end", "SenderId"
        )
    return name.upper() if call.world.options.behaviour.sender_id_upper_case else name


def _check_country(country: str) -> None:
    known = countries().get(country)
    if known is None or known.sender_id == "no":
        raise validation("SENDER_ID_NOT_SUPPORTED", f"{country} has no sender IDs", "IsoCountryCode")
    if known.sender_id == "registration":
        raise validation(
            "SENDER_ID_REQUIRES_REGISTRATION", f"{country} asks for a registration", "IsoCountryCode"
        )


def _required(call: Call) -> SenderId:
    value, country = call.input["SenderId"], call.input["IsoCountryCode"]
    sender = found_sender_id(call, value, country, "SenderId")
    if sender.country != country:
        raise not_found("sender-id", value)
    return sender


OPERATIONS = {
    "RequestSenderId": request_sender_id,
    "UpdateSenderId": update_sender_id,
    "ReleaseSenderId": release_sender_id,
    "DescribeSenderIds": describe_sender_ids,
}
