"""Rounds come again at their interval, and more rarely while there is nothing to do."""

import asyncio

import pytest

from gateway.rounds import Round, next_pause_s, run_rounds


async def _nothing() -> int:
    return 0


def _round(at_rest_s: float | None) -> Round:
    return Round(name="looked_for", every_s=0.25, work=_nothing, at_rest_s=at_rest_s)


@pytest.mark.parametrize(("last_s", "next_s"), [(0.25, 0.5), (0.5, 1.0), (1.0, 1.0)])
def test_a_round_without_work_comes_half_as_often_until_it_rests(last_s: float, next_s: float) -> None:
    """Each look wakes this process and one of Postgres's: what an idle gateway costs."""
    assert next_pause_s(_round(1.0), last_s, busy=False) == next_s


def test_work_brings_a_resting_round_back_to_its_interval() -> None:
    """Where there was something there is more: the next of it must not wait for a resting round."""
    assert next_pause_s(_round(1.0), 1.0, busy=True) == 0.25


def test_a_round_that_never_rests_keeps_its_interval() -> None:
    """Rounds that return nothing of use would otherwise all slow down."""
    assert next_pause_s(_round(None), 0.25, busy=False) == 0.25


async def test_rounds_do_not_begin_all_at_once() -> None:
    """Each would take a connection of its own, which the server then keeps with all it has cached."""
    under_way: list[int] = []
    begun = [asyncio.Event() for _ in range(5)]

    def looking(number: int) -> Round:
        async def look() -> None:
            under_way.append(number)
            most.append(len(under_way))
            await asyncio.sleep(0)
            under_way.remove(number)
            begun[number].set()

        return Round(name=str(number), every_s=60.0, work=look)

    most: list[int] = []
    running = asyncio.create_task(run_rounds([looking(number) for number in range(len(begun))]))
    async with asyncio.timeout(60):
        await asyncio.gather(*(each.wait() for each in begun))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert max(most) == 1
