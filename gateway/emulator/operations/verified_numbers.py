"""Verified destination numbers, which a sandbox account may send to."""

import secrets
from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import country_of, e164
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.messages import send_verification
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.records import VerifiedNumber

DAY_MS = 86_400_000.0

READERS: Readers[VerifiedNumber] = {"status": lambda entry: entry.status}

TEXTS = {"DE": "Ihr Bestätigungscode lautet {code}", "ES": "Su código de verificación es {code}"}
DEFAULT_TEXT = "Your verification code is {code}"
"""The text is fixed; languages without a translation here get the English one."""


def create_verified_destination_number(call: Call) -> dict[str, Any]:
    """Enter a number, not verified yet."""
    tags = check_tags(call)
    number = e164(call.input["DestinationPhoneNumber"])
    if country_of(number) is None:
        raise validation("INVALID_PARAMETER", "The phone number is not valid", "DestinationPhoneNumber")
    entries = call.store.all(VerifiedNumber)
    if any(each.number == number for each in entries):
        raise conflict("RESOURCE_ALREADY_EXISTS", "verified-destination-number", number)
    if len(entries) >= call.world.options.effective_quotas().verified_numbers:
        raise quota("VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT")
    entry = VerifiedNumber(
        scope=call.store.scope,
        id=resource_id("verified"),
        number=number,
        status="PENDING",
        created_s=call.now_s,
    )
    call.store.put(entry)
    return {**_described(call, entry), **keep_tags(call, arn_of(call, entry), tags)}


def delete_verified_destination_number(call: Call) -> dict[str, Any]:
    """Remove a number; in strict mode not within its first day."""
    entry = _named(call)
    if call.world.options.strict and (call.now_s - entry.created_s) * 1000.0 < DAY_MS:
        raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "verified-destination-number", entry.id)
    drop_tags(call, arn_of(call, entry))
    call.store.remove(entry)
    described = _described(call, entry)
    described.pop("Status")
    return described


def describe_verified_destination_numbers(call: Call) -> dict[str, Any]:
    """List numbers, by id or by number."""
    entries = listed(call, VerifiedNumber, "VerifiedDestinationNumberIds")
    wanted = [e164(number) for number in call.input.get("DestinationPhoneNumbers", [])]
    if wanted:
        known = {entry.number for entry in entries}
        missing = [number for number in wanted if number not in known]
        if missing:
            raise not_found("verified-destination-number", missing[0])
        entries = [entry for entry in entries if entry.number in wanted]
    found = filtered(entries, call.input.get("Filters"), READERS, status="VerificationStatus")
    shown, following = page(found, call)
    return {"VerifiedDestinationNumbers": [_described(call, entry) for entry in shown], **following}


def send_destination_number_verification_code(call: Call) -> dict[str, Any]:
    """Send a code by text or call; the latest one counts."""
    entry = _named(call)
    if entry.status == "VERIFIED":
        raise conflict("VERIFICATION_ALREADY_COMPLETE", "verified-destination-number", entry.id)
    now_ms = call.world.clock.now_ms()
    today = [moment for moment in entry.codes_sent_ms if now_ms - moment < DAY_MS]
    if len(today) >= call.world.options.effective_quotas().verification_codes_per_day:
        raise quota("VERIFICATION_ATTEMPTS_PER_DAY")
    length = call.world.options.behaviour.verification_code_length
    code = f"{secrets.randbelow(10**length):0{length}d}"
    language: str = call.input.get("LanguageCode", "EN_US")
    text = TEXTS.get(language[:2], DEFAULT_TEXT).format(code=code)
    message = send_verification(call, entry.number, text, call.input["VerificationChannel"])
    entry.code, entry.code_at_ms, entry.codes_sent_ms = code, now_ms, [*today, now_ms]
    call.store.put(entry)
    return {"MessageId": message.id}


def verify_destination_number(call: Call) -> dict[str, Any]:
    """Check a code."""
    entry = _named(call)
    if entry.status == "VERIFIED":
        raise conflict("VERIFICATION_ALREADY_COMPLETE", "verified-destination-number", entry.id)
    if entry.code is None or not secrets.compare_digest(entry.code, call.input["VerificationCode"]):
        raise validation("VERIFICATION_CODE_MISMATCH", "The code is wrong", "VerificationCode")
    ttl_ms = call.world.options.behaviour.verification_code_ttl_s * 1000.0
    if call.world.clock.now_ms() - entry.code_at_ms > ttl_ms:
        raise conflict("VERIFICATION_CODE_EXPIRED", "verified-destination-number", entry.id)
    entry.status, entry.code = "VERIFIED", None
    call.store.put(entry)
    return _described(call, entry)


def arn_of(call: Call, entry: VerifiedNumber) -> str:
    """Return the ARN of an entry."""
    return build(call.store, "verified-destination-number", entry.id)


def _named(call: Call) -> VerifiedNumber:
    return required(
        call, VerifiedNumber, call.input["VerifiedDestinationNumberId"], "VerifiedDestinationNumberId"
    )


def _described(call: Call, entry: VerifiedNumber) -> dict[str, Any]:
    return {
        "CreatedTimestamp": entry.created_s,
        "DestinationPhoneNumber": entry.number,
        "Status": entry.status,
        "VerifiedDestinationNumberArn": arn_of(call, entry),
        "VerifiedDestinationNumberId": entry.id,
    }


OPERATIONS = {
    "CreateVerifiedDestinationNumber": create_verified_destination_number,
    "DeleteVerifiedDestinationNumber": delete_verified_destination_number,
    "DescribeVerifiedDestinationNumbers": describe_verified_destination_numbers,
    "SendDestinationNumberVerificationCode": send_destination_number_verification_code,
    "VerifyDestinationNumber": verify_destination_number,
}
