"""
The rules of a plan that depend on where and when a message goes. Pure data.

They are members of the plan, so that they change like the rest of it: one PATCH, one policy version, in force
everywhere within a second.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

Channel = Literal["sms", "mms", "voice"]
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "mms", "voice")
QuietPolicy = Literal["off", "hold", "refuse"]
Phase = Literal["planned", "registering", "test", "live"]
ContentScreen = Literal["off", "prohibited", "restricted"]
"""
`prohibited` refuses public link shorteners and what the country's carriers never carry, `restricted` also
what they carry only under conditions.
"""
HourOfDay = Annotated[
    str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z", description="local time, HH:MM", examples=["21:00"])
]
Weekday = Annotated[int, Meta(ge=1, le=7, description="ISO weekday: 1 is Monday, 7 is Sunday")]
CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2")]


class QuietWindow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours of a day in which no promotional message may arrive; usually over midnight."""

    from_: HourOfDay = field(name="from")
    to: HourOfDay
    """Exclusive: at this minute messages may arrive again."""
    whole_days: Annotated[list[Weekday], Meta(max_length=6)] = []
    """Days that are quiet from midnight to midnight."""


class QuietHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a promotional message meets at night; otp and transactional ones always pass."""

    policy: QuietPolicy = "off"
    """`hold` schedules the message for the morning, `refuse` answers 403 `quiet_hours` with the time."""
    windows: dict[CountryCode, QuietWindow] = {}
    """Windows that replace the country's usual one."""


class Rollout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a country is on its way to being served."""

    phase: Phase = "live"
    """`planned` and `registering` refuse, `test` reaches simulator and verified numbers only."""
    daily_cap: Annotated[int, Meta(ge=1)] | None = None
    """Messages accepted in a UTC day while the country is live, whenever they leave; None for no cap."""
