"""Who may be in which pool."""

from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, quota
from gateway.emulator.operations.lookups import begin
from gateway.emulator.state.records import Keyword, PhoneNumber, Pool, SenderId

Member = PhoneNumber | SenderId


def join(call: Call, pool: Pool, member: Member) -> None:
    """Add a number or sender id to a pool, or raise why it does not fit."""
    check_fit(call, pool, member)
    pool.members.append(member.key)
    if isinstance(member, PhoneNumber):
        member.pool_id = pool.id
        begin(call, member, "ASSOCIATING")
        call.store.put(member)
    call.store.put(pool)


def check_fit(call: Call, pool: Pool, member: Member) -> None:
    """Raise unless a number or sender id may join a pool."""
    if member.key in pool.members:
        raise conflict("RESOURCE_ALREADY_ASSOCIATED", "pool", pool.id)
    if isinstance(member, PhoneNumber):
        check_number(member)
        _check_settings(call, pool, member)
    elif pool.message_type not in member.message_types:
        raise conflict("MESSAGE_TYPE_MISMATCH", "sender-id", member.sender_id)
    if len(pool.members) >= call.world.options.effective_quotas().identities_per_pool:
        raise quota("ORIGINATION_IDENTITIES_PER_POOL")


def check_number(number: PhoneNumber) -> None:
    """Raise unless a number is active and in no pool."""
    if number.pool_id is not None:
        raise conflict("PHONE_NUMBER_ASSOCIATED_TO_POOL", "phone-number", number.id)
    if number.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "phone-number", number.id)


def leave(call: Call, pool: Pool, member_key: str) -> None:
    """Take a member out of a pool."""
    pool.members.remove(member_key)
    number = call.store.find(PhoneNumber, member_key)
    if number is not None:
        number.pool_id = None
        begin(call, number, "DISASSOCIATING")
        call.store.put(number)


def members_of(call: Call, pool: Pool) -> list[Member]:
    """Return the numbers and sender ids of a pool, oldest first."""
    found = (
        call.store.find(SenderId, key) if "/" in key else call.store.find(PhoneNumber, key)
        for key in pool.members
    )
    return [member for member in found if member is not None]


def keywords_of(call: Call, owner_id: str) -> dict[str, tuple[str, str]]:
    """Return the keywords that were put on a number or pool: keyword -> (message, action)."""
    return {each.keyword: (each.message, each.action) for each in call.store.grouped(Keyword, owner_id)}


def _check_settings(call: Call, pool: Pool, number: PhoneNumber) -> None:
    def clash(reason: str) -> Exception:
        return conflict(reason, "phone-number", number.id)

    if number.message_type != pool.message_type:
        raise clash("MESSAGE_TYPE_MISMATCH")
    if (number.two_way, number.channel_arn) != (pool.two_way, pool.channel_arn):
        raise clash("TWO_WAY_CONFIG_MISMATCH")
    if number.self_managed != pool.self_managed:
        raise clash("SELF_MANAGED_OPT_OUTS_MISMATCH")
    if number.opt_out_list != pool.opt_out_list:
        raise clash("OPT_OUT_LIST_MISMATCH")
    if keywords_of(call, number.id) != keywords_of(call, pool.id):
        raise clash("KEYWORD_MISMATCH")
    others = [each for each in members_of(call, pool) if isinstance(each, PhoneNumber)]
    if others and set(number.capabilities).isdisjoint(others[0].capabilities):
        raise clash("NUMBER_CAPABILITIES_MISMATCH")
