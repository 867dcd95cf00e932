"""
Numbers that the operator leases for no tenant yet: request, protect, release.

What is requested carries its reference as a tag, so a second request under it finds the first one's number
whether AWS still knows the ClientToken or not.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control_calls import Control, StepRefused, client_token
from gateway.carrier.provision.read import all_of
from gateway.carrier.provision.spare_ports import SpareNumber, SpareWish
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from tenants.senders import inventory
from tenants.senders.models import AwsAccount

TAG: Final = "tollgate-spare"
_NOBODY: Final = UUID(int=0)
_KEPT: Final = "released"


class SpareNumbers:
    """Works on one account while it is this run's turn there."""

    def __init__(self, aws: Control, engine: AsyncEngine, account: AwsAccount) -> None:
        self._aws = aws
        self._engine = engine
        self._account = account

    async def request(self, wish: SpareWish) -> SpareNumber:
        """
        Lease a number, or find the one that was leased under the reference.

        Raises:
            StepRefused: AWS does not sell it, or a quota is full.
        """
        known = await self._tagged(wish)
        if known is not None:
            return known
        named = {} if wish.registration_id is None else {"RegistrationId": wish.registration_id}
        made = await self._aws.make(
            "request_phone_number",
            IsoCountryCode=wish.country,
            MessageType="PROMOTIONAL" if wish.promotional else "TRANSACTIONAL",
            NumberCapabilities=[channel.upper() for channel in wish.channels],
            NumberType=wish.type,
            DeletionProtectionEnabled=wish.protected,
            ClientToken=client_token(_NOBODY, "spare-number", self._account.name, wish.reference),
            Tags=[{"Key": TAG, "Value": wish.reference}],
            **named,
        )
        if made is None:
            raise StepRefused("AWS answered that the number exists but did not say which")
        return _shown(made, created=True)

    async def protect(self, number_id: str, *, protected: bool) -> SpareNumber | None:
        """Let AWS refuse to release a number, or no longer; None where there is no such number."""
        if await self._described(number_id) is None:
            return None
        members = {"PhoneNumberId": number_id, "DeletionProtectionEnabled": protected}
        changed = await self._aws.call("update_phone_number", **members)
        return _shown(changed)

    async def release(self, number_id: str) -> SpareNumber | None:
        """
        Give a number back to AWS for good; None where there is no such number.

        Raises:
            StepRefused: A tenant has it, it is protected, or it is in a pool.
        """
        shown = await self._described(number_id)
        if shown is None:
            return None
        async with worker_transaction(self._engine) as session:
            owners = (await inventory.owners(session, self._account.id)).get(shown["PhoneNumberArn"], ())
        named = ", ".join(sorted({each.tenant_name for each in owners if each.state != _KEPT}))
        if named:
            raise StepRefused(f"{shown['PhoneNumber']} is a sender of {named}; tear it down there first")
        if shown["DeletionProtectionEnabled"]:
            raise StepRefused(f"{shown['PhoneNumber']} is protected: PUT …/protection with false first")
        if shown.get("PoolId"):
            raise StepRefused(
                f"{shown['PhoneNumber']} is in the AWS pool {shown['PoolId']}; take it out first"
            )
        await self._aws.call("release_phone_number", PhoneNumberId=number_id)
        await fp(FaultPoint.TEARDOWN_GONE)
        return _shown(shown)

    async def _tagged(self, wish: SpareWish) -> SpareNumber | None:
        wanted = [{"Name": "number-type", "Values": [wish.type]}]
        for each in await all_of(self._aws, "describe_phone_numbers", "PhoneNumbers", Filters=wanted):
            tags = await self._aws.call("list_tags_for_resource", ResourceArn=each["PhoneNumberArn"])
            if {"Key": TAG, "Value": wish.reference} in tags.get("Tags", []):
                if each["IsoCountryCode"] != wish.country:
                    raise StepRefused(f"{each['PhoneNumber']} was leased under this reference; take another")
                return _shown(each)
        return None

    async def _described(self, number_id: str) -> Mapping[str, Any] | None:
        found = await self._aws.find("describe_phone_numbers", PhoneNumberIds=[number_id])
        return None if found is None else found["PhoneNumbers"][0]


def _shown(each: Mapping[str, Any], *, created: bool = False) -> SpareNumber:
    return SpareNumber(
        number_id=each["PhoneNumberId"],
        arn=each["PhoneNumberArn"],
        value=each["PhoneNumber"],
        status=each["Status"].lower(),
        monthly_usd=each["MonthlyLeasingPrice"],
        protected=each["DeletionProtectionEnabled"],
        created=created,
    )
