"""Phone numbers: request, update, release, describe."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import access_denied, conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import begin, listed, required
from gateway.emulator.operations.membership import check_fit, join
from gateway.emulator.operations.number_supply import MONTHLY_PRICES, is_available, next_number
from gateway.emulator.operations.registration_links import attach_number
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.operations.two_way import apply_two_way, two_way_members
from gateway.emulator.paging import page
from gateway.emulator.state.records import Keyword, OptOutList, PhoneNumber, Pool
from gateway.emulator.state.registration_records import Registration

READERS: Readers[PhoneNumber] = {
    "status": lambda number: number.status,
    "iso-country-code": lambda number: number.country,
    "message-type": lambda number: number.message_type,
    "number-capability": lambda number: number.capabilities,
    "number-type": lambda number: number.number_type,
    "two-way-enabled": lambda number: number.two_way,
    "self-managed-opt-outs-enabled": lambda number: number.self_managed,
    "opt-out-list-name": lambda number: number.opt_out_list,
    "deletion-protection-enabled": lambda number: number.protected,
    "two-way-channel-arn": lambda number: number.channel_arn,
}


def request_phone_number(call: Call) -> dict[str, Any]:
    """Lease a number; no choice of which one."""
    request = call.input
    if call.world.options.account_disabled:
        raise access_denied("ACCOUNT_DISABLED")
    tags = check_tags(call)
    number = _new_number(call)
    if "OptOutListName" in request:
        number.opt_out_list = required(call, OptOutList, request["OptOutListName"], "OptOutListName").name
    if call.store.count(PhoneNumber) >= call.world.options.effective_quotas().phone_numbers:
        raise quota("PHONE_NUMBERS_PER_ACCOUNT")
    pool = required(call, Pool, request["PoolId"], "PoolId") if "PoolId" in request else None
    if pool is not None:
        check_fit(call, pool, number)
    if "RegistrationId" in request:
        registration = required(call, Registration, request["RegistrationId"], "RegistrationId")
        attach_number(call, registration, number)
    if pool is not None:
        join(call, pool, number)
    call.store.put(number)
    kept = keep_tags(call, arn_of(call, number), tags)
    return {**describe(call, number), **kept}


def update_phone_number(call: Call) -> dict[str, Any]:
    """Change a number that is in no pool."""
    number = required(call, PhoneNumber, call.input["PhoneNumberId"], "PhoneNumberId")
    if number.pool_id is not None:
        raise conflict("PHONE_NUMBER_ASSOCIATED_TO_POOL", "phone-number", number.id)
    apply_two_way(call, number)
    number.international = call.input.get("InternationalSendingEnabled", number.international)
    call.store.put(number)
    return _without(describe(call, number), "PoolId")


def release_phone_number(call: Call) -> dict[str, Any]:
    """Give a number back for good."""
    number = required(call, PhoneNumber, call.input["PhoneNumberId"], "PhoneNumberId")
    if number.protected:
        raise conflict("DELETION_PROTECTION_ENABLED", "phone-number", number.id)
    if number.pool_id is not None:
        raise conflict("PHONE_NUMBER_ASSOCIATED_TO_POOL", "phone-number", number.id)
    if number.number_type == "SHORT_CODE":
        raise validation("PHONE_NUMBER_CANNOT_BE_RELEASED", "Short codes cannot be released", "PhoneNumberId")
    for keyword in call.store.grouped(Keyword, number.id):
        call.store.remove(keyword)
    _leave_registration(call, number)
    drop_tags(call, arn_of(call, number))
    call.store.remove(number)
    number.status = "DELETED"
    return _without(
        describe(call, number), "PoolId", "InternationalSendingEnabled", "DeletionProtectionEnabled"
    )


def describe_phone_numbers(call: Call) -> dict[str, Any]:
    """List numbers."""
    numbers = filtered(
        listed(call, PhoneNumber, "PhoneNumberIds"), call.input.get("Filters"), READERS, status="NumberStatus"
    )
    shown, following = page(numbers, call)
    return {"PhoneNumbers": [describe(call, number) for number in shown], **following}


def describe(call: Call, number: PhoneNumber) -> dict[str, Any]:
    """Return a number as the API shows it."""
    pool = {"PoolId": number.pool_id} if number.pool_id else {}
    registration = {"RegistrationId": number.registration_id} if number.registration_id else {}
    return {
        "PhoneNumberArn": arn_of(call, number),
        "PhoneNumberId": number.id,
        "PhoneNumber": number.number,
        "Status": number.status,
        "IsoCountryCode": number.country,
        "MessageType": number.message_type,
        "NumberCapabilities": number.capabilities,
        "NumberType": number.number_type,
        "MonthlyLeasingPrice": number.monthly_price,
        **two_way_members(number),
        "InternationalSendingEnabled": number.international,
        "DeletionProtectionEnabled": number.protected,
        **pool,
        **registration,
        "CreatedTimestamp": number.created_s,
    }


def arn_of(call: Call, number: PhoneNumber) -> str:
    """Return the ARN of a number."""
    return build(call.store, "phone-number", number.id)


def _new_number(call: Call) -> PhoneNumber:
    request = call.input
    country, number_type = request["IsoCountryCode"], request["NumberType"]
    capabilities = list(dict.fromkeys(request["NumberCapabilities"]))
    if not is_available(country, number_type, request["MessageType"], capabilities):
        raise not_found("phone-number", f"{number_type} in {country}")
    number = PhoneNumber(
        scope=call.store.scope,
        id=resource_id("phone"),
        number=next_number(call.world.stores, call.store.scope, country, number_type),
        status="PENDING",
        country=country,
        message_type=request["MessageType"],
        capabilities=capabilities,
        number_type=number_type,
        monthly_price=MONTHLY_PRICES[number_type],
        created_s=call.now_s,
        international=request.get("InternationalSendingEnabled", False),
        protected=request.get("DeletionProtectionEnabled", False),
    )
    if not (number_type in {"TOLL_FREE", "TEN_DLC"} and call.world.options.needs_registration()):
        begin(call, number, "PENDING")
    return number


def _leave_registration(call: Call, number: PhoneNumber) -> None:
    if number.registration_id is None:
        return
    registration = call.store.find(Registration, number.registration_id)
    if registration is not None and number.key in registration.associations:
        registration.associations.remove(number.key)
        call.store.put(registration)


def _without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


OPERATIONS = {
    "RequestPhoneNumber": request_phone_number,
    "UpdatePhoneNumber": update_phone_number,
    "ReleasePhoneNumber": release_phone_number,
    "DescribePhoneNumbers": describe_phone_numbers,
}
