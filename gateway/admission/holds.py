"""
What is held for pumping at this moment: read from Redis, which decides it, and lifted there.

Postgres keeps a copy (`tenants.protection.pumping`), from which a Redis that forgot it gets it back.
"""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from gateway.admission.projection import lift_hold, tenant_prefix
from gateway.admission.pumping import HeldPrefix, Hold, read_rule
from gateway.lanes.scripts import RedisScripts

_HELD: Final = re.compile(rb"(\d+),([1-4]),([01])")
"""Until when in ms, the rule, and whether it is enforced."""


class Holds:
    """One per API process."""

    def __init__(self, scripts: RedisScripts) -> None:
        self._scripts = scripts

    async def of(self, tenant_id: UUID, *, now_ms: int) -> Sequence[HeldPrefix]:
        """
        Return what is held, the next to end first.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        fields = await self._scripts.hash(f"{tenant_prefix(tenant_id)}:pump:held")
        found = [_read(name, value) for name, value in fields.items() if name[:1] != b"#"]
        return sorted(
            (each for each in found if each is not None and each.hold.until_ms > now_ms),
            key=lambda each: (each.hold.until_ms, each.workflow, each.hold.scope),
        )

    async def lift(self, tenant_id: UUID, workflow: str, prefix: str) -> bool:
        """
        End a hold now; False if there is none.

        Raises:
            RedisUnavailable: It may still hold.
        """
        return await lift_hold(self._scripts, tenant_id, workflow, prefix)


def _read(name: bytes, value: bytes) -> HeldPrefix | None:
    """What nobody can read holds nothing, as for `pumping.lua`."""
    found = _HELD.fullmatch(value)
    if found is None:
        return None
    workflow, _, prefix = name.decode(errors="replace").partition("|")
    until_ms, rule, enforced = (int(each) for each in found.groups())
    hold = Hold(rule=read_rule(rule), scope=prefix, until_ms=until_ms, enforced=enforced == 1)
    return HeldPrefix(workflow=workflow, hold=hold)
