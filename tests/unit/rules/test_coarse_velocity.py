"""Pumping while Redis is away."""

from gateway.admission.coarse_velocity import MOST_PER_BLOCK, SPAN_MS, CoarseVelocity


def test_a_block_is_stopped_until_its_span_ends_and_others_go_on():
    """Each process protects money by itself, within limits."""
    velocity = CoarseVelocity()
    assert [velocity.wait_ms("a", 1_000) for _ in range(MOST_PER_BLOCK)] == [None] * MOST_PER_BLOCK
    assert velocity.wait_ms("a", 2_000) == SPAN_MS - 1_000
    assert velocity.wait_ms("b", 2_000) is None
    assert velocity.wait_ms("a", 1_000 + SPAN_MS) is None
