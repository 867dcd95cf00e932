"""
Real AWS, for whoever runs the suite with an account of their own.

============================================  ============================================================
TOLLGATE_CONTRACT_AWS_REGION                  Adds AWS to the suite. Credentials are found as every AWS
                                              SDK finds them: the usual variables or ``AWS_PROFILE``.
TOLLGATE_CONTRACT_AWS_ORIGINATION             ARN of a number, sender id or pool that reaches the
                                              destination; a simulator number is enough. Needed.
TOLLGATE_CONTRACT_AWS_DESTINATION             Default: the US simulator number whose texts succeed.
TOLLGATE_CONTRACT_AWS_CONFIGURATION_SET       With a queue that its topic fills, receipts are tried too.
TOLLGATE_CONTRACT_AWS_QUEUE_URL               That queue.
TOLLGATE_CONTRACT_AWS_ENDPOINT_URL            Another endpoint: FIPS, a VPC's own, or an emulator.
============================================  ============================================================

Each run sends a few texts and AWS charges for them.
"""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import aioboto3
import msgspec
from msgspec import Struct

from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.ports import OutboundText
from gateway.carrier.session import AwsSession
from gateway.receipts.event import Receipt, parse
from tests.contract_suite.emulator_line import nobody_listens
from tests.contract_suite.lines import DELIVERED, Situation, Trial, a_text

_PREFIX = "TOLLGATE_CONTRACT_AWS_"
_WAIT_S = 20
_LOOKS = 9
"""Three minutes for the receipts."""


class AwsAccess(Struct, frozen=True, kw_only=True):
    """Whose AWS it is, and what may be used there."""

    region: str
    origination: str
    destination: str
    configuration_set: str | None
    queue_url: str | None
    endpoint_url: str | None
    profile: str | None
    keys: dict[str, str]

    @property
    def situations(self) -> tuple[Situation, ...]:
        """What can be arranged without changing the account."""
        always: tuple[Situation, ...] = ("accepting", "price_over_max", "unreachable")
        return (*always, "receipts") if self.queue_url and self.configuration_set else always


def read_access(environment: Mapping[str, str]) -> AwsAccess | None:
    """Return what the variables say, or None when AWS is not to be tried."""
    region = environment.get(_PREFIX + "REGION")
    if not region:
        return None
    keys = {
        argument: environment[argument.upper()]
        for argument in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        if environment.get(argument.upper())
    }
    return AwsAccess(
        region=region,
        origination=environment[_PREFIX + "ORIGINATION"],
        destination=environment.get(_PREFIX + "DESTINATION", DELIVERED),
        configuration_set=environment.get(_PREFIX + "CONFIGURATION_SET"),
        queue_url=environment.get(_PREFIX + "QUEUE_URL"),
        endpoint_url=environment.get(_PREFIX + "ENDPOINT_URL"),
        profile=environment.get("AWS_PROFILE"),
        keys=keys,
    )


ACCESS = read_access(os.environ)
"""Read when the tests are collected: while they run, the variables hold an example's keys."""


class AwsLine:
    """Uses what the account has; creates and changes nothing."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access
        session = aioboto3.Session(profile_name=access.profile, region_name=access.region, **access.keys)
        self._session = cast("AwsSession", session)

    @contextlib.asynccontextmanager
    async def trial(self, situation: Situation) -> AsyncIterator[Trial]:
        """Bring a situation about for the length of a block."""
        access = self._access
        text = a_text(
            destination=access.destination,
            origination_identity=access.origination,
            configuration_set=access.configuration_set,
            max_price_micros=10 if situation == "price_over_max" else 1_000_000,
        )
        url = nobody_listens() if situation == "unreachable" else access.endpoint_url
        async with open_aws_carrier(
            self._session, region=access.region, endpoint_url=url, in_flight=4
        ) as carrier:
            yield Trial(carrier, text)

    async def receipts(self, text: OutboundText, provider_message_id: str) -> list[Receipt]:
        """Return what arrives in the queue about a text, wrapped by SNS or raw."""
        found: list[Receipt] = []
        async with self._session.client("sqs") as sqs:
            for _ in range(_LOOKS):
                answer = await sqs.receive_message(
                    QueueUrl=self._access.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT_S
                )
                read = [parse(_event_in(each)) for each in answer.get("Messages", [])]
                found += [each for each in read if isinstance(each, Receipt)]
                ours = [each for each in found if each.provider_message_id == provider_message_id]
                if any(each.is_final for each in ours):
                    return ours
        raise TimeoutError(f"no final receipt of {provider_message_id} for {text.message_id}")


def _event_in(message: dict[str, Any]) -> bytes:
    body = json.loads(message["Body"])
    return body["Message"].encode() if "Message" in body and "TopicArn" in body else msgspec.json.encode(body)
