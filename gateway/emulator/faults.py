"""Faults of calls: which one, if any, befalls the next call of an action."""

from collections import Counter
from typing import Literal

from gateway.emulator.carrier.dice import Dice
from gateway.emulator.state.settings_records import ActionFaults, Faults

Fault = Literal[
    "throttle", "error", "unavailable", "accept_then_error", "drop_after_accept", "drop_before_accept"
]

NONE = ActionFaults()


class FaultPlan:
    """Draws faults by the number of the call among the calls of its action."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._calls: Counter[str] = Counter()
        self.faults = Faults()

    def replace(self, faults: Faults) -> None:
        """Put other faults in force."""
        self.faults = faults

    def reset(self) -> None:
        """Stop all faults and count calls from the start."""
        self._calls.clear()
        self.faults = Faults()

    def of(self, action: str) -> ActionFaults:
        """Return the faults configured for an action."""
        actions = self.faults.actions
        return actions.get(action) or actions.get("*") or NONE

    def draw(self, action: str) -> Fault | None:
        """Return what befalls the next call of an action."""
        configured = self.of(action)
        if configured is NONE:
            return None
        number = self._calls[action]
        self._calls[action] += 1
        at = Dice(self._seed, "fault", action, number).share()
        for fault, rate in _rates(configured):
            at -= rate
            if at < 0:
                return fault
        return None


def _rates(faults: ActionFaults) -> tuple[tuple[Fault, float], ...]:
    return (
        ("throttle", faults.throttle_rate),
        ("error", faults.error_rate),
        ("unavailable", faults.unavailable_rate),
        ("accept_then_error", faults.accept_then_error_rate),
        ("drop_after_accept", faults.drop_after_accept_rate),
        ("drop_before_accept", faults.drop_before_accept_rate),
    )
