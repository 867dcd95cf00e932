"""
The steps that take away what a tenant has at AWS, in the order in which AWS allows it. Pure.

The pool is emptied and deleted, then events and configuration set, then, if asked for, numbers and sender ids
are given back, and last the opt-out list, which holds who said STOP. What stays is named, with why.
"""

from collections.abc import Iterator
from typing import Any

from gateway.carrier.provision.plan import match
from gateway.carrier.provision.shapes import AwsCall, Desired, Plan, SeenPool, Step, WantedSender, World

_OF_A_CASE = "SHORT_CODE"


def teardown(desired: Desired, world: World, *, release_numbers: bool, delete_opt_out_list: bool) -> Plan:
    """Return what to take away; a refusal names what AWS, or the safety of opt-outs, forbids."""
    refused: list[str] = []
    steps: list[Step] = []
    if world.pool is not None:
        steps += _pool(desired, world.pool, refused)
    steps += _configuration_set(desired, world)
    kept: set[str] = set()
    for wanted in desired.senders:
        arn = match(wanted, desired, world)
        if arn is not None:
            step = _sender(wanted, arn, desired, world, refused, release=release_numbers)
            kept |= set() if step.action == "delete" else {arn}
            steps.append(step)
    steps += _opt_out_list(desired, world, kept, refused, delete=delete_opt_out_list)
    return Plan(steps=tuple(steps), refusals=tuple(refused))


def _pool(desired: Desired, pool: SeenPool, refused: list[str]) -> Iterator[Step]:
    if pool.protected:
        refused.append(f"pool {pool.id} is protected against deletion: lift that at AWS (UpdatePool) first")
    for arn in pool.members[:-1]:
        members = {"PoolId": pool.id, "OriginationIdentity": arn, "IsoCountryCode": pool.countries[arn]}
        yield _delete("pool_member", arn, "disassociate_origination_identity", members)
    yield _delete("pool", desired.name, "delete_pool", {"PoolId": pool.id})


def _configuration_set(desired: Desired, world: World) -> Iterator[Step]:
    seen = world.configuration_set
    if seen is None:
        return
    named = {"ConfigurationSetName": desired.name}
    for each in seen.destinations:
        members = named | {"EventDestinationName": each.name}
        yield _delete("event_destination", each.name, "delete_event_destination", members)
    yield _delete("configuration_set", desired.name, "delete_configuration_set", named)


def _sender(
    wanted: WantedSender, arn: str, desired: Desired, world: World, refused: list[str], *, release: bool
) -> Step:
    kind, seen = _seen(arn, world)
    name = str(seen.value)
    if not release:
        stays = f"stays leased at {seen.monthly_usd} USD a month; say `release_numbers` to give it back"
        return Step(action="keep", kind=kind, name=name, diff=(stays,))
    if arn in desired.shared:
        return Step(action="keep", kind=kind, name=name, diff=("another tenant sends from it, too",))
    if wanted.type == _OF_A_CASE:
        return Step(action="keep", kind=kind, name=name, diff=("AWS takes short codes back by support case",))
    if seen.protected:
        refused.append(
            f"{name} is protected against deletion: lift that first, or leave `release_numbers` out"
        )
    if kind == "sender_id":
        members = {"SenderId": wanted.value, "IsoCountryCode": wanted.country}
        return _delete(kind, name, "release_sender_id", members)
    lost = "AWS does not give the same number again"
    return _delete(kind, name, "release_phone_number", {"PhoneNumberId": arn}, lost)


def _seen(arn: str, world: World) -> tuple[Any, Any]:
    number = next((each for each in world.numbers if each.arn == arn), None)
    if number is not None:
        return "number", number
    return "sender_id", next(each for each in world.sender_ids if each.arn == arn)


def _opt_out_list(
    desired: Desired, world: World, kept: set[str], refused: list[str], *, delete: bool
) -> Iterator[Step]:
    if not world.opt_out_list:
        return
    if not delete:
        holds = "it holds who opted out at AWS; say `delete_opt_out_list` to lose that"
        yield Step(action="keep", kind="opt_out_list", name=desired.name, diff=(holds,))
        return
    users = [
        each.value
        for each in world.numbers
        if each.opt_out_list == desired.name and _stays(each.arn, kept, desired)
    ]
    if users:
        refused.append(f"{', '.join(users)} still stop recipients on {desired.name}: release them, too")
    yield _delete("opt_out_list", desired.name, "delete_opt_out_list", {"OptOutListName": desired.name})


def _stays(arn: str, kept: set[str], desired: Desired) -> bool:
    return arn in kept or all(each.arn != arn for each in desired.senders)


def _delete(kind: Any, name: str, action: str, members: dict[str, Any], *diff: str) -> Step:
    call = AwsCall(action=action, members=members)
    return Step(action="delete", kind=kind, name=name, diff=diff, calls=(call,))
