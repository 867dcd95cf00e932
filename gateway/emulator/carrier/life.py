"""
The life of a message, drawn when it is accepted: its outcome and the events on the way there.

Everything here is pure. Times are milliseconds since acceptance, in emulated time.
"""

import bisect
import itertools

import msgspec

from gateway.emulator.carrier.dice import Dice
from gateway.emulator.carrier.profiles import Profile
from gateway.emulator.state.settings_records import ReceiptFaults
from gateway.emulator.state.traffic_records import Step

UNKNOWN_AFTER_MS = 72 * 3_600_000
"""AWS gives up on a carrier that never answers after 72 hours."""

FILE_FAILURES = frozenset({"FILE_INACCESSIBLE", "FILE_TYPE_UNSUPPORTED", "FILE_SIZE_EXCEEDED"})
QUICK_FAILURES = FILE_FAILURES | {"INVALID", "INVALID_MESSAGE", "PROTECT_BLOCKED"}
"""Outcomes that are known before the carrier has the message."""

CALL_STEPS = ("INITIATED", "RINGING", "ANSWERED")
CALL_OUTCOMES = {
    "DELIVERED": "COMPLETED",
    "SUCCESSFUL": "COMPLETED",
    "UNREACHABLE": "NO_ANSWER",
    "BLOCKED": "BUSY",
}
"""What a text's outcome means for a call; anything else is FAILED."""


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """What the life of one message depends on."""

    channel: str
    outcome: str
    ttl_s: int
    latency_scale: float
    final_success_rate: float
    """Share of delivered messages whose SUCCESSFUL already says it is final."""


def draw_outcome(profile: Profile, dice: Dice) -> str:
    """Return how a message ends, by the country's mix."""
    statuses, weights = list(profile.outcomes), list(profile.outcomes.values())
    reached = list(itertools.accumulate(weights))
    place = bisect.bisect_right(reached, dice.share() * reached[-1])
    outcome = statuses[min(place, len(statuses) - 1)]
    if outcome == "DELIVERED" and not profile.delivery_receipts:
        return "SUCCESSFUL"
    return outcome


def draw_steps(road: Road, profile: Profile, dice: Dice) -> list[Step]:
    """Return what becomes of a message, the end last; receipts tell it as `with_faults` lets them."""
    total_ms = _total_ms(profile.delay_ms * road.latency_scale, dice)
    steps = _call(road, total_ms) if road.channel == "VOICE" else _text(road, total_ms, dice)
    return _expired(steps, road.ttl_s)


def _total_ms(median_ms: float, dice: Dice) -> float:
    """Return a skewed delay: half to one and a half times the median, one in fifty three times that."""
    spread = median_ms * (0.5 + dice.share())
    return spread * 3 if dice.share() < 0.02 else spread  # noqa: PLR2004 - the share named above


def _text(road: Road, total_ms: float, dice: Dice) -> list[Step]:
    opening = [(0.05, "QUEUED"), (0.15, "PENDING")]
    if road.outcome == "SILENT":
        closing = [(UNKNOWN_AFTER_MS / max(total_ms, 1.0), "UNKNOWN")]
    elif road.outcome in QUICK_FAILURES:
        opening, closing = opening[:1], [(0.2, road.outcome)]
    elif road.outcome == "DELIVERED":
        closing = [(0.5, "SUCCESSFUL"), (1.0, "DELIVERED")]
    else:
        closing = [(1.0, road.outcome)]
    early_final = road.outcome == "DELIVERED" and dice.share() < road.final_success_rate
    timed = opening + closing
    return [
        Step(
            UNKNOWN_AFTER_MS if at > 1 else int(total_ms * at),
            status,
            index == len(timed) - 1 or (early_final and status == "SUCCESSFUL"),
            index,
        )
        for index, (at, status) in enumerate(timed)
    ]


def _call(road: Road, total_ms: float) -> list[Step]:
    ending = CALL_OUTCOMES.get(road.outcome, "FAILED")
    opening = CALL_STEPS if ending == "COMPLETED" else CALL_STEPS[:2]
    steps = [
        Step(int(total_ms * (index + 1) / 5), name, is_final=False, nonce=index)
        for index, name in enumerate(opening)
    ]
    return [*steps, Step(int(total_ms), ending, is_final=True, nonce=len(steps))]


def _expired(steps: list[Step], ttl_s: int) -> list[Step]:
    """Cut a life that is longer than the message's time to live."""
    ttl_ms = ttl_s * 1000
    if steps[-1].offset_ms <= ttl_ms or steps[-1].offset_ms >= UNKNOWN_AFTER_MS:
        return steps
    alive = [step for step in steps[:-1] if step.offset_ms <= ttl_ms and step.status != "SUCCESSFUL"]
    return [*alive, Step(ttl_ms, "TTL_EXPIRED", is_final=True, nonce=len(alive))]


def with_faults(steps: list[Step], faults: ReceiptFaults, dice: Dice) -> tuple[Step, ...]:
    """Return the events of these steps in the order in which they leave, with receipt faults worked in."""
    if faults == ReceiptFaults():
        return tuple(steps)
    if dice.share() < faults.lose_rate:
        return ()
    if dice.share() < faults.lose_final_rate:
        steps = steps[:-1]
    if faults.delay_ms:
        steps = [msgspec.structs.replace(step, offset_ms=step.offset_ms + faults.delay_ms) for step in steps]
    if faults.reorder:
        steps = _shuffled(steps, dice)
    if dice.share() < faults.duplicate_rate:
        steps = _doubled(steps, faults, dice)
    return tuple(steps)


def _shuffled(steps: list[Step], dice: Dice) -> list[Step]:
    """Give the same departure times to the steps in another order; the last one never stays last."""
    offsets = [step.offset_ms for step in steps]
    shift = 1 + dice.below(max(1, len(steps) - 1))
    turned = steps[-shift:] + steps[:-shift]
    return [
        msgspec.structs.replace(step, offset_ms=offset) for step, offset in zip(turned, offsets, strict=True)
    ]


def _doubled(steps: list[Step], faults: ReceiptFaults, dice: Dice) -> list[Step]:
    same_id = faults.duplicate_ids == "same" or (faults.duplicate_ids == "both" and dice.share() < 0.5)  # noqa: PLR2004 - an even coin
    doubled: list[Step] = []
    for step in steps:
        nonce = step.nonce if same_id else step.nonce + len(steps)
        doubled += [step, msgspec.structs.replace(step, nonce=nonce)]
    return doubled
