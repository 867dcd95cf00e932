"""Opt-out lists and the numbers on them."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import country_of, e164
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.records import (
    OptedOutNumber,
    OptOutList,
    OptOutRemoval,
    PhoneNumber,
    Pool,
)

REMOVAL_PAUSE_S = 30 * 86_400.0
"""A number can be taken off a list once in 30 days."""

READERS: Readers[OptedOutNumber] = {"end-user-opted-out": lambda entry: entry.by_recipient}


def create_opt_out_list(call: Call) -> dict[str, Any]:
    """Create an empty list."""
    tags = check_tags(call)
    name: str = call.input["OptOutListName"]
    if call.store.find(OptOutList, name) is not None:
        raise conflict("RESOURCE_ALREADY_EXISTS", "opt-out-list", name)
    if call.store.count(OptOutList) >= call.world.options.effective_quotas().opt_out_lists:
        raise quota("OPT_OUT_LISTS_PER_ACCOUNT")
    owner = OptOutList(scope=call.store.scope, name=name, created_s=call.now_s)
    call.store.put(owner)
    kept = keep_tags(call, arn_of(call, owner), tags)
    return {**_named(call, owner), **kept, "CreatedTimestamp": owner.created_s}


def delete_opt_out_list(call: Call) -> dict[str, Any]:
    """Delete a list with its numbers, unless something uses it."""
    owner = _required(call)
    if owner.name == "Default":
        raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "opt-out-list", owner.name)
    users: list[PhoneNumber | Pool] = [*call.store.all(PhoneNumber), *call.store.all(Pool)]
    if any(user.opt_out_list == owner.name for user in users):
        raise conflict(call.world.options.behaviour.opt_out_list_in_use, "opt-out-list", owner.name)
    for entry in _numbers(call, owner):
        call.store.remove(entry)
    drop_tags(call, arn_of(call, owner))
    call.store.remove(owner)
    return {**_named(call, owner), "CreatedTimestamp": owner.created_s}


def describe_opt_out_lists(call: Call) -> dict[str, Any]:
    """List lists."""
    shown, following = page(listed(call, OptOutList, "OptOutListNames"), call)
    described = [{**_named(call, owner), "CreatedTimestamp": owner.created_s} for owner in shown]
    return {"OptOutLists": described, **following}


def put_opted_out_number(call: Call) -> dict[str, Any]:
    """Put a number on a list; one that is there stays as it is."""
    owner = _required(call)
    number = _valid_number(call.input["OptedOutNumber"])
    entry = call.store.find(OptedOutNumber, f"{owner.name}/{number}")
    if entry is None:
        entry = opt_out(call, owner.name, number, by_recipient=False)
    return {**_named(call, owner), **_described(entry)}


def delete_opted_out_number(call: Call) -> dict[str, Any]:
    """Take a number off a list, at most once in 30 days."""
    owner = _required(call)
    number = e164(call.input["OptedOutNumber"])
    entry = call.store.find(OptedOutNumber, f"{owner.name}/{number}")
    if entry is None:
        raise not_found("opted-out-number", number)
    removed = call.store.find(OptOutRemoval, entry.key)
    if removed is not None and call.now_s - removed.at_s < REMOVAL_PAUSE_S:
        raise validation(
            "PHONE_NUMBER_CANNOT_BE_OPTED_IN",
            "The number was opted in during the last 30 days",
            "OptedOutNumber",
        )
    call.store.remove(entry)
    call.store.put(
        OptOutRemoval(scope=call.store.scope, list_name=owner.name, number=number, at_s=call.now_s)
    )
    return {**_named(call, owner), **_described(entry)}


def describe_opted_out_numbers(call: Call) -> dict[str, Any]:
    """List the numbers of a list."""
    owner = _required(call)
    wanted: list[str] = call.input.get("OptedOutNumbers", [])
    entries = [_required_entry(call, owner, number) for number in wanted] if wanted else _numbers(call, owner)
    entries = filtered(entries, call.input.get("Filters"), READERS)
    shown, following = page(entries, call)
    return {**_named(call, owner), "OptedOutNumbers": [_described(entry) for entry in shown], **following}


def opt_out(call: Call, list_name: str, number: str, *, by_recipient: bool) -> OptedOutNumber:
    """Put a number on a list, or note that the recipient now asks for it too."""
    entry = OptedOutNumber(
        scope=call.store.scope, list_name=list_name, number=number, at_s=call.now_s, by_recipient=by_recipient
    )
    call.store.put(entry)
    return entry


def arn_of(call: Call, owner: OptOutList) -> str:
    """Return the ARN of a list."""
    return build(call.store, "opt-out-list", owner.name)


def _valid_number(number: str) -> str:
    full = e164(number)
    if country_of(full) is None:
        raise validation("INVALID_PARAMETER", "The phone number is not valid", "OptedOutNumber")
    return full


def _numbers(call: Call, owner: OptOutList) -> list[OptedOutNumber]:
    return call.store.grouped(OptedOutNumber, owner.name)


def _required_entry(call: Call, owner: OptOutList, number: str) -> OptedOutNumber:
    entry = call.store.find(OptedOutNumber, f"{owner.name}/{e164(number)}")
    if entry is None:
        raise not_found("opted-out-number", number)
    return entry


def _described(entry: OptedOutNumber) -> dict[str, Any]:
    return {
        "OptedOutNumber": entry.number,
        "OptedOutTimestamp": entry.at_s,
        "EndUserOptedOut": entry.by_recipient,
    }


def _named(call: Call, owner: OptOutList) -> dict[str, Any]:
    return {"OptOutListArn": arn_of(call, owner), "OptOutListName": owner.name}


def _required(call: Call) -> OptOutList:
    return required(call, OptOutList, call.input["OptOutListName"], "OptOutListName")


OPERATIONS = {
    "CreateOptOutList": create_opt_out_list,
    "DeleteOptOutList": delete_opt_out_list,
    "DescribeOptOutLists": describe_opt_out_lists,
    "PutOptedOutNumber": put_opted_out_number,
    "DeleteOptedOutNumber": delete_opted_out_number,
    "DescribeOptedOutNumbers": describe_opted_out_numbers,
}
