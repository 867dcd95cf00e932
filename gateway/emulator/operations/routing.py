"""
Who carries a send: the named identity, the best member of a pool, or the best of the account.

A named number or sender id is taken as it is. A pool or an unnamed origination chooses by country, capability
and type; among equals the same recipient always gets the same sender.
"""

import hashlib

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import countries
from gateway.emulator.errors import AwsError, conflict, validation
from gateway.emulator.operations.draft import Draft
from gateway.emulator.operations.lookups import settle
from gateway.emulator.operations.membership import Member, members_of
from gateway.emulator.state.records import PhoneNumber, Pool, SenderId

TOLL_FREE_REACH = frozenset({"US", "CA", "PR"})
US_REACH = frozenset({"US", "PR"})

PREFERENCE = {"SHORT_CODE": 0, "TEN_DLC": 1, "TOLL_FREE": 1, "LONG_CODE": 1, "SIMULATOR": 3}
"""Order in which a pool's numbers are tried; sender ids come at 2."""


def choose_sender(call: Call, draft: Draft) -> None:
    """Set the draft's sender, or raise why there is none."""
    if isinstance(draft.identity, Pool):
        draft.pool = draft.identity
        _choose_from_pool(call, draft, draft.identity)
    elif draft.identity is not None:
        _check_named(draft, draft.identity)
        draft.sender = draft.identity
    else:
        _choose_from_account(call, draft)


def _choose_from_pool(call: Call, draft: Draft, pool: Pool) -> None:
    if pool.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "pool", pool.id)
    if pool.message_type != draft.message_type:
        raise conflict("MESSAGE_TYPE_MISMATCH", "pool", pool.id)
    draft.sender = _best(call, draft, members_of(call, pool))
    if draft.sender is None and (not pool.shared_routes or draft.country == "US"):
        raise conflict("NO_ORIGINATION_IDENTITIES_FOUND", "pool", pool.id)


def _choose_from_account(call: Call, draft: Draft) -> None:
    numbers: list[Member] = [*call.store.all(PhoneNumber)]
    draft.sender = _best(call, draft, numbers) or _default_sender_id(call, draft)
    draft.sender = draft.sender or _best(call, draft, [*call.store.all(SenderId)])
    if isinstance(draft.sender, PhoneNumber) and draft.sender.pool_id is not None:
        draft.pool = call.store.find(Pool, draft.sender.pool_id)
    if draft.sender is None and (draft.channel != "TEXT" or countries()[draft.country].sender_id == "no"):
        raise conflict("NO_ORIGINATION_IDENTITIES_FOUND", "account", call.store.account)


def _default_sender_id(call: Call, draft: Draft) -> SenderId | None:
    name = draft.configuration_set.default_sender_id if draft.configuration_set else None
    if name is None or draft.channel != "TEXT" or countries()[draft.country].sender_id == "no":
        return None
    known = call.store.find(SenderId, f"{name.upper()}/{draft.country}")
    return known or SenderId(
        scope=call.store.scope,
        sender_id=name,
        country=draft.country,
        message_types=[draft.message_type],
        monthly_price="0.00",
        created_s=call.now_s,
    )


def _best(call: Call, draft: Draft, members: list[Member]) -> Member | None:
    fit = [(rank, member) for member in members if (rank := _rank(call, draft, member)) is not None]
    if not fit:
        return None
    best = min(rank for rank, _ in fit)
    equals = [member for rank, member in fit if rank == best]
    if len(equals) == 1:
        return equals[0]
    spread = hashlib.blake2b(draft.destination.encode(), digest_size=4).digest()
    return equals[int.from_bytes(spread) % len(equals)]


def _rank(call: Call, draft: Draft, member: Member) -> tuple[int, int] | None:
    """Return how well a member fits, smaller is better, or None if it does not."""
    if isinstance(member, SenderId):
        fits = (
            draft.channel == "TEXT"
            and member.country == draft.country
            and draft.message_type in member.message_types
        )
        return (0, 2) if fits else None
    settle(call, member)
    if member.status != "ACTIVE" or draft.capability not in member.capabilities:
        return None
    if draft.channel == "TEXT" and member.message_type != draft.message_type:
        return None
    if not _reaches(member, draft.country):
        return None
    return (0 if member.country == draft.country else 1, PREFERENCE[member.number_type])


def _check_named(draft: Draft, named: Member) -> None:
    if isinstance(named, SenderId):
        _check_sender_id(draft, named)
        return
    if named.status != "ACTIVE":
        raise conflict("RESOURCE_NOT_ACTIVE", "phone-number", named.id)
    if draft.capability not in named.capabilities:
        raise _lacks_capability(draft, named)
    if draft.channel == "TEXT" and named.message_type != draft.message_type:
        raise conflict("MESSAGE_TYPE_MISMATCH", "phone-number", named.id)
    if not _reaches(named, draft.country):
        raise validation(
            "INTERNATIONAL_SENDING_NOT_SUPPORTED",
            f"The number does not send to {draft.country}",
            "OriginationIdentity",
        )


def _check_sender_id(draft: Draft, named: SenderId) -> None:
    if countries()[draft.country].sender_id == "no":
        raise validation(
            "SENDER_ID_NOT_SUPPORTED", f"{draft.country} has no sender IDs", "OriginationIdentity"
        )
    if named.country != draft.country:
        raise validation(
            "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
            f"The sender ID is of {named.country}, the destination of {draft.country}",
            "OriginationIdentity",
        )
    if draft.message_type not in named.message_types:
        raise conflict("MESSAGE_TYPE_MISMATCH", "sender-id", named.sender_id)


def _lacks_capability(draft: Draft, named: PhoneNumber) -> AwsError:
    if draft.channel == "VOICE":
        return validation(
            "VOICE_CAPABILITY_NOT_AVAILABLE", "The number has no voice capability", "OriginationIdentity"
        )
    return conflict("NUMBER_CAPABILITIES_MISMATCH", "phone-number", named.id)


def _reaches(number: PhoneNumber, country: str) -> bool:
    if number.country == country or number.international:
        return True
    if number.number_type == "TOLL_FREE":
        return country in TOLL_FREE_REACH
    return number.country == "US" and country in US_REACH
