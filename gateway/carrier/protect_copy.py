"""One protect configuration in one AWS account: made, compared, mended; each step safe to repeat."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from gateway.carrier.control_calls import Control, client_token
from gateway.carrier.protect_wish import (
    CAPABILITIES,
    Capability,
    NumberRule,
    Wanted,
    number_changes,
    rule_changes,
)

_NUMBERS_PER_LOOK: Final = 300
"""Overrides written in one look: at AWS's one request a second, five minutes' work."""


class ProtectCopy:
    """AWS's copy of one configuration."""

    def __init__(self, aws: Control, aws_id: str) -> None:
        self._aws = aws
        self._id = aws_id
        self.complete = True
        """Whether the last `bring_up_to_date` left nothing for the next."""

    @staticmethod
    async def make(aws: Control, wanted: Wanted, account: str, *, lost_at: datetime | None) -> str:
        """
        Create a copy and return AWS's id; a second run of the same step makes nothing twice.

        Args:
            lost_at: When the copy before this one was found gone; None for the first.
        """
        again = "" if lost_at is None else lost_at.isoformat()
        made = await aws.call(
            "create_protect_configuration",
            Tags=[{"Key": "Name", "Value": wanted.name}],
            ClientToken=client_token(wanted.id, "protect", account, again),
        )
        return str(made["ProtectConfigurationId"])

    async def bring_up_to_date(self, wanted: Wanted, now: datetime) -> list[str]:
        """Write every difference and return them in words, for whoever did not expect any."""
        found: list[str] = []
        for capability in CAPABILITIES:
            found += await self._rules(wanted, capability)
        return found + await self._numbers(wanted, now)

    async def _rules(self, wanted: Wanted, capability: Capability) -> list[str]:
        answer = await self._aws.call(
            "get_protect_configuration_country_rule_set",
            ProtectConfigurationId=self._id,
            NumberCapability=capability,
        )
        held = {country: rule["ProtectStatus"] for country, rule in answer["CountryRuleSet"].items()}
        changes = rule_changes(wanted, capability, held)
        if changes:
            await self._aws.call(
                "update_protect_configuration_country_rule_set",
                ProtectConfigurationId=self._id,
                NumberCapability=capability,
                CountryRuleSetUpdates={country: {"ProtectStatus": rule} for country, rule in changes.items()},
            )
        return [
            f"{capability} {country}: {held[country]} at AWS, {rule} wanted"
            for country, rule in sorted(changes.items())
        ]

    async def _numbers(self, wanted: Wanted, now: datetime) -> list[str]:
        held = {number: rule async for number, rule in self._held()}
        changes = number_changes(wanted, held, now)
        puts = list(changes.put.items())[:_NUMBERS_PER_LOOK]
        for number, rule in puts:
            until = {} if rule.expires_at is None else {"ExpirationTimestamp": rule.expires_at}
            await self._aws.call(
                "put_protect_configuration_rule_set_number_override",
                ProtectConfigurationId=self._id,
                DestinationPhoneNumber=number,
                Action=rule.action.removeprefix("ALWAYS_"),
                **until,
            )
        deletes = changes.delete[:_NUMBERS_PER_LOOK]
        for number in deletes:
            await self._aws.find(
                "delete_protect_configuration_rule_set_number_override",
                ProtectConfigurationId=self._id,
                DestinationPhoneNumber=number,
            )
        self.complete = len(puts) == len(changes.put) and len(deletes) == len(changes.delete)
        counts = (("missing or other", changes.put), ("not wanted", changes.delete))
        return [f"{len(numbers)} number overrides {what} at AWS" for what, numbers in counts if numbers]

    async def _held(self) -> AsyncIterator[tuple[str, NumberRule]]:
        more: dict[str, Any] = {}
        while True:
            page = await self._aws.call(
                "list_protect_configuration_rule_set_number_overrides",
                ProtectConfigurationId=self._id,
                **more,
            )
            for each in page.get("RuleSetNumberOverrides", []):
                rule = NumberRule(action=each["Action"], expires_at=each.get("ExpirationTimestamp"))
                yield each["DestinationPhoneNumber"], rule
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}
