"""Queries on keywords."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.ids import new_uuid
from tenants.keywords.models import Keyword, KeywordText
from tenants.scope import TenantScope


async def keyword(scope: TenantScope, session: AsyncSession, keyword_id: UUID) -> Keyword | None:
    """Return the tenant's keyword, or None if it is absent or someone else's."""
    owned = Keyword.tenant_id == scope.tenant_id
    return await session.scalar(select(Keyword).where(owned, Keyword.id == keyword_id))


async def same(scope: TenantScope, session: AsyncSession, folded: str, country: str) -> Keyword | None:
    """Return the tenant's keyword that reads the same in a country."""
    query = select(Keyword).where(
        Keyword.tenant_id == scope.tenant_id, Keyword.folded == folded, Keyword.country == country
    )
    return await session.scalar(query)


async def count(scope: TenantScope, session: AsyncSession) -> int:
    """Return how many keywords the tenant has."""
    query = select(func.count()).select_from(Keyword).where(Keyword.tenant_id == scope.tenant_id)
    return await session.scalar(query) or 0


async def keywords(
    scope: TenantScope, session: AsyncSession, *, limit: int | None = None, after: UUID | None = None
) -> Sequence[Keyword]:
    """Return keywords of the tenant, the newest first; all of them where no limit is given."""
    query = select(Keyword).where(Keyword.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Keyword.id < after)
    return (await session.scalars(query.order_by(Keyword.id.desc()).limit(limit))).all()


async def add(scope: TenantScope, session: AsyncSession, **values: Any) -> Keyword:
    """Add a keyword."""
    row = Keyword(tenant_id=scope.tenant_id, id=new_uuid(), registered=False, **values)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row


async def texts(scope: TenantScope, session: AsyncSession) -> dict[tuple[str, str], str]:
    """Return the tenant's texts for built-in words, by word and language."""
    rows = await session.scalars(select(KeywordText).where(KeywordText.tenant_id == scope.tenant_id))
    return {(row.keyword, row.language): row.text for row in rows}


async def put_text(scope: TenantScope, session: AsyncSession, keyword: str, language: str, text: str) -> None:
    """Set what a built-in word answers in a language."""
    values = {"tenant_id": scope.tenant_id, "keyword": keyword, "language": language, "text": text}
    key = ("tenant_id", "keyword", "language")
    statement = insert(KeywordText).values(values)
    changed = {"text": text, "updated_at": func.now()}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


async def drop_text(scope: TenantScope, session: AsyncSession, keyword: str, language: str) -> None:
    """Forget the tenant's text, so that the next best one is answered."""
    await session.execute(
        delete(KeywordText).where(
            KeywordText.tenant_id == scope.tenant_id,
            KeywordText.keyword == keyword,
            KeywordText.language == language,
        )
    )
