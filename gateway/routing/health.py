"""
When a sender or a route counts as ill, from the outcomes of its calls: a pure rule with hysteresis.

    healthy ──a rate at its limit──▶ unhealthy ──hold over──▶ probing ──rates below lower limits──▶ healthy
                                         ▲──a rate at its limit; hold doubled──┘

The limit to become well is below the one to become ill, so that a rate near one of them does not make the
traffic swing. An ill sender gets no traffic but probes, so its rates are those of the newest probes made
since its hold ended, however long it took to make them: who sends little is not ill for longer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct, structs

HealthState = Literal["healthy", "unhealthy", "probing", "disabled"]
IllState = Literal["unhealthy", "probing", "disabled"]

WINDOW: Final = timedelta(seconds=60)
LEAST_CALLS: Final = 20
"""With fewer calls in the window, a few failures say nothing yet."""
LEAST_PROBES: Final = 5
PROBE_BUCKETS: Final = 20
"""
Buckets of calls that a probing one is judged by, the newest: the last 100 s where there are many probes, and
20 probes or more where each has a bucket to itself.
"""
HOLD: Final = timedelta(seconds=30)
LONGEST_HOLD: Final = timedelta(minutes=15)
ILL_AT: Final[Mapping[str, float]] = {"throttled": 0.8, "failed": 0.5, "unknown": 0.25}
"""Shares of the window's calls. Throttling alone is what a busy lane looks like, hence the high limit."""
WELL_AT: Final[Mapping[str, float]] = {"throttled": 0.4, "failed": 0.1, "unknown": 0.05}


class Tally(Struct, frozen=True, kw_only=True):
    """Calls of a window by what became of them."""

    answered: int = 0
    """Taken by AWS, or refused for a reason that lies with the message."""
    throttled: int = 0
    failed: int = 0
    """Certainly not taken, for a reason that lies with the identity, its account or the way to it."""
    unknown: int = 0
    """Nobody answered, or a server's error came."""

    @property
    def calls(self) -> int:
        """Return how many there were."""
        return self.answered + self.throttled + self.failed + self.unknown

    def shares(self) -> dict[str, float]:
        """Return the share of each kind of trouble; nothing for no calls."""
        if self.calls == 0:
            return {}
        return {name: getattr(self, name) / self.calls for name in ILL_AT}


class Health(Struct, frozen=True, kw_only=True):
    """Where a sender or a route stands."""

    state: HealthState = "healthy"
    reason: str = ""
    since: datetime | None = None
    """When it came into this state; a probing one is judged by the calls made since."""
    hold: timedelta = HOLD
    """How long it rests when it is found ill; doubled each time its probes fail."""


class Illness(Struct, frozen=True, kw_only=True):
    """What the choice of a sender must know of one that is not healthy."""

    state: IllState
    reason: str


def next_health(health: Health, tally: Tally, now: datetime) -> Health:
    """
    Return where it stands after this look; the same value where nothing changed.

    Args:
        tally: The calls of the window, or for a probing one the newest since `health.since`, however old.
    """
    match health.state:
        case "disabled":
            return health
        case "unhealthy":
            over = health.since is None or now - health.since >= health.hold
            return structs.replace(health, state="probing", since=now) if over else health
        case "probing":
            return _probed(health, tally, now)
        case "healthy":
            trouble = _trouble(tally, ILL_AT) if tally.calls >= LEAST_CALLS else None
            if trouble is None:
                return health
            return Health(state="unhealthy", reason=trouble, since=now, hold=HOLD)


def _probed(health: Health, tally: Tally, now: datetime) -> Health:
    if tally.calls < LEAST_PROBES:
        return health
    if (trouble := _trouble(tally, ILL_AT)) is not None:
        hold = min(health.hold * 2, LONGEST_HOLD)
        return Health(state="unhealthy", reason=trouble, since=now, hold=hold)
    if _trouble(tally, WELL_AT) is not None:
        return health
    return Health(since=now)


def _trouble(tally: Tally, limits: Mapping[str, float]) -> str | None:
    """Name the first rate at its limit."""
    for name, share in tally.shares().items():
        if share >= limits[name]:
            return f"{share:.0%} of {tally.calls} calls {_WORDS[name]}"
    return None


_WORDS: Final = {"throttled": "were throttled", "failed": "failed", "unknown": "were not answered"}
