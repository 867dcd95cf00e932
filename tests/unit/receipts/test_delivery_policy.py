"""How long SNS goes on posting a receipt that nobody takes: what we ask for, as the emulator reads it."""

from gateway.carrier.topics import DELIVERY_POLICY
from gateway.emulator.sns.delivery_policy import HealthyRetryPolicy, policy_of

HOUR_S = 3600


def delays(policy):
    """Every pause of a policy, in order."""
    found = []
    while (delay := policy.delay_s(len(found) + 1)) is not None:
        found.append(delay)
    return found


def test_ours_begins_quickly_and_lasts_longer_than_a_restart():
    """A receipt lost to SNS is a message that stays `sent` for three days."""
    pauses = delays(policy_of({"DeliveryPolicy": DELIVERY_POLICY}))
    assert pauses[:10] == [1.0] * 10
    assert pauses == sorted(pauses)
    assert 10 * 60 < sum(pauses) < HOUR_S, "AWS refuses more than an hour"


def test_the_default_is_three_tries_in_a_minute():
    """What AWS does where nothing is asked for."""
    assert delays(HealthyRetryPolicy()) == [20.0] * 3


def test_a_policy_that_cannot_be_read_is_none():
    """The courier's own rules hold then."""
    assert policy_of({}) is None
    assert policy_of({"DeliveryPolicy": "nonsense"}) is None
