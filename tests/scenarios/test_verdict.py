"""The checkers of the kill scenarios, shown to fail: a checker that cannot fail proves nothing."""

import pytest

from tests.harness.verdict import StoredMessage, broken_promises


def message(name, status="delivered", *, resent=False):
    """A stored message."""
    return StoredMessage(name, status, resent)


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
    ],
)
def test_each_broken_promise_is_named(accepted, stored, carried, sentence):
    """One story per promise, broken on purpose."""
    assert any(sentence in found for found in broken_promises(accepted, stored, carried))
