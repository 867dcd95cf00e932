"""The admission gate: one script call per message, and the projection it depends on."""

from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from gateway.admission import projection
from gateway.admission.peeking import Peek, read_peek
from gateway.admission.policy import TenantPolicy
from gateway.admission.projection import ReadOptOuts, tenant_prefix
from gateway.admission.pumping import HeldPrefix, Watched
from gateway.admission.verdict import Admission, Verdict, read_verdict
from gateway.lanes.scripts import Argument, RedisScripts, read_script

ADMIT = read_script("gateway.admission", "rates.lua", "pumping.lua", "admit.lua")
"""The one call of an admission."""
_REQUEST = read_script("gateway.admission", "rates.lua", "request.lua")
_PEEK = read_script("gateway.admission", "rates.lua", "pumping.lua", "peek.lua")


def script_arguments(admission: Admission, now_us: int | Literal[""] = "") -> list[Argument]:
    """
    Return what `admit.lua` is told of a message.

    Args:
        now_us: The time in microseconds for tests; empty for Redis's own.
    """
    template, version = ("", 0) if admission.template is None else admission.template
    return [
        admission.policy_version,
        int(admission.live),
        admission.country,
        template if isinstance(template, str) else template.hex,
        version,
        admission.recipient_hash,
        admission.parts,
        admission.estimated_wait_ms,
        admission.ttl_ms,
        now_us,
        "" if admission.protect is None else admission.protect.hex,
        admission.channel,
        "" if admission.watched is None else admission.watched.probe,
        int(admission.scheduled),
        int(admission.counted),
        *admission.use_cases,
    ]


class AdmissionGate:
    """
    Decides whether a message may enter.

    Args:
        clock_us: The time in microseconds for tests; None for Redis's own.
    """

    def __init__(self, scripts: RedisScripts, *, clock_us: Callable[[], int] | None = None) -> None:
        self._scripts = scripts
        self._clock_us = clock_us

    async def decide(self, admission: Admission) -> Verdict:
        """
        Return the verdict; rates are charged only by `Admitted`.

        Raises:
            RedisUnavailable: Nobody can say; the caller decides what to accept without Redis.
        """
        arguments = script_arguments(admission, self._now_us())
        return read_verdict(await self._scripts.run(ADMIT, tenant_prefix(admission.tenant_id), arguments))

    async def count_request(self, tenant_id: UUID, *, live: bool) -> Verdict:
        """
        Count one request that carries many messages; `Unprojected` has counted nothing.

        Args:
            live: Whether the key is a live one; test keys have rates of their own.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        arguments: list[Argument] = [int(live), self._now_us()]
        return read_verdict(await self._scripts.run(_REQUEST, tenant_prefix(tenant_id), arguments))

    async def peek(
        self,
        tenant_id: UUID,
        country: str,
        *,
        live: bool = True,
        watched: Watched | None = None,
        recipient_hash: bytes = b"",
    ) -> Peek | None:
        """
        Return what the counters say of a message, charging nothing; None while Redis knows no such tenant.

        Args:
            live: Whether the key is a live one; test keys have rates of their own.

        Raises:
            RedisUnavailable: Nobody can say.
        """
        arguments: list[Argument] = [
            country,
            self._now_us(),
            "" if watched is None else watched.probe,
            recipient_hash,
            int(live),
        ]
        return read_peek(await self._scripts.run(_PEEK, tenant_prefix(tenant_id), arguments))

    async def project(
        self,
        policy: TenantPolicy,
        read_opt_outs: ReadOptOuts | None = None,
        *,
        holds: Sequence[HeldPrefix] = (),
    ) -> bool:
        """
        Write the policy, and with `read_opt_outs` give back holds and replace the opt-outs by what it reads.

        False when a newer policy is there already, or another process is replacing the opt-outs; asking for a
        verdict again tells which.
        """
        if not await projection.write_policy(self._scripts, policy):
            return False
        if read_opt_outs is None:
            return True
        await projection.restore_holds(self._scripts, policy.tenant_id, holds)
        return await projection.replace_opt_outs(self._scripts, policy.tenant_id, read_opt_outs)

    async def add_opt_out(self, tenant_id: UUID, use_case: str, recipient_hash: bytes) -> None:
        """Refuse this recipient from now on; Postgres has committed the opt-out."""
        await projection.add_opt_out(self._scripts, tenant_id, use_case, recipient_hash)

    async def put_override(
        self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes, mark: bytes
    ) -> None:
        """Let a protect configuration say `mark` (see `admit.lua`) of a recipient; Postgres has committed."""
        await projection.put_override(self._scripts, tenant_id, configuration_id, recipient_hash, mark)

    async def remove_override(self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes) -> None:
        """Let a protect configuration say nothing of a recipient; Postgres has committed."""
        await projection.remove_override(self._scripts, tenant_id, configuration_id, recipient_hash)

    async def remove_opt_out(self, tenant_id: UUID, use_case: str, recipient_hash: bytes) -> None:
        """Allow this recipient again; Postgres has committed."""
        await projection.remove_opt_out(self._scripts, tenant_id, use_case, recipient_hash)

    def _now_us(self) -> int | Literal[""]:
        return "" if self._clock_us is None else self._clock_us()
