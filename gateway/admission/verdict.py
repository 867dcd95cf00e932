"""
What is asked of the admission script, and what it answers.

    Verdict
    ├── Admitted       go on to intake
    ├── Refused        a named gate said no; nothing was stored, nothing charged
    ├── StalePolicy    Redis knows a newer policy than the caller: reload from Postgres, ask again
    └── Unprojected    Redis does not know the tenant, or not well enough: project, ask again
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from gateway.admission.pumping import Hold, Watched, read_rule

GateName = Literal[
    "tenant_suspended",
    "not_live",
    "template_required",
    "template_not_allowed",
    "country_not_allowed",
    "opted_out",
    "protect_blocked",
    "pumping_suspected",
    "rate_limited",
    "queue_full",
    "daily_cap_reached",
]
Scope = Literal["requests", "country", "country_rule", "number_override"]


class Admission(Struct, frozen=True, kw_only=True):
    """One message that wants to enter; the edge has parsed, rendered and priced it."""

    tenant_id: UUID
    policy_version: int
    """The version of the policy that the edge used for its own decisions."""
    live: bool
    """True for a live key, False for a test key."""
    country: str
    template: tuple[UUID, int] | None
    """The template and its version; None for free text."""
    recipient_hash: bytes
    """8 to 16 bytes, as in the opt-out sets."""
    use_cases: tuple[str, ...]
    """The opt-out lists that forbid this message, for example `("all", "promotional")`."""
    parts: int
    estimated_wait_ms: int
    ttl_ms: int
    scheduled: bool = False
    """Whether it waits for a time to come: then the country's rate of now neither judges nor counts it."""
    counted: bool = False
    """Whether the request it came in is counted already, as a batch is; then its rate is not asked."""
    protect: UUID | None = None
    """The protect configuration that decides, by this version of the policy; None for none."""
    channel: str = "sms"
    watched: Watched | None = None
    """How it is watched for pumping; None for traffic that is not."""


class Admitted(Struct, frozen=True, kw_only=True, tag="admitted"):
    """Every gate is open, and the rates are charged."""

    remaining: int | None
    """Requests that may follow at once; None when the plan has no request rate."""
    reset_ms: int
    """Milliseconds until the whole allowance is back."""
    parts_left: int | None = None
    """Message parts that may follow at once to the country; None where no rate to it was asked."""
    parts_reset_ms: int = 0
    """Milliseconds until the whole of that allowance is back."""
    raised: Hold | None = None
    """A hold on later messages that this one raised: it was the one too many that looked like pumping."""


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """Nothing was charged."""

    gate: GateName
    retry_after_ms: int | None = None
    """Set only where waiting helps: when the gate opens next."""
    scope: Scope | None = None
    """Which rate, for `rate_limited`; which rule, for `protect_blocked`."""
    hold: Hold | None = None
    """What stands in the way, for `pumping_suspected`."""


class StalePolicy(Struct, frozen=True, kw_only=True, tag="stale_policy"):
    """The caller's policy is older than the one that holds."""

    version: int


class Unprojected(Struct, frozen=True, kw_only=True, tag="unprojected"):
    """Redis has no policy, an older one, or no opt-outs; that never reads as "nobody opted out"."""


Verdict: TypeAlias = Admitted | Refused | StalePolicy | Unprojected

_REFUSALS: dict[int, tuple[GateName, Scope | None]] = {
    10: ("tenant_suspended", None),
    11: ("not_live", None),
    12: ("template_required", None),
    13: ("template_not_allowed", None),
    14: ("country_not_allowed", None),
    15: ("opted_out", None),
    16: ("protect_blocked", "country_rule"),
    17: ("protect_blocked", "number_override"),
    20: ("rate_limited", "requests"),
    21: ("rate_limited", "country"),
    22: ("queue_full", None),
    23: ("daily_cap_reached", None),
}
_WAITING_HELPS = frozenset({20, 21, 22, 23})
_BARE_ANSWER = 3
_LEFT = 5
"""The code and what is left of both rates: an admission's answer before its hold."""
_NO_RATE = -1


def read_verdict(answer: Sequence[int | bytes]) -> Verdict:
    """Return the verdict behind the script's answer: a code of the list in `admit.lua` and its numbers."""
    code, first, second = (int(each) for each in answer[:_BARE_ANSWER])
    match code:
        case 0:
            return _admitted(answer)
        case 1:
            return Unprojected()
        case 2:
            return StalePolicy(version=first)
        case 18:
            hold = _hold(second, answer[3], int(answer[4]), enforced=True)
            return Refused(gate="pumping_suspected", retry_after_ms=first, hold=hold)
        case _:
            gate, scope = _REFUSALS[code]
            return Refused(gate=gate, scope=scope, retry_after_ms=first if code in _WAITING_HELPS else None)


def _admitted(answer: Sequence[int | bytes]) -> Admitted:
    requests, reset_ms, parts, parts_reset_ms = (int(each) for each in answer[1:_LEFT])
    return Admitted(
        remaining=None if requests == _NO_RATE else requests,
        reset_ms=reset_ms,
        parts_left=None if parts == _NO_RATE else parts,
        parts_reset_ms=parts_reset_ms,
        raised=_raised(answer[_LEFT:]),
    )


def _raised(rest: Sequence[int | bytes]) -> Hold | None:
    if not rest:
        return None
    rule, scope, until_ms, enforced = rest
    return _hold(int(rule), scope, int(until_ms), enforced=int(enforced) == 1)


def _hold(rule: int, scope: int | bytes, until_ms: int, *, enforced: bool) -> Hold:
    name = scope.decode() if isinstance(scope, bytes) else str(scope)
    return Hold(rule=read_rule(rule), scope=name, until_ms=until_ms, enforced=enforced)
