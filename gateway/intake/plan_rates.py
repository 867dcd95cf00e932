"""Where a tenant stands with the rates of its plan: counted for a batch, looked at beside an answer."""

from contextlib import suppress
from uuid import UUID

from gateway.admission.gate import AdmissionGate
from gateway.admission.peeking import Peek
from gateway.admission.verdict import Admitted, Refused, Unprojected
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import GatewayError
from gateway.intake.outcome import Declined, RateState
from gateway.intake.policies import Policies
from gateway.intake.rate_states import looked_at
from gateway.intake.refusals import requests_used_up
from gateway.lanes.errors import RedisUnavailable
from tenants.errors import TenantsError
from tenants.scope import TenantScope


class PlanRates:
    """Asks the gate's counters; while nobody can say where a rate stands it is open."""

    def __init__(self, gate: AdmissionGate, policies: Policies) -> None:
        self._gate = gate
        self._policies = policies

    async def count_request(self, scope: TenantScope) -> Admitted | Declined:
        """
        Count a request that carries many messages.

        While nobody can say where the rate stands it is open, as for a single send.
        """
        with suppress(GatewayError, TenantsError, *DATABASE_FAULTS):
            plan = (await self._policies.of(scope.tenant_id)).plan
            if plan.requests_per_second is not None:
                verdict = await self._gate.count_request(scope.tenant_id, live=scope.live)
                if isinstance(verdict, Unprojected) and await self._policies.fill(scope.tenant_id):
                    verdict = await self._gate.count_request(scope.tenant_id, live=scope.live)
                match verdict:
                    case Admitted() as admitted:
                        return admitted
                    case Refused() as refused:
                        return requests_used_up(refused, plan)
                    case _:
                        pass
        return Admitted(remaining=None, reset_ms=0)

    async def standing(
        self, tenant_id: UUID, *, live: bool, country: str | None = None
    ) -> tuple[RateState, ...]:
        """
        Return where a tenant's live or test keys stand with the request rate, and with that to a country.

        Charges nothing. It stands beside an answer that is made already, so it never fails: who cannot be
        asked says nothing.
        """
        with suppress(GatewayError, TenantsError, *DATABASE_FAULTS):
            plan = (await self._policies.of(tenant_id)).plan
            refusing = plan.burst == "refuse" and country is not None and plan.mps(country) is not None
            found: Peek | None = None
            if plan.requests_per_second is not None or refusing:
                with suppress(RedisUnavailable):
                    found = await self._gate.peek(tenant_id, country or "", live=live)
            return looked_at(plan, country, found)
        return ()
