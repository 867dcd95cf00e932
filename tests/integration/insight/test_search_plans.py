"""A search walks an index of its tenant's messages: what Postgres plans, under row-level security."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable

from gateway.db.transaction import tenant_transaction
from gateway.insight import search
from gateway.insight.search import SearchTooWide, Wanted
from gateway.messages.models import Message
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tests.harness.stored import MANY

ROWS = 20_000
TENANT = new_uuid()
SCOPE = TenantScope(tenant_id=TENANT)
DIGEST = bytes.fromhex("c4ca4238a0b923820dcc509a6f75849b")
"""md5 of `1`, as `MANY` hashes its recipients."""


class Explain(Executable, ClauseElement):
    """EXPLAIN of a select, its parameters bound as they are in use."""

    inherit_cache = False

    def __init__(self, statement) -> None:
        self.statement = statement


@compiles(Explain)
def _explain(element, compiler, **kwargs):
    return "EXPLAIN (FORMAT TEXT) " + compiler.process(element.statement, **kwargs)


@pytest.fixture(scope="module")
async def history(database) -> None:
    """Twenty thousand messages of one tenant and as many of another, and what the planner knows of them."""
    for tenant_id in (TENANT, new_uuid()):
        await database.execute(MANY, tenant_id, ROWS)
    await database.execute("ANALYZE messages")


@pytest.fixture
async def session(app_engine, history) -> AsyncIterator[AsyncSession]:
    """The tenant's session."""
    async with tenant_transaction(app_engine, SCOPE) as opened, search.bounded(opened):
        yield opened


async def plan_of(session: AsyncSession, wanted: Wanted, after: UUID | None = None) -> str:
    """What Postgres would do for a page of the search."""
    owned = select(Message).where(Message.tenant_id == SCOPE.tenant_id, Message.test.is_(False))
    query = search.narrowed(owned, wanted, limit=51, after=after)
    return "\n".join((await session.scalars(Explain(query))).all())


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(recipients=((TENANT, DIGEST),)), "recipient_hash"),
        (Wanted(status="failed"), "bad_end"),
        (Wanted(reason="carrier_failed"), "reason_code"),
        (Wanted(client_reference="order 7"), "client_reference"),
        (Wanted(provider_message_id="aws-1"), "provider_message_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_search_by_what_has_an_index_uses_it(session, wanted, index) -> None:
    """Otherwise a number that was texted twice costs a walk over the tenant's whole life."""
    plan = await plan_of(session, wanted)
    assert "Seq Scan on messages" not in plan, plan
    assert re.search(rf"Index (Only )?Scan.*messages_\d{{6}}_\w*{index}", plan), plan


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(country="US"),
        Wanted(carrier="Example Mobile"),
        Wanted(context={"campaign": "spring"}),
        Wanted(created_after=datetime.now(UTC) - timedelta(hours=1)),
        Wanted(created_before=datetime.now(UTC) - timedelta(hours=1)),
        Wanted(status="delivered", type="otp", sender="+12065550100"),
    ],
    ids=lambda wanted: "_".join(name for name in wanted.__struct_fields__ if getattr(wanted, name)) or "all",
)
async def test_any_other_search_walks_the_tenants_own_messages(session, wanted) -> None:
    """Newest first along the primary key: another tenant's rows are never read."""
    plan = await plan_of(session, wanted)
    assert "Seq Scan on messages" not in plan, plan
    assert "tenant_id = " in plan, plan


async def test_a_span_bounds_the_ids_that_are_walked(session) -> None:
    """An hour in the middle costs an hour's entries, not all that came after it."""
    at = datetime.now(UTC) - timedelta(hours=3)
    found = await search.page(
        SCOPE,
        session,
        Wanted(created_after=at, created_before=at + timedelta(hours=1), carrier="nobody"),
        limit=50,
    )
    assert found == []
    plan = await plan_of(session, Wanted(created_after=at, created_before=at + timedelta(hours=1)))
    assert re.search(r"Index Cond: .*id >= .*id <= ", plan), plan


async def test_a_walk_that_takes_too_long_is_ended(session) -> None:
    """One tenant's search must not hold a connection that sends wait for."""
    with pytest.raises(SearchTooWide):
        async with search.bounded(session, longest_ms=1):
            await search.page(SCOPE, session, Wanted(context={"no": "such"}), limit=50)
