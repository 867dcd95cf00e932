"""One provisioning run of one tenant in one account: the steps, each safe to run again."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control_calls import Control, StepRefused, client_token
from gateway.carrier.provision.ports import Channel, MessageType, SenderType, SenderWish
from gateway.carrier.provision.read import all_of, leftover_pool, read_numbers
from gateway.carrier.provision.shapes import DESTINATION
from gateway.carrier.provision.want import DEFAULT_POOL, is_promotional, stored
from gateway.carrier.provision.wishes import needs_number, sender_id_bar
from gateway.db.transaction import worker_transaction
from tenants.accounts.models import Tenant
from tenants.scope import TenantScope
from tenants.senders import inventory
from tenants.senders import service as senders
from tenants.senders import store as sender_store
from tenants.senders.models import AwsAccount, Sender
from tenants.senders.service import PoolFacts, SenderFacts

_ACTIVE_TRIES = 20
_ACTIVE_PAUSE_S = 0.25
_MOST_POOLS = 100

UsualRate = Callable[[SenderType, str], float]
"""Message parts per second that AWS gives a sender of a type in a country."""


_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "mms", "voice")
_TRANSACTIONAL: Final[tuple[MessageType, ...]] = ("otp", "transactional")
_PROMOTIONAL: Final[tuple[MessageType, ...]] = ("promotional",)


_ONE_USE: Final = "at AWS a number is either promotional or not: wish for one of each"


class _Found(Struct, frozen=True, kw_only=True):
    arn: str
    value: str
    active: bool
    created: bool
    channels: tuple[Channel, ...] = ("sms",)
    carries: tuple[MessageType, ...] = ()
    """What AWS lets it carry; empty for all. A number has one of AWS's two types, a sender id both."""
    opt_out_list: str | None = None
    """The list that its recipients stop on; a sender id has none."""


class ProvisionRun:
    """One provisioning run of one tenant in one account, step by step."""

    def __init__(
        self,
        aws: Control,
        scope: TenantScope,
        *,
        tenant: Tenant,
        account: AwsAccount,
        engine: AsyncEngine,
        usual_rate: UsualRate,
        generation: int = 0,
    ) -> None:
        self._aws = aws
        self._usual_rate = usual_rate
        self._scope = scope
        self._tenant = tenant
        self._account = account
        self._engine = engine
        self._generation = () if generation == 0 else (str(generation),)
        self._name = f"tg-{tenant.slug}"
        self.created: list[str] = []
        self.adopted: list[str] = []
        self.waiting: list[str] = []

    async def opt_out_list(self) -> None:
        """Make the tenant's own list, the second line behind the gateway's."""
        if await self._aws.find("describe_opt_out_lists", OptOutListNames=[self._name]) is None:
            made = await self._aws.make(
                "create_opt_out_list", OptOutListName=self._name, ClientToken=self._token("opt-out-list")
            )
            self._note(made, "OptOutListArn")

    async def sender(self, wish: SenderWish) -> Sender:
        """Request or adopt one origination identity and store it."""
        known = await self._stored(wish)
        if known is not None and known.state == "active":
            self.adopted.append(known.arn)
            return known
        if known is not None and needs_number(wish.type):
            found = await self._adopt_number(known.value)
        else:
            found = await (self._number(wish) if needs_number(wish.type) else self._sender_id(wish))
        (self.created if found.created else self.adopted).append(found.arn)
        if not found.active:
            self.waiting.append(found.arn)
        facts = SenderFacts(
            account_id=self._account.id,
            type=wish.type,
            value=found.value,
            country=wish.country,
            arn=found.arn,
            parts_per_second=wish.parts_per_second or self._usual_rate(wish.type, wish.country),
            message_types=_carried(wish, found),
            channels=list(found.channels),
            opt_out_list=found.opt_out_list,
            state="active" if found.active else "pending",
        )
        async with worker_transaction(self._engine) as session:
            return await senders.put_sender(self._scope, session, facts)

    async def configuration_set(self, topic_arn: str) -> None:
        """Make the tenant's configuration set and point its events at the topic."""
        facts = await self._described_set()
        if facts is None:
            made = await self._aws.make(
                "create_configuration_set", ConfigurationSetName=self._name, ClientToken=self._token("set")
            )
            self._note(made, "ConfigurationSetArn")
            empty: dict[str, Any] = {"EventDestinations": []}
            facts = empty | (made or {})
        if DESTINATION not in {each["EventDestinationName"] for each in facts["EventDestinations"]}:
            await self._aws.make(
                "create_event_destination",
                ConfigurationSetName=self._name,
                EventDestinationName=DESTINATION,
                MatchingEventTypes=["ALL"],
                SnsDestination={"TopicArn": topic_arn},
                ClientToken=self._token("destination"),
            )
        async with worker_transaction(self._engine) as session:
            await senders.put_configuration_set(
                self._scope,
                session,
                account_id=self._account.id,
                name=self._name,
                arn=facts["ConfigurationSetArn"],
            )

    async def _described_set(self) -> dict[str, Any] | None:
        found = await self._aws.find("describe_configuration_sets", ConfigurationSetNames=[self._name])
        return None if found is None else found["ConfigurationSets"][0]

    async def pool(self, rows: list[Sender], *, dedicated: bool) -> None:
        """Make the gateway's pool of these senders, with an AWS pool of its own if wanted."""
        members = [row for row in rows if row.state == "active"]
        # An AWS pool has one message type; ours holds both and picks by the message.
        poolable = [row for row in members if not is_promotional(row.message_types)]
        aws_pool_arn = await self._aws_pool(poolable) if dedicated and poolable else None
        async with worker_transaction(self._engine) as session:
            existing = await sender_store.known_senders(self._scope, session)
            before = [row.sender_id for row in existing if row.pool_id is not None]
            ids = list(dict.fromkeys([*before, *(row.id for row in rows)]))
            others = await sender_store.pools(self._scope, session, limit=_MOST_POOLS)
            taken = {kind for pool in others if pool.name != DEFAULT_POOL for kind in pool.message_types}
            facts = PoolFacts(
                name=DEFAULT_POOL,
                account_id=self._account.id,
                message_types=[kind for kind in senders.MESSAGE_TYPES if kind not in taken],
                aws_pool_arn=aws_pool_arn,
                opt_out_list=self._name,
            )
            await senders.put_pool(self._scope, session, facts, sender_ids=ids)

    async def _aws_pool(self, members: list[Sender]) -> str:
        """A pool inherits its opt-out list from its first identity; a sender id has none to give."""
        members = sorted(members, key=lambda member: member.type == "SENDER_ID")
        first = members[0]
        existing = await self._stored_pool_arn() or await self._leftover_pool()
        if existing is None:
            made = await self._aws.make(
                "create_pool",
                OriginationIdentity=first.arn,
                IsoCountryCode=first.country,
                MessageType="TRANSACTIONAL",
                ClientToken=self._token("pool", first.arn),
            )
            if made is None:
                raise StepRefused(f"{first.value} is in another AWS pool already; release it there first")
            self._note(made, "PoolArn")
            existing = str(made["PoolArn"])
            if first.type == "SENDER_ID":
                await self._aws.call("update_pool", PoolId=existing, OptOutListName=self._name)
        for member in members:
            await self._aws.make(
                "associate_origination_identity",
                PoolId=existing,
                OriginationIdentity=member.arn,
                IsoCountryCode=member.country,
                ClientToken=self._token("member", existing, member.arn),
            )
        return existing

    async def _stored(self, wish: SenderWish) -> Sender | None:
        """The tenant's sender of this wish, from an earlier run."""
        async with worker_transaction(self._engine) as session:
            rows = await sender_store.senders(self._scope, session, limit=1000)
        return stored(
            wish, [row for row in rows if row.account_id == self._account.id and row.state != "released"]
        )

    async def _stored_pool_arn(self) -> str | None:
        async with worker_transaction(self._engine) as session:
            rows = await sender_store.pools(self._scope, session, limit=100)
        return next((row.aws_pool_arn for row in rows if row.name == DEFAULT_POOL), None)

    async def _leftover_pool(self) -> str | None:
        """Return the ARN of a pool that a run made which died before it was written down."""
        pool_id = leftover_pool(self._name, await read_numbers(self._aws))
        if pool_id is None:
            return None
        found = await self._aws.call("describe_pools", PoolIds=[pool_id])
        self.adopted.append(found["Pools"][0]["PoolArn"])
        return str(found["Pools"][0]["PoolArn"])

    async def refuse_barred(self, wishes: Sequence[SenderWish]) -> None:
        """
        Look for the sender ids that AWS does not make for the asking, before anything else is made.

        Raises:
            StepRefused: The account has not got one of them.
        """
        for wish in wishes:
            bar = None if needs_number(wish.type) else sender_id_bar(wish.country)
            if bar is None or await self._stored(wish) is not None:
                continue
            if await self._held_sender_id(wish) is None:
                raise StepRefused(f"the AWS account has no sender id {wish.value} in {wish.country}: {bar}")

    async def _sender_id(self, wish: SenderWish) -> _Found:
        value = wish.value or ""
        if sender_id_bar(wish.country) is not None and (held := await self._held_sender_id(wish)) is not None:
            return held
        made = await self._aws.make(
            "request_sender_id",
            SenderId=value,
            IsoCountryCode=wish.country,
            MessageTypes=["TRANSACTIONAL", "PROMOTIONAL"],
            ClientToken=self._token("sender-id", wish.country, value),
        )
        if made is not None:
            return _Found(arn=made["SenderIdArn"], value=value, active=True, created=True)
        held = await self._held_sender_id(wish)
        if held is None:
            raise StepRefused(f"AWS answered that the sender id {value} exists and does not describe it")
        return held

    async def _held_sender_id(self, wish: SenderWish) -> _Found | None:
        value = wish.value or ""
        named = [{"SenderId": value, "IsoCountryCode": wish.country}]
        described = await self._aws.find("describe_sender_ids", SenderIds=named)
        if described is None:
            return None
        return _Found(arn=described["SenderIds"][0]["SenderIdArn"], value=value, active=True, created=False)

    async def _number(self, wish: SenderWish) -> _Found:
        if wish.value is not None:
            return await self._adopt_number(wish.value)
        if wish.type == "SHORT_CODE":
            raise StepRefused(
                "AWS hands out short codes by support case only; give the code as `value` to adopt it"
            )
        promotional = is_promotional(wish.message_types)
        if not promotional and "promotional" in wish.message_types:
            raise StepRefused(_ONE_USE)
        leftover = await self._leftover_number(wish, promotional=promotional)
        if leftover is not None:
            return await self._adopt_number(leftover)
        made = await self._aws.make(
            "request_phone_number",
            IsoCountryCode=wish.country,
            MessageType="PROMOTIONAL" if promotional else "TRANSACTIONAL",
            NumberCapabilities=[channel.upper() for channel in wish.channels],
            NumberType=wish.type,
            OptOutListName=self._name,
            ClientToken=self._token(
                "number",
                wish.country,
                wish.type,
                *(["promotional"] if promotional else []),
                *(channel for channel in wish.channels if channel != "sms"),
            ),
        )
        if made is None:
            raise StepRefused("AWS answered that the number exists but did not say which")
        active = await self._activated(made["PhoneNumberId"])
        return _Found(
            arn=made["PhoneNumberArn"],
            value=made["PhoneNumber"],
            active=active,
            created=True,
            channels=wish.channels,
            carries=_PROMOTIONAL if promotional else _TRANSACTIONAL,
            opt_out_list=self._name,
        )

    async def _leftover_number(self, wish: SenderWish, *, promotional: bool) -> str | None:
        """
        Return a number on the tenant's list that is nobody's: a run died between request and commit.

        The ClientToken says so, too, but nowhere is written for how long AWS remembers it.
        """
        async with worker_transaction(self._engine) as session:
            taken = await inventory.owners(session, self._account.id)
        ours = [{"Name": "opt-out-list-name", "Values": [self._name]}]
        kind = (wish.country, wish.type, "PROMOTIONAL" if promotional else "TRANSACTIONAL")
        for each in await all_of(self._aws, "describe_phone_numbers", "PhoneNumbers", Filters=ours):
            alike = (each["IsoCountryCode"], each["NumberType"], each["MessageType"]) == kind
            able = {channel.upper() for channel in wish.channels} <= set(each["NumberCapabilities"])
            if alike and able and each["PhoneNumberArn"] not in taken:
                return str(each["PhoneNumber"])
        return None

    async def _adopt_number(self, value: str) -> _Found:
        token: dict[str, str] = {}
        while True:
            page = await self._aws.call("describe_phone_numbers", **token)
            for number in page["PhoneNumbers"]:
                if number["PhoneNumber"] == value:
                    active = number["Status"] == "ACTIVE"
                    return _Found(
                        arn=number["PhoneNumberArn"],
                        value=value,
                        active=active,
                        created=False,
                        channels=_channels(number["NumberCapabilities"]),
                        carries=_PROMOTIONAL if number["MessageType"] == "PROMOTIONAL" else _TRANSACTIONAL,
                        opt_out_list=number["OptOutListName"],
                    )
            if "NextToken" not in page:
                raise StepRefused(f"the AWS account has no number {value}")
            token = {"NextToken": page["NextToken"]}

    async def _activated(self, phone_number_id: str) -> bool:
        """Wait a moment for ACTIVE; registered kinds stay PENDING for days and are `waiting` then."""
        for _ in range(_ACTIVE_TRIES):
            page = await self._aws.call("describe_phone_numbers", PhoneNumberIds=[phone_number_id])
            if page["PhoneNumbers"][0]["Status"] == "ACTIVE":
                return True
            await asyncio.sleep(_ACTIVE_PAUSE_S)
        return False

    def _note(self, made: dict[str, Any] | None, member: str) -> None:
        if made is not None:
            self.created.append(str(made[member]))

    def _token(self, kind: str, *parts: str) -> str:
        return client_token(self._tenant.id, kind, self._account.name, *parts, *self._generation)


def _channels(capabilities: Sequence[str]) -> tuple[Channel, ...]:
    """Return what AWS says a number can do; RCS is none of the gateway's channels."""
    return tuple(channel for channel in _CHANNELS if channel.upper() in capabilities)


def _carried(wish: SenderWish, found: _Found) -> list[str]:
    """
    Return what the sender may carry: what was wished, as far as AWS lets it.

    Raises:
        StepRefused: The two have nothing, or not everything, in common.
    """
    if not found.carries:
        return list(wish.message_types)
    if not set(wish.message_types) <= set(found.carries):
        raise StepRefused(f"{found.value} carries {' and '.join(found.carries)} messages only; {_ONE_USE}")
    return list(wish.message_types or found.carries)
