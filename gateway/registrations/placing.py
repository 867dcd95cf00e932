"""Where a sender goes that an approval made: into a pool that it fits, if there is one."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.membership import join_a_pool
from tenants.senders.models import Sender

_log = structlog.get_logger(__name__)


async def place(scope: TenantScope, session: AsyncSession, sender: Sender) -> None:
    """Let a sender join a pool; one that fits none is the tenant's all the same, and waits for a pool."""
    try:
        await join_a_pool(scope, session, sender)
    except Conflict as misfit:
        _log.warning("sender_in_no_pool", sender=encode("idn", sender.id), why=misfit.code)
