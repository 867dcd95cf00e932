"""
Which types of messages AWS lets an origination identity carry: asked as it is added by its ARN.

A number and a pool are of one type for life, a sender id of one or both, and AWS refuses each message of
another. What an account may not describe, or not now, nobody can say; then the operator's word holds.
"""

from typing import Any, Final

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from gateway.carrier.control import BRIEF_CONFIG, control_client
from gateway.carrier.credentials import problem_of
from gateway.carrier.session import open_session, role_of
from gateway.errors import ConfigurationError
from tenants.senders.models import AwsAccount
from tenants.senders.service import MessageType, SenderFacts

_log = structlog.get_logger(__name__)

_CARRIES: Final[dict[str, tuple[MessageType, ...]]] = {
    "TRANSACTIONAL": ("otp", "transactional"),
    "PROMOTIONAL": ("promotional",),
}
_NO_WORD: Final = (ClientError, BotoCoreError, ConfigurationError, OSError)


async def carried_types(account: AwsAccount, facts: SenderFacts) -> tuple[MessageType, ...] | None:
    """Return the types that AWS names; None where it does not say, within a few seconds."""
    session = open_session(role_of(account))
    try:
        async with control_client(session, account, BRIEF_CONFIG) as client:
            named = await _described(client, facts)
    except _NO_WORD as error:
        _log.info("message_types_not_told", arn=facts.arn, account=account.name, problem=problem_of(error))
        return None
    return tuple(each for aws_type, ours in _CARRIES.items() if aws_type in named for each in ours) or None


async def _described(client: Any, facts: SenderFacts) -> frozenset[str]:
    """Return AWS's own words for the types; none where it describes another thing."""
    match facts.type:
        case "SENDER_ID":
            named = [{"SenderId": facts.value, "IsoCountryCode": facts.country}]
            shown = (await client.describe_sender_ids(SenderIds=named))["SenderIds"]
            ours = [each["MessageTypes"] for each in shown if each["SenderIdArn"] == facts.arn]
            return frozenset(each for types in ours for each in types)
        case "SHARED":
            shown = (await client.describe_pools(PoolIds=[facts.arn]))["Pools"]
        case _:
            shown = (await client.describe_phone_numbers(PhoneNumberIds=[facts.arn]))["PhoneNumbers"]
    return frozenset(each["MessageType"] for each in shown)
