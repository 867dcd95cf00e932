"""Which AWS opt-out list follows which tenant's ledger, and how far it has."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.optouts.models import OptOutLink
from tenants.scope import TenantScope

_TARGETS: Final = text(
    """
    SELECT DISTINCT p.tenant_id, p.account_id, p.opt_out_list FROM pools p
    JOIN tenants t ON t.id = p.tenant_id
    WHERE p.opt_out_list <> 'Default' AND t.state <> 'closed' AND NOT EXISTS (
        SELECT FROM two_way_settings w
        JOIN senders s ON s.tenant_id = w.tenant_id AND s.id = w.sender_id
        WHERE w.tenant_id = p.tenant_id AND s.account_id = p.account_id AND w.opt_outs = 'self_managed')
    ORDER BY p.tenant_id, p.account_id
    """
)
Key = tuple[UUID, UUID, str]


class Target(Struct, frozen=True, kw_only=True):
    """One list of one account."""

    tenant_id: UUID
    account_id: UUID
    aws_list: str

    @property
    def scope(self) -> TenantScope:
        """The tenant whose ledger it follows."""
        return TenantScope(tenant_id=self.tenant_id)

    @property
    def key(self) -> Key:
        """What its row is found by."""
        return self.tenant_id, self.account_id, self.aws_list

    def new_link(self) -> OptOutLink:
        """Return the row of a list that has followed nothing yet."""
        return OptOutLink(
            tenant_id=self.tenant_id, account_id=self.account_id, aws_list=self.aws_list, drift=[]
        )


async def targets_of(session: AsyncSession) -> Sequence[Target]:
    """Return every list that follows a ledger; needs a worker's session."""
    rows = await session.execute(_TARGETS)
    return [
        Target(tenant_id=row.tenant_id, account_id=row.account_id, aws_list=row.opt_out_list) for row in rows
    ]


async def links_of(session: AsyncSession) -> dict[Key, OptOutLink]:
    """Return how far each list has followed; needs a worker's session."""
    rows = await session.scalars(select(OptOutLink))
    return {(row.tenant_id, row.account_id, row.aws_list): row for row in rows}


async def put_link(session: AsyncSession, link: OptOutLink) -> None:
    """Write down how far a list has followed."""
    await session.merge(link)
