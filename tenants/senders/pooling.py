"""
What may be in a pool together (F-POOL). Pure.

A pool answers as one sender: its opt-out list and its kind of messages are those of every member, as at AWS,
which refuses an identity that differs (OPT_OUT_LIST_MISMATCH, MESSAGE_TYPE_MISMATCH).
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from tenants.errors import Conflict
from tenants.senders.mixing import check_mixing, mixes

MISMATCH: Final = "pool_mismatch"
_PROMOTIONAL: Final = frozenset({"promotional"})


class Member(Struct, frozen=True, kw_only=True):
    """A sender that is to be in a pool."""

    value: str
    account_id: UUID
    message_types: frozenset[str]
    """Empty for all."""
    opt_out_list: str | None
    """AWS's list that its recipients stop on; None where it has none of its own, as a sender id."""
    allow_mixed: bool
    elsewhere: frozenset[str]
    """Types of the other pools that hold it."""


def opt_out_list_of(members: Sequence[Member], *, named: str | None) -> str:
    """Return the pool's list: the one named, else that of its first member with one, else AWS's own."""
    return named or next((each.opt_out_list for each in members if each.opt_out_list), "Default")


def check_members(
    members: Sequence[Member], *, message_types: Collection[str], opt_out_list: str, allow_mixed: bool
) -> None:
    """
    Refuse a pool whose members would not answer as one; its account is the first member's.

    Raises:
        InvalidInput: The pool itself would mix promotional and other messages without the operator's word.
        Conflict: `pool_mismatch`, a member differs; the detail names it and what differs.
    """
    check_mixing(list(message_types), allowed=allow_mixed)
    for each in members:
        found = misfit(
            each,
            account_id=members[0].account_id,
            message_types=message_types,
            opt_out_list=opt_out_list,
            allow_mixed=allow_mixed,
        )
        if found is not None:
            raise found


def misfit(
    member: Member,
    *,
    account_id: UUID,
    message_types: Collection[str],
    opt_out_list: str,
    allow_mixed: bool,
) -> Conflict | None:
    """Return the refusal of a sender that would not answer as the rest of a pool; None for one that fits."""
    if member.account_id != account_id:
        return _mismatch(member, "it is in another AWS account than the pool")
    if member.opt_out_list not in {None, opt_out_list}:
        return _mismatch(member, f"its opt-out list is {member.opt_out_list}, the pool's is {opt_out_list}")
    if member.message_types and message_types and member.message_types.isdisjoint(message_types):
        carried = ", ".join(sorted(member.message_types))
        return _mismatch(member, f"it carries {carried} messages, none of the pool's")
    if would_mix(member, message_types) and not (member.allow_mixed or allow_mixed):
        return _mismatch(
            member, "it would carry promotional and other messages; the operator has not let it mix them"
        )
    return None


def would_mix(member: Member, message_types: Collection[str]) -> bool:
    """Whether a member's messages would be of both kinds: by its own types, or by its other pools."""
    if member.message_types:
        return mixes(member.message_types | set(message_types))
    together = member.elsewhere | set(message_types)
    return bool(together & _PROMOTIONAL) and bool(together - _PROMOTIONAL)


def _mismatch(member: Member, why: str) -> Conflict:
    return Conflict(MISMATCH, f"the sender {member.value} does not fit the pool: {why}")
