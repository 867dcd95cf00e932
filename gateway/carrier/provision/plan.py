"""
The steps from what AWS has to what a tenant shall have. Pure: reading and applying are elsewhere.

The order is the order of dependence: numbers name the opt-out list, the pool takes over the settings of its
first number, and refuses others that differ from it, so numbers are brought into line before they join.
"""

from collections.abc import Iterator
from typing import Any

from gateway.carrier.provision.quotas import quota_findings
from gateway.carrier.provision.shapes import (
    DESTINATION,
    AwsCall,
    Desired,
    Kind,
    Plan,
    SeenNumber,
    SeenPool,
    Step,
    WantedSender,
    World,
)
from gateway.carrier.provision.wishes import sender_id_bar

_MANAGED_BY_CARRIER = "TOLL_FREE"


def plan(desired: Desired, world: World) -> Plan:
    """Return what to do; a world that is as desired gives steps that only keep."""
    refused: list[str] = []
    found = [(wanted, match(wanted, desired, world)) for wanted in desired.senders]
    steps = [_opt_out_list(desired, world)]
    for wanted, arn in found:
        steps += _sender(wanted, arn, desired, world, refused)
    members = _members(found, desired, world)
    if world.pool is not None:
        wanted_here = [wanted for wanted, arn in found if arn in world.pool.members]
        steps += _settings(world.pool.arn, world.pool, _together(wanted_here), desired, world, in_pool=True)
    steps += _configuration_set(desired, world)
    steps += _pool(desired, world, members)
    warnings, full = quota_findings(steps, world.quotas)
    return Plan(steps=tuple(steps), warnings=tuple(warnings), refusals=(*refused, *full))


def match(wanted: WantedSender, desired: Desired, world: World) -> str | None:
    """Return the ARN of what the account has of a wish, a leftover of the tenant's own included."""
    if wanted.type == "SENDER_ID":
        return next(
            (
                each.arn
                for each in world.sender_ids
                if wanted.arn == each.arn or (each.value, each.country) == (wanted.value, wanted.country)
            ),
            None,
        )
    for number in world.numbers:
        if number.arn == wanted.arn or (wanted.arn is None and _is_wish(number, wanted, desired)):
            return number.arn
    return None


def _is_wish(number: SeenNumber, wanted: WantedSender, desired: Desired) -> bool:
    if wanted.value is not None:
        return number.value == wanted.value
    return (
        number.arn not in desired.taken
        and number.opt_out_list == desired.name
        and (number.country, number.type, number.promotional)
        == (wanted.country, wanted.type, wanted.promotional)
    )


def _opt_out_list(desired: Desired, world: World) -> Step:
    if world.opt_out_list:
        return Step(action="keep", kind="opt_out_list", name=desired.name)
    return Step(action="create", kind="opt_out_list", name=desired.name, requests=1)


def _sender(
    wanted: WantedSender, arn: str | None, desired: Desired, world: World, refused: list[str]
) -> Iterator[Step]:
    kind: Kind = "sender_id" if wanted.type == "SENDER_ID" else "number"
    name = wanted.value or f"{wanted.type} in {wanted.country}"
    if arn is None and wanted.arn is not None:
        lost = f"AWS no longer has {name}: disable the sender, or swap in its standby"
        yield Step(action="missing", kind=kind, name=name, diff=(lost,))
        return
    if arn is None:
        if kind == "number" and wanted.value is not None:
            refused.append(
                f"the AWS account has no number {wanted.value}: leave `value` out to request one, or name a "
                "number that GET /v1/admin/numbers lists"
            )
        elif wanted.type == "SHORT_CODE":
            refused.append("AWS hands out short codes by support case: give the code as `value` to adopt it")
        elif kind == "sender_id" and (bar := sender_id_bar(wanted.country)) is not None:
            refused.append(f"the AWS account has no sender id {name} in {wanted.country}: {bar}")
        yield Step(action="create", kind=kind, name=name, monthly=wanted.monthly, requests=1)
        return
    number = next((each for each in world.numbers if each.arn == arn), None)
    shown = name if number is None else number.value
    diff = () if number is None or number.active else ("AWS has not activated it yet",)
    yield Step(action="adopt" if wanted.arn is None else "keep", kind=kind, name=shown, diff=diff)
    if number is not None and number.pool_id is not None and _is_elsewhere(number, wanted, desired, world):
        refused.append(
            f"{number.value} is in another AWS pool ({number.pool_id}): take it out there, or say "
            "`dedicated_pool` false"
        )
    if number is not None and number.active and number.pool_id is None and arn not in desired.shared:
        yield from _settings(arn, number, wanted, desired, world, in_pool=False)


def _is_elsewhere(number: SeenNumber, wanted: WantedSender, desired: Desired, world: World) -> bool:
    wants = desired.dedicated_pool and wanted.pooled and not wanted.promotional
    return wants and (world.pool is None or world.pool.id != number.pool_id)


def _settings(
    arn: str,
    seen: SeenNumber | SeenPool,
    wanted: WantedSender | None,
    desired: Desired,
    world: World,
    *,
    in_pool: bool,
) -> Iterator[Step]:
    """Two-way, opt-out list and keywords of a number, or of the pool that speaks for its numbers."""
    if wanted is None:
        return
    name = "pool" if isinstance(seen, SeenPool) else seen.value
    target = {"PoolId": arn} if in_pool else {"PhoneNumberId": arn}
    action = "update_pool" if in_pool else "update_phone_number"
    change: dict[str, Any] = {}
    diff: list[str] = []
    if seen.opt_out_list != desired.name:
        change["OptOutListName"] = desired.name
        diff.append(f"opt-out list {seen.opt_out_list} → {desired.name}")
    topic = desired.topic_arn if wanted.two_way else None
    is_, shall = (seen.two_way, seen.self_managed), (wanted.two_way, wanted.self_managed)
    if is_ != shall or (wanted.two_way and seen.topic_arn != topic):
        change |= {"TwoWayEnabled": wanted.two_way, "SelfManagedOptOutsEnabled": wanted.self_managed}
        if topic is not None:
            change["TwoWayChannelArn"] = topic
        diff.append(f"two-way, self-managed {_words(is_)} → {_words(shall)}")
        if wanted.two_way and seen.topic_arn != topic:
            diff.append(f"answers go to {seen.topic_arn or 'nowhere'} → {topic or 'the topic'}")
    if change:
        calls = (AwsCall(action=action, members=target | change),)
        yield Step(action="change", kind="two_way", name=name, diff=tuple(diff), calls=calls)
    if wanted.self_managed or wanted.type == _MANAGED_BY_CARRIER:
        return
    answers = world.keywords.get(arn, {})
    for keyword, text in desired.keywords.items():
        if answers.get(keyword) != text:
            members = {"OriginationIdentity": arn, "Keyword": keyword, "KeywordMessage": text}
            yield Step(
                action="change",
                kind="keyword",
                name=f"{keyword} of {name}",
                diff=(f"{answers.get(keyword, '')!r} → {text!r}",),
                calls=(AwsCall(action="put_keyword", members=members),),
            )


def _words(two: tuple[bool, bool]) -> str:
    return " and ".join("on" if each else "off" for each in two)


def _together(wanted: list[WantedSender]) -> WantedSender | None:
    """Return the settings of a pool: those of its numbers, the first one with two-way before the others."""
    numbers = [each for each in wanted if each.type != "SENDER_ID"]
    ranked = sorted(numbers or wanted, key=lambda each: (not each.two_way, each.type == _MANAGED_BY_CARRIER))
    return ranked[0] if ranked else None


def _configuration_set(desired: Desired, world: World) -> Iterator[Step]:
    seen = world.configuration_set
    if seen is None:
        yield Step(action="create", kind="configuration_set", name=desired.name, requests=1)
        yield Step(action="create", kind="event_destination", name=DESTINATION, requests=1)
        if desired.protect_id is not None:
            yield _protect(desired, None)
        return
    yield Step(action="keep", kind="configuration_set", name=desired.name)
    ours = next((each for each in seen.destinations if each.name == DESTINATION), None)
    if ours is None:
        yield Step(action="create", kind="event_destination", name=DESTINATION, requests=1)
    else:
        diff: list[str] = []
        if not ours.enabled:
            diff.append("disabled → enabled")
        if ours.event_types != ("ALL",):
            diff.append(f"events {', '.join(ours.event_types)} → ALL")
        if desired.topic_arn is not None and ours.topic_arn != desired.topic_arn:
            diff.append(f"topic {ours.topic_arn} → {desired.topic_arn}")
        members: dict[str, Any] = {
            "ConfigurationSetName": desired.name,
            "EventDestinationName": DESTINATION,
            "Enabled": True,
            "MatchingEventTypes": ["ALL"],
        }
        if desired.topic_arn is not None:
            members["SnsDestination"] = {"TopicArn": desired.topic_arn}
        yield Step(
            action="change" if diff else "keep",
            kind="event_destination",
            name=DESTINATION,
            diff=tuple(diff),
            calls=(AwsCall(action="update_event_destination", members=members),) if diff else (),
        )
    if desired.protect_id is not None:
        yield _protect(desired, seen.protect_id)


def _protect(desired: Desired, held: str | None) -> Step:
    wanted = desired.protect_id or ""
    if held == wanted:
        return Step(action="keep", kind="protect", name=wanted)
    members = {"ProtectConfigurationId": wanted, "ConfigurationSetName": desired.name}
    return Step(
        action="change",
        kind="protect",
        name=wanted,
        diff=(f"protect configuration {held or 'none'} → {wanted}",),
        calls=(AwsCall(action="associate_protect_configuration", members=members),),
    )


def _members(
    found: list[tuple[WantedSender, str | None]], desired: Desired, world: World
) -> list[tuple[str, str]]:
    """Return name and ARN of what belongs into the pool and is, or may soon be, fit for it."""
    if not desired.dedicated_pool:
        return []
    waiting = {each.arn for each in world.numbers if not each.active}
    return [
        (wanted.value or f"{wanted.type} in {wanted.country}", arn or "")
        for wanted, arn in found
        if wanted.pooled and not wanted.promotional and arn not in waiting and (arn or wanted.arn is None)
    ]


def _pool(desired: Desired, world: World, members: list[tuple[str, str]]) -> Iterator[Step]:
    pool = world.pool
    if pool is None:
        if desired.pool_arn is not None:
            gone = "AWS no longer has the pool; tear the tenant down and provision it again"
            yield Step(action="missing", kind="pool", name=desired.name, diff=(gone,))
        elif members:
            yield Step(action="create", kind="pool", name=desired.name, requests=1)
            for name, _ in members:
                yield Step(action="create", kind="pool_member", name=name, requests=1)
        return
    yield Step(action="keep", kind="pool", name=desired.name)
    for name, arn in members:
        held = arn in pool.members
        yield Step(
            action="keep" if held else "create", kind="pool_member", name=name, requests=0 if held else 1
        )
    known = {arn for _, arn in members} | desired.taken
    for arn in pool.members:
        if arn not in known and len(pool.members) > 1:
            members_ = {
                "PoolId": pool.id,
                "OriginationIdentity": arn,
                "IsoCountryCode": pool.countries[arn],
            }
            yield Step(
                action="delete",
                kind="pool_member",
                name=arn,
                diff=("it is in the tenant's pool at AWS, and no tenant's sender",),
                calls=(AwsCall(action="disassociate_origination_identity", members=members_),),
            )
