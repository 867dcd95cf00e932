"""What the carriers of each country are like: operators, prices, speed and luck."""

import functools
from importlib import resources

import msgspec

from gateway.emulator.state.settings_records import CountryCarrier

MICROS = 1_000_000

DEFAULT_OUTCOMES = {
    "DELIVERED": 0.955,
    "UNREACHABLE": 0.015,
    "CARRIER_UNREACHABLE": 0.005,
    "BLOCKED": 0.006,
    "CARRIER_BLOCKED": 0.005,
    "SPAM": 0.002,
    "INVALID": 0.008,
    "UNKNOWN": 0.004,
}
"""Share of messages that end in each status."""

DEFAULT_DELAY_MS = 180
"""Median time to the final event: far quicker than life, so that a demonstration does not drag."""

OUTCOMES = frozenset({*DEFAULT_OUTCOMES, "SUCCESSFUL", "INVALID_MESSAGE", "TTL_EXPIRED", "SILENT"})
"""Final statuses a carrier mix may name; SILENT never answers."""

MEDIA_PRICE_FACTOR = 3
"""An MMS costs about three times an SMS in the published US prices."""

VOICE_PRICE_MICROS = 13_000
"""One minute of a call, in micro-dollars."""


class Operator(msgspec.Struct, frozen=True, array_like=True):
    """A mobile network."""

    name: str
    mcc: str
    mnc: str


class BuiltIn(msgspec.Struct, frozen=True):
    """One country of ``carriers.json``; prices are dollars for one part."""

    price: str
    fee: str
    operators: tuple[Operator, ...]
    receipts: bool = True


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The carriers of a country, with whatever replaced the built-in values."""

    price_micros: int
    """One part, without fee."""
    fee_micros: int
    operators: tuple[Operator, ...]
    outcomes: dict[str, float]
    delay_ms: int
    delivery_receipts: bool


class Profiles:
    """The profile of every country, built once per change."""

    def __init__(self) -> None:
        self._replaced: dict[str, CountryCarrier] = {}
        self._built: dict[str, Profile] = {}

    def replace(self, country: str, carrier: CountryCarrier) -> None:
        """Let ``carrier`` replace the built-in values of a country, or of all (``*``)."""
        self._replaced[country] = carrier
        self._built.clear()

    def reset(self) -> None:
        """Go back to the built-in values."""
        self._replaced.clear()
        self._built.clear()

    def replaced(self) -> dict[str, CountryCarrier]:
        """Return what has been replaced, by country."""
        return dict(self._replaced)

    def of(self, country: str) -> Profile:
        """Return the profile of a country."""
        profile = self._built.get(country)
        if profile is None:
            profile = self._built[country] = self._build(country)
        return profile

    def _build(self, country: str) -> Profile:
        built_in = _built_in().get(country) or _built_in()["*"]
        profile = Profile(
            price_micros=micros(built_in.price),
            fee_micros=micros(built_in.fee),
            operators=built_in.operators,
            outcomes=DEFAULT_OUTCOMES,
            delay_ms=DEFAULT_DELAY_MS,
            delivery_receipts=built_in.receipts,
        )
        for key in ("*", country):
            if key in self._replaced:
                profile = _overlaid(profile, self._replaced[key])
        return profile


def micros(dollars: str) -> int:
    """Return micro-dollars for a plain decimal string."""
    whole, _, fraction = dollars.partition(".")
    return int(whole or "0") * MICROS + int(fraction[:6].ljust(6, "0") or "0")


def _overlaid(profile: Profile, carrier: CountryCarrier) -> Profile:
    return Profile(
        price_micros=profile.price_micros if carrier.price is msgspec.UNSET else micros(carrier.price),
        fee_micros=profile.fee_micros if carrier.fee is msgspec.UNSET else micros(carrier.fee),
        operators=profile.operators,
        outcomes=profile.outcomes if carrier.outcomes is msgspec.UNSET else carrier.outcomes,
        delay_ms=profile.delay_ms if carrier.delay_ms is msgspec.UNSET else carrier.delay_ms,
        delivery_receipts=(
            profile.delivery_receipts
            if carrier.delivery_receipts is msgspec.UNSET
            else carrier.delivery_receipts
        ),
    )


@functools.cache
def _built_in() -> dict[str, BuiltIn]:
    raw = resources.files("gateway.emulator.data").joinpath("carriers.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, BuiltIn])
