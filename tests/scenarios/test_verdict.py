"""The checkers of the kill scenarios, shown to fail: a checker that cannot fail proves nothing."""

import pytest

from tests.harness.verdict import StoredMessage, broken_attempts, broken_promises, too_many_unknown


def message(name, status="delivered", *, resent=False, kind="otp"):
    """A stored message."""
    return StoredMessage(name, status, resent, kind)


def test_a_sound_story_breaks_nothing():
    """Retries, a flagged resend, an unknown that was never sent: all as promised."""
    assert (
        broken_promises(
            {"k1": ["m1", "m1"], "k2": ["m2"], "k3": ["m3"]},
            [message("m1"), message("m2", resent=True), message("m3", "unknown")],
            ["m1", "m2", "m2"],
        )
        == []
    )


@pytest.mark.parametrize(
    ("accepted", "stored", "carried", "sentence"),
    [
        ({"k": ["m1", "m2"]}, [message("m1"), message("m2")], ["m1", "m2"], "gave 2 messages"),
        ({"k": ["m1"]}, [], [], "accepted and is gone"),
        ({"k": ["m1"]}, [message("m1"), message("m2")], ["m1", "m2"], "2 messages for 1 keys"),
        ({"k": ["m1"]}, [message("m1", "sent")], ["m1"], "ended as sent"),
        ({"k": ["m1"]}, [message("m1", "dispatching")], [], "ended as dispatching"),
        ({"k": ["m1"]}, [message("m1")], ["m1", "m1"], "sent 2 times, flagged: False"),
        ({"k": ["m1"]}, [message("m1", resent=True)], ["m1"] * 3, "sent 3 times, flagged: True"),
        ({"k": ["m1"]}, [message("m1")], [], "never sent"),
        ({"k": ["m1"]}, [message("m1")], ["m1", "m9"], "sent and is not stored"),
        (
            {"k": ["m1"]},
            [message("m1", resent=True, kind="promotional")],
            ["m1"],
            "promotional and was resent",
        ),
    ],
)
def test_each_broken_promise_is_named(accepted, stored, carried, sentence):
    """One story per promise, broken on purpose."""
    assert any(sentence in found for found in broken_promises(accepted, stored, carried))


def test_an_attempt_that_was_sent_twice_is_named():
    """The flag allows a second attempt, never a second request of the same one."""
    assert broken_attempts([("m1", "1"), ("m1", "2")]) == []
    assert broken_attempts([("m1", "1"), ("m1", "1")]) == ["attempt 1 of m1 was sent 2 times"]


def test_more_unknown_outcomes_than_calls_are_named():
    """A kill may leave in doubt what was on the wire, not what was waiting."""
    stored = [message("m1", "unknown"), message("m2", resent=True), message("m3")]
    assert too_many_unknown(stored, at_most=2) == []
    assert too_many_unknown(stored, at_most=1) == ["2 unknown outcomes, at most 1"]
