"""Faults, carriers, the clock and reset."""

from typing import Any

import msgspec

from gateway.emulator.carrier.countries import countries
from gateway.emulator.carrier.profiles import OUTCOMES
from gateway.emulator.control.refusal import Refusal
from gateway.emulator.operations.table import OPERATIONS
from gateway.emulator.state.settings_records import (
    CarrierSettings,
    ClockOffset,
    CountryCarrier,
    Faults,
    FaultSettings,
)
from gateway.emulator.state.store import GLOBAL_SCOPE
from gateway.emulator.world import World


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far to move the clock."""

    advance_seconds: float


def faults_in_force(world: World) -> Faults:
    """Return all faults."""
    return world.faults.faults


def set_faults(world: World, body: bytes) -> Faults:
    """Replace all faults."""
    faults = msgspec.json.decode(body or b"{}", type=Faults)
    unknown = faults.actions.keys() - OPERATIONS.keys() - {"*"}
    if unknown:
        raise Refusal(f"no such actions: {', '.join(sorted(unknown))}")
    world.faults.replace(faults)
    world.stores.emulator().put(FaultSettings(scope=GLOBAL_SCOPE, faults=faults))
    return faults


def carriers_in_force(world: World) -> dict[str, CountryCarrier]:
    """Return what replaces built-in carriers, by country."""
    return world.profiles.replaced()


def set_carriers(world: World, body: bytes) -> dict[str, CountryCarrier]:
    """Replace the carriers of the countries named."""
    wanted = msgspec.json.decode(body, type=dict[str, CountryCarrier])
    for country, carrier in wanted.items():
        _check(country, carrier)
    for country, carrier in wanted.items():
        world.profiles.replace(country, carrier)
        world.stores.emulator().put(CarrierSettings(scope=GLOBAL_SCOPE, country=country, carrier=carrier))
    return world.profiles.replaced()


def clock_now(world: World) -> dict[str, float]:
    """Return the emulated time."""
    return {"now_ms": world.clock.now_ms(), "offset_ms": world.clock.offset_ms}


def advance_clock(world: World, body: bytes) -> dict[str, float]:
    """Move the clock forward and run what has become due."""
    seconds = msgspec.json.decode(body, type=Advance).advance_seconds
    if not 0 <= seconds <= 10 * 365 * 86_400:
        raise Refusal("advance_seconds must be between 0 and ten years")
    world.clock.advance(seconds)
    world.stores.emulator().put(ClockOffset(scope=GLOBAL_SCOPE, offset_ms=world.clock.offset_ms))
    world.timeline.run_due()
    return clock_now(world)


def reset(world: World) -> dict[str, Any]:
    """Forget everything but the signing key."""
    world.reset()
    return {"reset": True}


def _check(country: str, carrier: CountryCarrier) -> None:
    if country != "*" and country not in countries():
        raise Refusal(f"no such country: {country}")
    if carrier.outcomes is not msgspec.UNSET:
        unknown = carrier.outcomes.keys() - OUTCOMES
        if (
            unknown
            or not carrier.outcomes
            or min(carrier.outcomes.values()) < 0
            or not sum(carrier.outcomes.values())
        ):
            raise Refusal(f"outcomes must weigh some of: {', '.join(sorted(OUTCOMES))}")
    for name in ("price", "fee"):
        value = getattr(carrier, name)
        if value is not msgspec.UNSET and not value.replace(".", "", 1).isdecimal():
            raise Refusal(f"{name} must be a decimal string in dollars")
