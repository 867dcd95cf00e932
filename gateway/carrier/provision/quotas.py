"""Whether an account has room for what a plan makes. Pure; AWS gives 25 of most kinds, adjustable."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.carrier.provision.shapes import WARN_AT, Kind, Quota, Step

LIMITS: Final[Mapping[Kind, str]] = {
    "number": "PHONE_NUMBERS",
    "sender_id": "SENDER_IDS",
    "opt_out_list": "OPT_OUT_LISTS",
    "configuration_set": "CONFIGURATION_SETS",
    "pool": "POOLS",
    "protect": "PROTECT_CONFIGURATIONS",
}
"""AWS's name of the limit that a new thing counts against."""
_WAY_OUT: Final[Mapping[str, str]] = {
    "POOLS": "say `dedicated_pool` false, name another AWS account, or ask AWS for more pools",
    "PROTECT_CONFIGURATIONS": "the gateway enforces the rest alone, or ask AWS for more",
}
_USUAL_WAY_OUT: Final = (
    "name another AWS account, tear down a tenant that left, or ask AWS for a higher quota"
)


def quota_findings(steps: Iterable[Step], quotas: Mapping[str, Quota]) -> tuple[list[str], list[str]]:
    """Return warnings from four fifths of a quota on, and refusals where a new thing would not fit."""
    made = Counter(LIMITS[step.kind] for step in steps if step.action == "create" and step.kind in LIMITS)
    warnings: list[str] = []
    refusals: list[str] = []
    for name, quota in sorted(quotas.items()):
        after = quota.used + made[name]
        said = f"{quota.used} of {quota.most} {name.lower().replace('_', ' ')} are used"
        if made[name] and after > quota.most:
            refusals.append(f"{said}, {made[name]} more do not fit: {_WAY_OUT.get(name, _USUAL_WAY_OUT)}")
        elif after >= WARN_AT * quota.most:
            warnings.append(f"{said}, {after} after this plan")
    return warnings, refusals
