"""Control calls to one AWS account: paced at one a second per action, and refusals as values."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from uuid import UUID

from aiobotocore.config import AioConfig

from gateway.carrier.aws import CONNECT_S
from gateway.carrier.control_calls import Control
from gateway.carrier.pace import Pace, Turns
from gateway.carrier.session import AwsSession, session_of
from tenants.senders.models import AwsAccount

CONTROL_PER_SECOND: Final = 1.0
"""AWS's default for every control action of an account."""

CONTROL_CONFIG: Final = AioConfig(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3}
)
"""Two repetitions of the client's own, and little more than a minute: a person may wait for the answer."""
BRIEF_CONFIG: Final = AioConfig(connect_timeout=CONNECT_S, read_timeout=5, retries={"total_max_attempts": 1})
"""One try of a few seconds, for a look within a request."""

OpenControl = Callable[[AwsAccount], AbstractAsyncContextManager[Control]]
MakePace = Callable[[AwsAccount], Turns]


def usual_pace(account: AwsAccount) -> Pace:
    """Return AWS's rate for a process that is alone; an emulator asks for none."""
    return Pace(None if account.endpoint_url else CONTROL_PER_SECOND)


def control_client(
    session: AwsSession, account: AwsAccount, config: AioConfig = CONTROL_CONFIG
) -> AbstractAsyncContextManager[Any]:
    """Return the client of an account's control calls; its pace is the caller's business."""
    return session.client(
        "pinpoint-sms-voice-v2",
        region_name=account.region,
        endpoint_url=account.endpoint_url,
        config=config,
    )


def control_of(own: AwsSession, make_pace: MakePace = usual_pace) -> OpenControl:
    """Return what opens an account for control calls; each account has one pace for the process's life."""
    paces: dict[UUID, Turns] = {}

    @asynccontextmanager
    async def opened(account: AwsAccount) -> AsyncGenerator[Control]:
        pace = paces.setdefault(account.id, make_pace(account))
        async with control_client(session_of(own, account), account) as client:
            yield Control(client, pace)

    return opened
