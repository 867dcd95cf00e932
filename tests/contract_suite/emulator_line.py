"""The AWS carrier on the emulator, over real HTTP: lean, and through aioboto3."""

import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from gateway.carrier.aws import READ_S
from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.ports import OutboundText
from gateway.carrier.session import open_session
from gateway.receipts.event import Receipt, parse
from gateway.settings import Way
from tests.contract_suite.lines import Situation, Trial, a_text
from tests.contract_suite.wiretap import Wiretap, tapped
from tests.emulator.conftest import REGION, Aws, Sink

FAULTS = {
    "throttled": {"throttle_rate": 1.0},
    "error_before": {"error_rate": 1.0},
    "error_after": {"accept_then_error_rate": 1.0},
    "unavailable": {"unavailable_rate": 1.0},
    "dropped_before": {"drop_before_accept_rate": 1.0},
    "dropped_after": {"drop_after_accept_rate": 1.0},
    "slow": {"latency_ms": 700},
}
"""Situations that are faults of the emulator."""
PATIENCE_S = 0.2
"""How long the client waits for an answer where the emulator is slow; ten seconds otherwise."""
GERMAN_HANDSET, US_HANDSET = "+491751234567", "+12065550199"


class EmulatorLine:
    """Arranges situations with the API and the faults of the emulator."""

    SITUATIONS = (
        "accepting",
        "receipts",
        "opted_out",
        "no_originator",
        "protect_blocked",
        "price_over_max",
        "unreachable",
        "reset",
        *FAULTS,
    )

    def __init__(self, aws: Aws, sink: Sink, number: str, tap: Wiretap, way: Way) -> None:
        self._way = way
        self._aws = aws
        self._sink = sink
        self._number = number
        self.tap = tap

    @contextlib.asynccontextmanager
    async def trial(self, situation: Situation) -> AsyncIterator[Trial]:
        """Bring a situation about for the length of a block."""
        text = a_text(origination_identity=self._number, configuration_set="events")
        changes = await self._arranged(situation)
        text = msgspec.structs.replace(text, **changes)
        async with self._carrier(situation) as carrier:
            yield Trial(carrier, text)

    async def receipts(self, text: OutboundText, provider_message_id: str) -> list[Receipt]:
        """Return what SNS has posted about a text."""
        await self._sink.final(provider_message_id)
        messages = [each["Message"] for each in self._sink.notifications]
        read = [parse(message) for message in messages]
        return [each for each in read if isinstance(each, Receipt) and each.message_id == text.message_id]

    async def taken(self) -> int:
        """Return how many texts AWS has taken."""
        return (await self._aws.control("GET", "stats"))["accepted_sends"]

    async def _arranged(self, situation: Situation) -> dict[str, Any]:
        """Set the emulator up and return what has to be different about the text."""
        if situation in FAULTS:
            faults = {"actions": {"SendTextMessage": FAULTS[situation]}}
            await self._aws.control("POST", "faults", faults)
        self.tap.resets = situation == "reset"
        if situation == "opted_out":
            await self._aws.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber=US_HANDSET)
            return {"destination": US_HANDSET}
        if situation == "no_originator":
            return {"destination": GERMAN_HANDSET, "origination_identity": await self._pool()}
        if situation == "protect_blocked":
            await self._block("US")
            return {"destination": US_HANDSET}
        return {"max_price_micros": 10} if situation == "price_over_max" else {}

    async def _pool(self) -> str:
        """Return a pool of the number alone; new pools do not share routes."""
        pool = await self._aws.sms.create_pool(
            OriginationIdentity=self._number, IsoCountryCode="US", MessageType="TRANSACTIONAL"
        )
        return pool["PoolArn"]

    async def _block(self, country: str) -> None:
        """Block a country for the whole account."""
        protect = await self._aws.sms.create_protect_configuration()
        named = {"ProtectConfigurationId": protect["ProtectConfigurationId"]}
        await self._aws.sms.update_protect_configuration_country_rule_set(
            **named,
            NumberCapability="SMS",
            CountryRuleSetUpdates={country: {"ProtectStatus": "BLOCK"}},
        )
        await self._aws.sms.set_account_default_protect_configuration(**named)

    def _carrier(self, situation: Situation) -> Any:
        return open_aws_carrier(
            open_session(),
            region=REGION,
            endpoint_url=nobody_listens() if situation == "unreachable" else self.tap.url,
            in_flight=4,
            way=self._way,
            read_s=PATIENCE_S if situation == "slow" else READ_S,
        )


def nobody_listens() -> str:
    """Return the URL of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextlib.asynccontextmanager
async def emulator_line(aws: Aws, sink: Sink, way: Way) -> AsyncIterator[EmulatorLine]:
    """Lease a number, and a configuration set whose events reach the sink."""
    number = await aws.number()
    await aws.configuration_set(sink, "events")
    async with tapped(aws.base_url) as tap:
        yield EmulatorLine(aws, sink, number["PhoneNumberArn"], tap, way)
