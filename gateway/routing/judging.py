"""Which of the candidates are well enough now. Pure; with nothing ill it costs one look at an empty table."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import structs

from gateway.routing.candidates import Candidate
from gateway.routing.health import Illness

PROBE_SHARE: Final = 0.05
"""Of the messages that would go by an identity that may be well again, the share that does."""
NO_PROBE: Final = 1.0
"""A draw with which nothing that may be ill is tried while something well is left."""


def judge(
    candidates: Sequence[Candidate], ill: Mapping[UUID, Illness], *, draw: float
) -> Sequence[Candidate]:
    """
    Return the candidates with the ill ones passed over; what made them ill is the operator's to know.

    What an operator disabled is never taken. What outcomes found unhealthy is taken for probes, and where
    nothing healthy is left: a message that is tried may arrive, one that is refused does not.

    Args:
        ill: By id of sender and of account.
        draw: 0 to 1, by chance or by the message; below `PROBE_SHARE` a probe may be made.
    """
    if not ill:
        return candidates
    judged = [_judged(candidate, ill, probing=draw < PROBE_SHARE) for candidate in candidates]
    if any(candidate.taken for candidate in judged):
        return judged
    return [_last_resort(candidate) for candidate in judged]


def _judged(candidate: Candidate, ill: Mapping[UUID, Illness], *, probing: bool) -> Candidate:
    if not candidate.taken:
        return candidate
    of_sender, of_route = ill.get(candidate.sender.id), ill.get(candidate.sender.account_id)
    found = [(what, each) for what, each in (("sender", of_sender), ("route", of_route)) if each is not None]
    if not found:
        return candidate
    what, worst = min(found, key=lambda pair: _MILDNESS[pair[1].state])
    if worst.state == "disabled":
        return structs.replace(candidate, taken=False, reason="disabled", detail=f"the {what} is disabled")
    if worst.state == "probing" and probing:
        return structs.replace(candidate, reason="probe", detail=f"the {what} may be well again")
    detail = f"the {what} is {worst.state}"
    return structs.replace(candidate, taken=False, reason="unhealthy", detail=detail)


_MILDNESS: Final = {"disabled": 0, "unhealthy": 1, "probing": 2}


def _last_resort(candidate: Candidate) -> Candidate:
    if candidate.reason != "unhealthy":
        return candidate
    detail = f"nothing better; {candidate.detail}"
    return structs.replace(candidate, taken=True, reason="last_resort", detail=detail)
