"""What an account has, as AWS describes it; reads only."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from msgspec import structs

from gateway.carrier.provision.plan import match
from gateway.carrier.provision.shapes import (
    Desired,
    Quota,
    SeenDestination,
    SeenNumber,
    SeenPool,
    SeenSenderId,
    SeenSet,
    World,
)

_PROTECT_QUOTA: Final = 25
"""AWS's default; DescribeAccountLimits does not tell it."""
_WATCHED: Final = frozenset({"PHONE_NUMBERS", "POOLS", "CONFIGURATION_SETS", "OPT_OUT_LISTS", "SENDER_IDS"})


class Reading(Protocol):
    """Paced calls that describe."""

    async def call(self, action: str, **members: Any) -> dict[str, Any]:
        """Call an action at its turn."""
        ...

    async def find(self, action: str, **members: Any) -> dict[str, Any] | None:
        """Call an action that describes; None where AWS has no such thing."""
        ...


async def read_world(aws: Reading, desired: Desired) -> World:
    """Return what matters to a tenant; a handful of requests and one per owner of keywords."""
    numbers = await read_numbers(aws)
    world = World(
        numbers=numbers,
        sender_ids=await read_sender_ids(aws),
        opt_out_list=await _has_list(aws, desired.name),
        configuration_set=await _set(aws, desired.name),
        pool=await _pool(aws, desired, numbers),
        quotas=await _quotas(aws),
    )
    return structs.replace(world, keywords=await _keywords(aws, desired, world))


async def read_numbers(aws: Reading) -> tuple[SeenNumber, ...]:
    """Return every number that the account leases."""
    return tuple(
        SeenNumber(
            arn=each["PhoneNumberArn"],
            value=each["PhoneNumber"],
            country=each["IsoCountryCode"],
            type=each["NumberType"],
            promotional=each["MessageType"] == "PROMOTIONAL",
            active=each["Status"] not in {"PENDING", "DISASSOCIATING", "DELETED"},
            opt_out_list=each["OptOutListName"],
            two_way=each["TwoWayEnabled"],
            topic_arn=each.get("TwoWayChannelArn"),
            self_managed=each["SelfManagedOptOutsEnabled"],
            pool_id=each.get("PoolId"),
            protected=each["DeletionProtectionEnabled"],
            monthly_usd=each["MonthlyLeasingPrice"],
        )
        for each in await all_of(aws, "describe_phone_numbers", "PhoneNumbers")
        if each["Status"] != "DELETED"
    )


async def read_sender_ids(aws: Reading) -> tuple[SeenSenderId, ...]:
    """Return every sender id that the account holds."""
    return tuple(
        SeenSenderId(
            arn=each["SenderIdArn"],
            value=each["SenderId"],
            country=each["IsoCountryCode"],
            protected=each["DeletionProtectionEnabled"],
            monthly_usd=each["MonthlyLeasingPrice"],
        )
        for each in await all_of(aws, "describe_sender_ids", "SenderIds")
    )


async def all_of(aws: Reading, action: str, member: str, **members: Any) -> list[Mapping[str, Any]]:
    """Return a list over all of its pages."""
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = await aws.call(action, **members, **more)
        found += page[member]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


async def _has_list(aws: Reading, name: str) -> bool:
    return await aws.find("describe_opt_out_lists", OptOutListNames=[name]) is not None


async def _set(aws: Reading, name: str) -> SeenSet | None:
    found = await aws.find("describe_configuration_sets", ConfigurationSetNames=[name])
    if found is None:
        return None
    shown = found["ConfigurationSets"][0]
    return SeenSet(
        arn=shown["ConfigurationSetArn"],
        destinations=tuple(
            SeenDestination(
                name=each["EventDestinationName"],
                enabled=each["Enabled"],
                event_types=tuple(each["MatchingEventTypes"]),
                topic_arn=each.get("SnsDestination", {}).get("TopicArn"),
            )
            for each in shown["EventDestinations"]
        ),
        protect_id=shown.get("ProtectConfigurationId"),
    )


async def _pool(aws: Reading, desired: Desired, numbers: tuple[SeenNumber, ...]) -> SeenPool | None:
    wanted = desired.pool_arn or leftover_pool(desired.name, numbers)
    found = None if wanted is None else await aws.find("describe_pools", PoolIds=[wanted])
    if found is None:
        return None
    shown = found["Pools"][0]
    members = await all_of(
        aws, "list_pool_origination_identities", "OriginationIdentities", PoolId=shown["PoolId"]
    )
    return SeenPool(
        id=shown["PoolId"],
        arn=shown["PoolArn"],
        members=tuple(each["OriginationIdentityArn"] for each in members),
        countries={each["OriginationIdentityArn"]: each["IsoCountryCode"] for each in members},
        opt_out_list=shown["OptOutListName"],
        two_way=shown["TwoWayEnabled"],
        topic_arn=shown.get("TwoWayChannelArn"),
        self_managed=shown["SelfManagedOptOutsEnabled"],
        protected=shown["DeletionProtectionEnabled"],
    )


def leftover_pool(name: str, numbers: tuple[SeenNumber, ...]) -> str | None:
    """Return the pool that an earlier run made of the tenant's numbers and did not live to write down."""
    return next((each.pool_id for each in numbers if each.pool_id and each.opt_out_list == name), None)


async def _keywords(aws: Reading, desired: Desired, world: World) -> dict[str, dict[str, str]]:
    if not desired.keywords:
        return {}
    ours = {match(wanted, desired, world) for wanted in desired.senders}
    asked = [each.arn for each in world.numbers if each.arn in ours and each.active and each.pool_id is None]
    if world.pool is not None:
        asked.append(world.pool.arn)
    found: dict[str, dict[str, str]] = {}
    for arn in asked:
        shown = await all_of(aws, "describe_keywords", "Keywords", OriginationIdentity=arn)
        found[arn] = {each["Keyword"]: each["KeywordMessage"] for each in shown}
    return found


async def _quotas(aws: Reading) -> dict[str, Quota]:
    limits = await all_of(aws, "describe_account_limits", "AccountLimits")
    held = await all_of(aws, "describe_protect_configurations", "ProtectConfigurations")
    found = {
        each["Name"]: Quota(used=each["Used"], most=each["Max"])
        for each in limits
        if each["Name"] in _WATCHED
    }
    return found | {"PROTECT_CONFIGURATIONS": Quota(used=len(held), most=_PROTECT_QUOTA)}
