"""Which numbers and pools at AWS answer STOP and HELP with a tenant's words, and with which."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.keywords import service, store
from tenants.keywords.models import KeywordLink
from tenants.keywords.texts import chosen, filled
from tenants.keywords.words import BuiltIn
from tenants.scope import TenantScope

ANSWERED_BY_AWS: Final[tuple[BuiltIn, ...]] = ("STOP", "HELP")
_TARGETS: Final = text(
    """
    SELECT o.tenant_id, o.account_id, o.arn FROM (
        SELECT s.tenant_id, s.account_id, coalesce(p.aws_pool_arn, s.arn) AS arn,
            bool_or(w.opt_outs IS NOT DISTINCT FROM 'self_managed') AS ours,
            bool_and(s.type = 'TOLL_FREE') AS networks
        FROM senders s JOIN tenants t ON t.id = s.tenant_id AND t.state <> 'closed'
        LEFT JOIN two_way_settings w ON w.tenant_id = s.tenant_id AND w.sender_id = s.id
        LEFT JOIN LATERAL (
            SELECT pool.aws_pool_arn FROM pool_senders m
            JOIN pools pool ON pool.tenant_id = m.tenant_id AND pool.id = m.pool_id
            WHERE m.tenant_id = s.tenant_id AND m.sender_id = s.id AND pool.aws_pool_arn IS NOT NULL
            ORDER BY pool.id LIMIT 1) p ON true
        WHERE s.state <> 'released' AND s.type IN ('SHORT_CODE', 'TEN_DLC', 'LONG_CODE', 'TOLL_FREE')
            AND (EXISTS (
                    SELECT FROM keyword_texts k
                    WHERE k.tenant_id = s.tenant_id AND k.language = '' AND k.keyword IN ('STOP', 'HELP'))
                OR EXISTS (SELECT FROM keyword_links l WHERE l.tenant_id = s.tenant_id AND l.told <> '{}'))
            AND NOT EXISTS (
                SELECT FROM senders o
                WHERE o.value = s.value AND o.arn = s.arn AND o.tenant_id <> s.tenant_id
                    AND o.state <> 'released')
        GROUP BY 1, 2, 3) AS o
    LEFT JOIN keyword_links l USING (tenant_id, account_id, arn)
    WHERE NOT o.ours AND NOT o.networks AND (l.retry_at IS NULL OR l.retry_at <= :now)
        AND (l.compared_at IS NULL OR l.compared_at <= :old
            OR EXISTS (
                SELECT FROM keyword_texts k
                WHERE k.tenant_id = o.tenant_id AND k.language = '' AND k.keyword IN ('STOP', 'HELP')
                    AND (k.updated_at > l.compared_at - CAST(:slack AS interval)
                        OR NOT jsonb_exists(l.told, k.keyword)))
            OR EXISTS (
                SELECT FROM jsonb_object_keys(l.told) AS told (keyword) WHERE NOT EXISTS (
                    SELECT FROM keyword_texts k WHERE k.tenant_id = o.tenant_id AND k.language = ''
                        AND k.keyword = told.keyword)))
    ORDER BY 1, 2, 3
    """
)
"""
Those that may be due. Not where the gateway answers itself, nor the carriers' network, nor where tenants
share a number.
"""
_SLACK: Final = timedelta(minutes=5)
"""A change is dated when its transaction begins; whoever looked before it ended looks again."""
Key = tuple[UUID, UUID, str]


class KeywordTarget(Struct, frozen=True, kw_only=True):
    """A number, or an AWS pool that speaks for its numbers."""

    tenant_id: UUID
    account_id: UUID
    arn: str

    @property
    def key(self) -> Key:
        """What its row is found by."""
        return self.tenant_id, self.account_id, self.arn

    def new_link(self) -> KeywordLink:
        """Return the row of a target that was told nothing yet."""
        return KeywordLink(
            tenant_id=self.tenant_id, account_id=self.account_id, arn=self.arn, told={}, drift=[]
        )


async def targets_of(session: AsyncSession, *, now: datetime, old: datetime) -> Sequence[KeywordTarget]:
    """
    Return the targets that may be due; needs a worker's session.

    Args:
        old: Who was compared by then is compared anew.
    """
    rows = await session.execute(_TARGETS, {"now": now, "old": old, "slack": _SLACK})
    return [KeywordTarget(tenant_id=row.tenant_id, account_id=row.account_id, arn=row.arn) for row in rows]


async def links_of(session: AsyncSession, targets: Sequence[KeywordTarget]) -> dict[Key, KeywordLink]:
    """Return what each target was told; needs a worker's session."""
    theirs = KeywordLink.tenant_id.in_({target.tenant_id for target in targets})
    rows = await session.scalars(select(KeywordLink).where(theirs))
    return {(row.tenant_id, row.account_id, row.arn): row for row in rows}


async def words_of(scope: TenantScope, session: AsyncSession) -> Mapping[str, tuple[str, bool]]:
    """Return what each keyword is to answer, and whether the tenant said so; its text for all languages."""
    texts = await store.texts(scope, session)
    brand = (await service.brands_of(scope, session))[0]
    return {
        keyword: (filled(chosen(keyword, None, texts), brand), (keyword, "") in texts)
        for keyword in ANSWERED_BY_AWS
    }
