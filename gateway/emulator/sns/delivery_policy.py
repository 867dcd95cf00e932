"""The delivery policy of an HTTP subscription: how often and how far apart SNS tries again. Pure."""

from typing import Literal

import msgspec


class HealthyRetryPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """The four phases of SNS: at once, at the least delay, backing off, at the greatest delay."""

    min_delay_target: float = 20.0
    max_delay_target: float = 20.0
    num_retries: int = 3
    num_no_delay_retries: int = 0
    num_min_delay_retries: int = 0
    num_max_delay_retries: int = 0
    backoff_function: Literal["linear", "arithmetic", "geometric", "exponential"] = "linear"

    def delay_s(self, retry: int) -> float | None:
        """Return the pause before a retry, counting from 1, or None when it is given up."""
        if retry > self.num_retries:
            return None
        if retry <= self.num_no_delay_retries:
            return 0.0
        backing_off_from = self.num_no_delay_retries + self.num_min_delay_retries
        if retry <= backing_off_from:
            return self.min_delay_target
        steps = self.num_retries - self.num_max_delay_retries - backing_off_from
        step = retry - backing_off_from
        if step > steps:
            return self.max_delay_target
        return self._backed_off(step / steps)

    def _backed_off(self, share: float) -> float:
        low, high = self.min_delay_target, self.max_delay_target
        if self.backoff_function == "linear" or low <= 0:
            return low + (high - low) * share
        return float(low * (high / low) ** share)


class _DeliveryPolicy(msgspec.Struct, frozen=True, rename="camel"):
    healthy_retry_policy: HealthyRetryPolicy


def policy_of(attributes: dict[str, str]) -> HealthyRetryPolicy | None:
    """Return the policy of a subscription, or None where it has none that can be read."""
    try:
        return msgspec.json.decode(attributes["DeliveryPolicy"], type=_DeliveryPolicy).healthy_retry_policy
    except (KeyError, msgspec.MsgspecError):
        return None
