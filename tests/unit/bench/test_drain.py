"""How a backlog is watched while it goes."""

import pytest

from gateway.bench.drain import watch


class Processes:
    """One that has used a hundredth of a second more at each look."""

    looks = 0

    def cpu(self):
        """Seconds, by name."""
        self.looks += 1
        return {"bare": self.looks / 100}


def counting(*answers):
    """Return a count that says these one after the other."""
    left = list(answers)

    async def count():
        return left.pop(0)

    return count


async def test_what_happened_between_the_marks_is_shared_by_the_items():
    """A tenth and nineteen twentieths of them; what arrived before the first look does not count."""
    drained = await watch(Processes(), counting(105, 112, 150, 196), before=100, total=100)
    assert drained.us == {"bare": pytest.approx(10_000 / 84)}


async def test_a_backlog_that_is_gone_at_one_look_is_refused():
    """Nothing can be said of it."""
    with pytest.raises(ValueError, match="100 is gone at one look"):
        await watch(Processes(), counting(200, 200), before=100, total=100)
