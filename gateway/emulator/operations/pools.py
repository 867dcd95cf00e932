"""Pools: create, update, delete, describe, and who is in them."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import begin, identity, listed, required
from gateway.emulator.operations.membership import (
    Member,
    check_number,
    join,
    keywords_of,
    leave,
    members_of,
)
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.operations.two_way import apply_two_way, two_way_members
from gateway.emulator.paging import page
from gateway.emulator.state.records import Keyword, PhoneNumber, Pool

READERS: Readers[Pool] = {
    "status": lambda pool: pool.status,
    "message-type": lambda pool: pool.message_type,
    "two-way-enabled": lambda pool: pool.two_way,
    "self-managed-opt-outs-enabled": lambda pool: pool.self_managed,
    "opt-out-list-name": lambda pool: pool.opt_out_list,
    "shared-routes-enabled": lambda pool: pool.shared_routes,
    "deletion-protection-enabled": lambda pool: pool.protected,
    "two-way-channel-arn": lambda pool: pool.channel_arn,
}


def create_pool(call: Call) -> dict[str, Any]:
    """Open a pool around one identity, whose settings it takes over."""
    tags = check_tags(call)
    member = _member(call)
    _check_message_type(call, member)
    if isinstance(member, PhoneNumber):
        check_number(member)
    if call.store.count(Pool) >= call.world.options.effective_quotas().pools:
        raise quota("POOLS_PER_ACCOUNT")
    pool = Pool(
        scope=call.store.scope,
        id=resource_id("pool"),
        status="ACTIVE",
        message_type=call.input["MessageType"],
        created_s=call.now_s,
        members=[],
        protected=call.input.get("DeletionProtectionEnabled", False),
    )
    if isinstance(member, PhoneNumber):
        _inherit(call, pool, member)
    join(call, pool, member)
    begin(call, pool, "CREATING")
    call.store.put(pool)
    return {**describe(call, pool), **keep_tags(call, arn_of(call, pool), tags)}


def update_pool(call: Call) -> dict[str, Any]:
    """Change a pool's settings; its members follow."""
    pool = required(call, Pool, call.input["PoolId"], "PoolId")
    if pool.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "pool", pool.id)
    apply_two_way(call, pool)
    pool.shared_routes = call.input.get("SharedRoutesEnabled", pool.shared_routes)
    call.store.put(pool)
    return describe(call, pool)


def delete_pool(call: Call) -> dict[str, Any]:
    """Close a pool; its identities survive."""
    pool = required(call, Pool, call.input["PoolId"], "PoolId")
    if pool.protected:
        raise conflict("DELETION_PROTECTION_ENABLED", "pool", pool.id)
    if pool.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "pool", pool.id)
    if len(pool.members) > 1 and not call.world.options.behaviour.pool_delete_with_members:
        raise conflict("RESOURCE_NOT_EMPTY", "pool", pool.id)
    for key in list(pool.members):
        leave(call, pool, key)
    for keyword in call.store.grouped(Keyword, pool.id):
        call.store.remove(keyword)
    drop_tags(call, arn_of(call, pool))
    call.store.remove(pool)
    pool.status = "DELETING"
    described = describe(call, pool)
    described.pop("DeletionProtectionEnabled")
    return described


def describe_pools(call: Call) -> dict[str, Any]:
    """List pools."""
    pools = filtered(listed(call, Pool, "PoolIds"), call.input.get("Filters"), READERS, status="PoolStatus")
    shown, following = page(pools, call)
    return {"Pools": [describe(call, pool) for pool in shown], **following}


def associate_origination_identity(call: Call) -> dict[str, Any]:
    """Add an identity to a pool."""
    pool = required(call, Pool, call.input["PoolId"], "PoolId")
    if pool.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "pool", pool.id)
    member = _member(call)
    join(call, pool, member)
    return _membership(call, pool, member)


def disassociate_origination_identity(call: Call) -> dict[str, Any]:
    """Take an identity out of a pool, but never the last one."""
    pool = required(call, Pool, call.input["PoolId"], "PoolId")
    member = _member(call)
    if member.key not in pool.members:
        raise conflict("PHONE_NUMBER_NOT_ASSOCIATED_TO_POOL", "pool", pool.id)
    if len(pool.members) == 1:
        raise conflict("LAST_PHONE_NUMBER", "pool", pool.id)
    leave(call, pool, member.key)
    call.store.put(pool)
    return _membership(call, pool, member)


def list_pool_origination_identities(call: Call) -> dict[str, Any]:
    """List the identities of a pool."""
    pool = required(call, Pool, call.input["PoolId"], "PoolId")
    members = filtered(members_of(call, pool), call.input.get("Filters"), MEMBER_READERS)
    shown, following = page(members, call)
    return {
        "PoolArn": arn_of(call, pool),
        "PoolId": pool.id,
        "OriginationIdentities": [_listed_member(call, member) for member in shown],
        **following,
    }


def describe(call: Call, pool: Pool) -> dict[str, Any]:
    """Return a pool as the API shows it."""
    return {
        "PoolArn": arn_of(call, pool),
        "PoolId": pool.id,
        "Status": pool.status,
        "MessageType": pool.message_type,
        **two_way_members(pool),
        "SharedRoutesEnabled": pool.shared_routes,
        "DeletionProtectionEnabled": pool.protected,
        "CreatedTimestamp": pool.created_s,
    }


def arn_of(call: Call, pool: Pool) -> str:
    """Return the ARN of a pool."""
    return build(call.store, "pool", pool.id)


def capabilities_of(member: Member) -> list[str]:
    """Return what an identity can send; sender ids only send SMS."""
    return member.capabilities if isinstance(member, PhoneNumber) else ["SMS"]


def member_name(member: Member) -> str:
    """Return the id of a number or the name of a sender id."""
    return member.id if isinstance(member, PhoneNumber) else member.sender_id


def member_arn(call: Call, member: Member) -> str:
    """Return the ARN of a number or sender id."""
    if isinstance(member, PhoneNumber):
        return build(call.store, "phone-number", member.id)
    return build(call.store, "sender-id", f"{member.sender_id}/{member.country}")


def _member(call: Call) -> Member:
    value, country = call.input["OriginationIdentity"], call.input.get("IsoCountryCode")
    if country is None and call.world.options.behaviour.country_code_required:
        raise validation("MISSING_PARAMETER", "IsoCountryCode is required", "IsoCountryCode")
    member = identity(call, value, country)
    if isinstance(member, Pool):
        raise validation("INVALID_PARAMETER", "A pool cannot hold a pool", "OriginationIdentity")
    if country is not None and member.country != country:
        raise not_found("sender-id" if "/" in member.key else "phone-number", value)
    return member


def _check_message_type(call: Call, member: Member) -> None:
    wanted: str = call.input["MessageType"]
    offered = [member.message_type] if isinstance(member, PhoneNumber) else member.message_types
    if wanted not in offered:
        kind = "phone-number" if isinstance(member, PhoneNumber) else "sender-id"
        raise conflict("MESSAGE_TYPE_MISMATCH", kind, member_name(member))


def _inherit(call: Call, pool: Pool, number: PhoneNumber) -> None:
    pool.two_way = number.two_way
    pool.channel_arn = number.channel_arn
    pool.channel_role = number.channel_role
    pool.self_managed = number.self_managed
    pool.opt_out_list = number.opt_out_list
    for keyword, (message, action) in keywords_of(call, number.id).items():
        call.store.put(
            Keyword(scope=call.store.scope, owner_id=pool.id, keyword=keyword, message=message, action=action)
        )


def _membership(call: Call, pool: Pool, member: Member) -> dict[str, Any]:
    return {
        "PoolArn": arn_of(call, pool),
        "PoolId": pool.id,
        "OriginationIdentityArn": member_arn(call, member),
        "OriginationIdentity": member_name(member),
        "IsoCountryCode": member.country,
    }


def _listed_member(call: Call, member: Member) -> dict[str, Any]:
    number = {"PhoneNumber": member.number} if isinstance(member, PhoneNumber) else {}
    return {
        "OriginationIdentityArn": member_arn(call, member),
        "OriginationIdentity": member_name(member),
        "IsoCountryCode": member.country,
        "NumberCapabilities": capabilities_of(member),
        **number,
    }


MEMBER_READERS: Readers[Member] = {
    "iso-country-code": lambda member: member.country,
    "number-capability": capabilities_of,
}

OPERATIONS = {
    "CreatePool": create_pool,
    "UpdatePool": update_pool,
    "DeletePool": delete_pool,
    "DescribePools": describe_pools,
    "AssociateOriginationIdentity": associate_origination_identity,
    "DisassociateOriginationIdentity": disassociate_origination_identity,
    "ListPoolOriginationIdentities": list_pool_origination_identities,
}
