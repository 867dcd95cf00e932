"""What the gate says of a send: asked in Redis, and of the truth in Postgres while Redis cannot answer."""

import asyncio
from typing import Final

from gateway.admission.coarse_velocity import CoarseVelocity
from gateway.admission.fallback import decide_without_redis
from gateway.admission.gate import AdmissionGate
from gateway.admission.pumping import Hold
from gateway.admission.verdict import Admission, Admitted, Refused, Unprojected, Verdict
from gateway.clock import Clock
from gateway.intake.policies import Policies
from gateway.intake.snapshot import policy_of
from gateway.lanes.errors import RedisUnavailable

_TRUTH_AGE_S: Final = 1.0
"""A change of policy is in force everywhere within a second, with Redis or without."""
_OTHERS_FILL_S: Final = 0.1
"""What another process needs to project a tenant with few opt-outs."""


class Admitting:
    """Asks the gate; goes on without Redis."""

    def __init__(self, gate: AdmissionGate, policies: Policies, clock: Clock) -> None:
        self._gate = gate
        self._policies = policies
        self._clock = clock
        self._coarse = CoarseVelocity()

    async def verdict(self, admission: Admission) -> Verdict:
        """Ask the gate; with Redis away, or while it is filled, ask the truth: slower, but it goes on."""
        try:
            verdict = await self._gate.decide(admission)
            if not isinstance(verdict, Unprojected) or await self._policies.fill(admission.tenant_id):
                return verdict
            await asyncio.sleep(_OTHERS_FILL_S)
            verdict = await self._gate.decide(admission)
            if not isinstance(verdict, Unprojected):
                return verdict
        except RedisUnavailable:
            pass  # unlike `suppress`, this costs nothing where nothing is raised
        snapshot = await self._policies.no_older_than(admission.tenant_id, _TRUTH_AGE_S)
        opted_out = await self._policies.stands_on_a_list(
            admission.tenant_id, admission.recipient_hash, admission.use_cases
        )
        override = await self._policies.override_that_holds(
            admission.tenant_id, admission.protect, admission.recipient_hash
        )
        verdict = decide_without_redis(policy_of(snapshot), admission, opted_out=opted_out, override=override)
        return verdict if isinstance(verdict, Refused) else await self._coarsely(admission, verdict)

    async def _coarsely(self, admission: Admission, admitted: Admitted) -> Verdict:
        """Stop what is held, and the plainest pumping, while the counters that processes share are away."""
        watched = admission.watched
        if watched is None or not watched.enforced:
            return admitted
        now_ms = int(self._clock.now().timestamp() * 1000)
        kept = await self._policies.hold_on(admission.tenant_id, watched)
        if kept is not None:
            return Refused(gate="pumping_suspected", retry_after_ms=kept.until_ms - now_ms, hold=kept)
        wait_ms = self._coarse.wait_ms((admission.tenant_id, watched.workflow, watched.block), now_ms)
        if wait_ms is None:
            return admitted
        hold = Hold(rule="prefix", scope=watched.block, until_ms=now_ms + wait_ms, enforced=True)
        return Refused(gate="pumping_suspected", retry_after_ms=wait_ms, hold=hold)
