"""
Whether a sender may take another's place: what left by the one must be able to leave by the other. Pure.

Its state is not judged here: a standby is not active before it takes the place.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from gateway.routing.candidates import USES_OF_TYPE, route_fault
from gateway.routing.facts import SenderFact, TenantRouting

_SIMULATOR: Final = "SIMULATOR"


class Shortfall(Struct, frozen=True, kw_only=True):
    """The first thing that the successor lacks."""

    code: Literal[
        "other_country",
        "carries_less",
        "one_way",
        "use_case_not_registered",
        "route_not_allowed",
        "shared_routes_off",
        "simulator_only",
    ]
    detail: str


def shortfall(routing: TenantRouting, out: SenderFact, successor: SenderFact) -> Shortfall | None:
    """Return what a successor lacks, or None for one that may take the place."""
    if successor.country != out.country:
        return Shortfall(code="other_country", detail=f"it serves {successor.country}, not {out.country}")
    if successor.type == _SIMULATOR != out.type:
        return Shortfall(code="simulator_only", detail="a simulator number reaches simulator numbers only")
    return (
        _carries_less(out, successor)
        or _registered_for_less(out, successor)
        or _no_way_out(routing, out, successor)
    )


def _carries_less(out: SenderFact, successor: SenderFact) -> Shortfall | None:
    if types := out.message_types - successor.message_types:
        return Shortfall(code="carries_less", detail=f"it carries no {_listed(types)} messages")
    if channels := out.channels - successor.channels:
        return Shortfall(code="carries_less", detail=f"it does not carry {_listed(channels)}")
    if out.two_way and not successor.two_way:
        detail = f"a person can answer to {out.value}, but not to it: switch two-way on for it first"
        return Shortfall(code="one_way", detail=detail)
    return None


def _registered_for_less(out: SenderFact, successor: SenderFact) -> Shortfall | None:
    """One that names no use case stands for any; where only the other names none, each type needs one."""
    if not successor.use_cases:
        return None
    missing = out.use_cases - successor.use_cases
    if not out.use_cases:
        missing = frozenset(
            kind for kind in out.message_types if successor.use_cases.isdisjoint(USES_OF_TYPE[kind])
        )
    if not missing:
        return None
    detail = f"it is registered for {_listed(successor.use_cases)}, not for {_listed(missing)}"
    return Shortfall(code="use_case_not_registered", detail=detail)


def _no_way_out(routing: TenantRouting, out: SenderFact, successor: SenderFact) -> Shortfall | None:
    fault = route_fault(routing, out.country, successor)
    return None if fault is None else Shortfall(code=fault[0], detail=fault[1])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
