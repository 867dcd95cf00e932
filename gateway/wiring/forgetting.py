"""The scheduler's rounds that take away what has been kept for long enough, or is to be forgotten."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from gateway.admission.projection import tenant_prefix
from gateway.db.old_rows import delete_old
from gateway.db.transaction import worker_transaction
from gateway.inbound.forgetting import forget_old_texts
from gateway.insight.erasing import Erasures
from gateway.media.store import forget_expired
from gateway.messages.bodies import Bodies, keepings
from gateway.rounds import Round
from gateway.wiring.resources import Resources
from tenants.protection.overrides import KEPT

_STRAYS_KEPT: Final = timedelta(days=30)
"""Events of nobody are evidence for a while, and then somebody's personal data."""


def forgetting_rounds(shared: Resources) -> list[Round]:
    """Return the rounds; any number of schedulers may run them."""
    pool = shared.pool

    async def forget_keys() -> None:
        await delete_old(pool, "idempotency_keys", "expires_at")

    async def forget_media() -> None:
        async with worker_transaction(shared.worker_engine) as session:
            await forget_expired(session)

    async def forget_quarantined() -> None:
        await delete_old(pool, "quarantined_messages", "quarantined_at", kept_for=_STRAYS_KEPT)

    async def forget_strays() -> None:
        await delete_old(pool, "parked_receipts", "received_at", kept_for=_STRAYS_KEPT)

    async def forget_inbound() -> None:
        await forget_old_texts(pool, timedelta(days=shared.settings.inbound_kept_days))

    async def forget_overrides() -> None:
        await delete_old(pool, "protect_overrides", "expires_at", kept_for=KEPT)

    async def forget_in_redis(tenant_id: UUID) -> None:
        await shared.scripts.delete_prefixed(tenant_prefix(tenant_id))

    erasures = Erasures(pool, shared.worker_engine, forget_in_redis, shared.clock)
    bodies = Bodies(pool, shared.clock)

    async def purge_bodies() -> int:
        settings = shared.settings
        otp = timedelta(hours=settings.otp_bodies_kept_hours)
        return await bodies.purge(
            await keepings(pool, otp=otp, other=timedelta(days=settings.bodies_kept_days))
        )

    return [
        Round(name="old_bodies", every_s=60.0, work=purge_bodies),
        Round(name="old_strays", every_s=3600.0, work=forget_strays),
        Round(name="old_quarantined", every_s=3600.0, work=forget_quarantined),
        Round(name="old_inbound", every_s=3600.0, work=forget_inbound),
        Round(name="expired_overrides", every_s=3600.0, work=forget_overrides),
        Round(name="expired_media", every_s=3600.0, work=forget_media),
        Round(name="expired_keys", every_s=600.0, work=forget_keys),
        Round(name="erasures", every_s=1.0, at_rest_s=4.0, work=erasures.work),
    ]
