"""Two-way messages and self-managed opt-outs, switched at AWS for a number or for the pool that holds it."""

from typing import Any

from gateway.carrier.control_calls import Control
from tenants.senders.two_way import NumbersAtAws


async def switch_two_way(
    aws: Control, numbers: NumbersAtAws, topic_arn: str | None, *, self_managed: bool
) -> None:
    """
    Bring AWS to the wish; `topic_arn` None switches two-way off.

    AWS takes self-managed opt-outs only where two-way is on, and lets go of it only after.

    Raises:
        ClientError: AWS refuses: a country without two-way, a topic that it may not publish to.
    """
    wanted: dict[str, Any] = {
        "TwoWayEnabled": topic_arn is not None,
        "SelfManagedOptOutsEnabled": self_managed and topic_arn is not None,
    }
    if topic_arn is not None:
        wanted["TwoWayChannelArn"] = topic_arn
    if numbers.aws_pool_arn is not None:
        await aws.call("update_pool", PoolId=numbers.aws_pool_arn, **wanted)
    else:
        await aws.call("update_phone_number", PhoneNumberId=numbers.arn, **wanted)
