"""Who sends what. Pure: the same number of messages and the same seed give the same script."""

import random
from typing import Any, Final, Literal

from msgspec import Struct

TenantName = Literal["acme", "bolt"]

CROWDED: Final = "FR"
"""The country whose sender is kept slow, so that a queue forms."""
NOT_ALLOWED: Final = "JP"
BUDGET_LEFT: Final = 3
"""Messages that the second tenant's last credits pay for."""
FEWEST: Final = 40
_CAMPAIGN_SHARE: Final = 0.3
_CAMPAIGN_S: Final = 6.0
"""How long the campaign should take at the crowded country's MPS."""
_SLOWEST_MPS: Final = 5
_OTPS: Final = 10
_REPLAYED: Final = 1
_PREFIXES: Final = {
    "US": ("+1206", 7),
    "GB": ("+447400", 6),
    "DE": ("+49151", 8),
    "FR": ("+336", 8),
    "ES": ("+346", 8),
    "NL": ("+316", 8),
    "JP": ("+8190", 8),
}
_FIRST_DIGITS: Final = "23456789"
_SIMULATED: Final = {
    "US": ("+14254147755", "+14254147167"),
    "GB": ("+447860019066", "+447860019067"),
    "FR": ("+33755512501", "+33755512502"),
    "ES": ("+34683783440", "+34683783442"),
}
"""AWS's simulator numbers: one that succeeds and one that fails."""
SUCCEEDS: Final = _SIMULATED["ES"][0]
COUNTRIES: Final[dict[TenantName, tuple[str, ...]]] = {
    "acme": ("US", "GB", "DE", "FR"),
    "bolt": ("US", "GB", "ES", "NL"),
}


class Send(Struct, frozen=True, kw_only=True):
    """One call of the REST API."""

    tenant: TenantName
    body: dict[str, Any]


class Script(Struct, frozen=True, kw_only=True):
    """Every send that is to be accepted, by the part it plays; `total` counts them."""

    crowded_mps: int
    campaign: list[Send]
    """Promotional, into the crowded country, in one batch."""
    otps: list[Send]
    """Into the same country, after the campaign."""
    traffic: list[Send]
    replayed: Send
    last_credits: list[Send]
    """The first `BUDGET_LEFT` of these are paid for, the others are not."""

    @property
    def total(self) -> int:
        """How many messages are to be accepted."""
        return len(self.campaign) + len(self.otps) + len(self.traffic) + _REPLAYED + BUDGET_LEFT


def write_script(messages: int, seed: int) -> Script:
    """Return the script of `messages` accepted sends; at least `FEWEST`."""
    dice = random.Random(seed)  # noqa: S311 - a play, not a secret
    campaign = round(messages * _CAMPAIGN_SHARE)
    traffic = messages - campaign - _OTPS - _REPLAYED - BUDGET_LEFT
    numbers = _Numbers(dice)
    return Script(
        crowded_mps=max(_SLOWEST_MPS, round(campaign / _CAMPAIGN_S)),
        campaign=[_sale(numbers.draw(CROWDED), dice) for _ in range(campaign)],
        otps=[_code("acme", numbers.draw(CROWDED), dice) for _ in range(_OTPS)],
        traffic=_traffic(traffic, numbers, dice),
        replayed=_parcel(numbers.draw("GB"), dice),
        last_credits=[_note(SUCCEEDS, dice) for _ in range(BUDGET_LEFT + 2)],
    )


class _Numbers:
    """Draws valid mobile numbers, each once."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._drawn: set[str] = set()

    def draw(self, country: str) -> str:
        prefix, digits = _PREFIXES[country]
        while True:
            rest = "".join(self._dice.choice("0123456789") for _ in range(digits - 1))
            number = f"{prefix}{self._first(country)}{rest}"
            if number not in self._drawn:
                self._drawn.add(number)
                return number

    def _first(self, country: str) -> str:
        """Some countries leave digits unassigned in the first place; 1 is assigned in all but the US."""
        return self._dice.choice(_FIRST_DIGITS) if country == "US" else "1"


def refused_number(country: str) -> str:
    """Return a valid number of a country that no tenant may send to."""
    prefix, digits = _PREFIXES[country]
    return f"{prefix}{'12345678'[:digits]}"


def _traffic(count: int, numbers: _Numbers, dice: random.Random) -> list[Send]:
    sends = [_simulated(country, number) for country, pair in _SIMULATED.items() for number in pair]
    for index in range(count - len(sends)):
        tenant: TenantName = "acme" if index % 2 else "bolt"
        country = dice.choice([each for each in COUNTRIES[tenant] if each != CROWDED])
        sends.append(_any(tenant, numbers.draw(country), dice))
    dice.shuffle(sends)
    return sends[:count]


def _any(tenant: TenantName, to: str, dice: random.Random) -> Send:
    if tenant == "bolt":
        return _note(to, dice)
    return _code(tenant, to, dice) if dice.random() < _CAMPAIGN_SHARE else _parcel(to, dice)


def _simulated(country: str, number: str) -> Send:
    if country in COUNTRIES["bolt"]:
        return Send(tenant="bolt", body={"to": number, "body": f"Simulated in {country}"})
    return Send(
        tenant="acme",
        body={
            "to": number,
            "template": {"name": "parcel", "variables": {"name": "Simone", "number": "4711"}},
        },
    )


def _code(tenant: TenantName, to: str, dice: random.Random) -> Send:
    variables = {"code": f"{dice.randrange(10**6):06d}"}
    return Send(tenant=tenant, body={"to": to, "template": {"name": "login_code", "variables": variables}})


def _parcel(to: str, dice: random.Random) -> Send:
    variables = {
        "name": dice.choice(["Ada", "Grace", "Edsger", "Zoë", "Linus"]),
        "number": str(dice.randrange(10**4)),
    }
    return Send(tenant="acme", body={"to": to, "template": {"name": "parcel", "variables": variables}})


def _sale(to: str, dice: random.Random) -> Send:
    variables = {"percent": str(dice.randrange(5, 60))}
    return Send(tenant="acme", body={"to": to, "template": {"name": "spring_sale", "variables": variables}})


def _note(to: str, dice: random.Random) -> Send:
    order = dice.randrange(10**4)
    return Send(
        tenant="bolt",
        body={
            "to": to,
            "body": f"Bolt: order {order} is packed 📦" if order % 3 else f"Bolt: order {order} has left",
        },
    )
