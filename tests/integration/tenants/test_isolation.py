"""
Tenants apart, with the application's own predicates removed.

Every query of the stores names its tenant; these tests ask without, as a forgotten `where` would, and
row-level security alone has to answer.
"""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.access import service as access
from tenants.access.models import ApiKey
from tenants.access.service import NewKey
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.audit import store as audit
from tenants.audit.models import AuditRow
from tenants.credits import service as money
from tenants.credits.models import Balance, Transfer
from tenants.endpoints import service as endpoints
from tenants.endpoints.models import WebhookEndpoint
from tenants.endpoints.subscription import NewEndpoint
from tenants.optouts import service as optouts
from tenants.optouts.models import OptOut
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders.models import ConfigurationSet, Pool, PoolSender, Sender
from tenants.senders.service import AccountFacts, PoolFacts, SenderFacts
from tenants.templates import service as templates
from tenants.templates.authoring import Wording
from tenants.templates.models import Template, TemplateVersion

SECRET_KEY = "a secret key of the operator"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

TABLES = [
    ApiKey, AuditRow, Balance, ConfigurationSet, OptOut, Pool, PoolSender, Sender, Template, TemplateVersion,
    Transfer, WebhookEndpoint,
]  # fmt: skip


async def furnish(session: AsyncSession, scope: TenantScope) -> None:
    """Give a tenant a row in every table."""
    data_key = accounts.data_key_of(await accounts.get(scope, session), SECRET_KEY)
    new_key = NewKey(mode="live", expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    await access.create_key(scope, session, new_key, pepper=bytes(32), now=NOW)
    await money.top_up(scope, session, amount=100)
    await templates.create(scope, session, name="x", wording=Wording(body="hello", type="otp"))
    await optouts.put(scope, session, data_key, number="+12065550100")
    await endpoints.create(scope, session, data_key, NewEndpoint(url="https://a.example/"), secret="s")
    account = await senders.ensure_account(session, AccountFacts(region="us-east-1"))
    facts = SenderFacts(
        account_id=account.id,
        type="LONG_CODE",
        value="+12065550101",
        country="US",
        arn="arn",
        parts_per_second=1,
    )
    sender = await senders.put_sender(scope, session, facts)
    pool = PoolFacts(name="main", account_id=account.id)
    await senders.put_pool(scope, session, pool, sender_ids=[sender.id])
    await senders.put_configuration_set(scope, session, account_id=account.id, name="c", arn="arn")


@pytest.fixture
async def furnished(worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope) -> TenantScope:
    """`tenant` and `stranger` with a row in every table each."""
    async with worker_transaction(worker) as session:
        await furnish(session, tenant)
        await furnish(session, stranger)
    return tenant


@pytest.mark.parametrize("table", TABLES)
async def test_a_query_without_its_predicate_sees_one_tenant(
    app: AsyncEngine, furnished: TenantScope, table: type[ApiKey]
) -> None:
    """The second fence holds where the first was forgotten."""
    async with tenant_transaction(app, furnished) as session:
        owners = set(await session.scalars(select(table.tenant_id)))
    assert owners == {furnished.tenant_id}


async def test_a_tenant_row_is_its_own_only(app: AsyncEngine, furnished: TenantScope) -> None:
    """The tenants table is keyed by `id`; it is fenced all the same."""
    async with tenant_transaction(app, furnished) as session:
        assert set(await session.scalars(select(Tenant.id))) == {furnished.tenant_id}


@pytest.mark.parametrize("table", TABLES)
async def test_without_a_tenant_nothing_is_seen(
    app: AsyncEngine, furnished: TenantScope, table: type[ApiKey]
) -> None:
    """A transaction that forgot to say who it is for sees an empty database."""
    async with AsyncSession(app) as session:
        assert (await session.scalars(select(table.tenant_id))).all() == []


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("api_keys", "UPDATE api_keys SET revoked_at = NULL"),
        ("opt_outs", "DELETE FROM opt_outs"),
        ("webhook_endpoints", "UPDATE webhook_endpoints SET url = 'https://evil.example/'"),
        ("webhook_endpoints", "DELETE FROM webhook_endpoints"),
        ("templates", "UPDATE templates SET name = 'theirs'"),
        ("template_versions", "UPDATE template_versions SET body = 'theirs'"),
    ],
)
async def test_a_change_without_its_predicate_reaches_one_tenants_rows(
    app: AsyncEngine,
    worker: AsyncEngine,
    furnished: TenantScope,
    stranger: TenantScope,
    table: str,
    change: str,
) -> None:
    """The stranger's rows stand as they stood."""
    rows = text(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t WHERE tenant_id = :id")
    async with worker_transaction(worker) as session:
        before = (await session.execute(rows, {"id": stranger.tenant_id})).scalar_one()
    async with tenant_transaction(app, furnished) as session:
        await session.execute(text(change))
    async with worker_transaction(worker) as session:
        assert (await session.execute(rows, {"id": stranger.tenant_id})).scalar_one() == before


async def test_a_row_cannot_be_written_in_a_strangers_name(
    app: AsyncEngine, furnished: TenantScope, stranger: TenantScope
) -> None:
    """Not even with the stranger's scope in hand: the transaction says who speaks."""
    with pytest.raises(DBAPIError, match="row-level security"):
        async with tenant_transaction(app, furnished) as session:
            await audit.append(stranger, session, action="x", subject="y")


async def test_connections_that_are_shared_leak_no_tenant_into_the_next(
    app: AsyncEngine, furnished: TenantScope, stranger: TenantScope
) -> None:
    """The setting ends with its transaction, whoever gets the connection next."""
    dice = random.Random(11)

    async def look() -> None:
        scope = dice.choice([furnished, stranger])
        async with tenant_transaction(app, scope) as session:
            assert set(await session.scalars(select(Template.tenant_id))) == {scope.tenant_id}

    await asyncio.gather(*(look() for _ in range(200)))


async def test_the_audit_trail_is_read_newest_first_and_by_cursor(
    app: AsyncEngine, furnished: TenantScope
) -> None:
    """Every change above left its note, in order."""
    async with tenant_transaction(app, furnished) as session:
        everything = list(await audit.page(furnished, session, limit=100))
        first = await audit.page(furnished, session, limit=3)
        rest = await audit.page(furnished, session, limit=100, after=first[-1].id)
    assert [row.id for row in (*first, *rest)] == [row.id for row in everything]
    assert everything[-1].action == "tenant.created"


async def test_the_audit_trail_names_the_key_that_spoke(app: AsyncEngine, tenant: TenantScope) -> None:
    """`operator` is for the operator alone."""
    speaking = TenantScope(tenant_id=tenant.tenant_id, key_id=tenant.tenant_id)
    async with tenant_transaction(app, speaking) as session:
        await audit.append(speaking, session, action="x", subject="y")
        (row,) = await audit.page(speaking, session, limit=1)
    assert row.actor.startswith("key_")
