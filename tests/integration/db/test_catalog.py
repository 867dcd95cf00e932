"""
The fences as the database has them, read from its catalog.

Each rule is a function over the catalog, and each is shown to fail on a database that breaks it: a rule
that cannot fail proves nothing.
"""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.db.engine import sqlalchemy_url
from tenants.tables import Base

ROLES = ("tollgate_app", "tollgate_worker", "tollgate_ingest")
APPEND_ONLY = (
    "ledger_transfers",
    "events",
    "receipts",
    "audit_rows",
    "opt_out_changes",
    "consent_records",
    "consent_texts",
)
FENCE = "(SELECT tollgate_current_tenant() AS tollgate_current_tenant)"


def owned_tables() -> dict[str, str]:
    """Every mapped table that belongs to tenants, with the column that says to whom."""
    owned = {
        name: "tenant_id" for name, table in Base.metadata.tables.items() if "tenant_id" in table.columns
    }
    return owned | {"tenants": "id"}


async def unfenced(connection) -> list[str]:
    """What is wrong with row-level security on the tables of tenants and on their partitions."""
    faults = []
    for table, column in owned_tables().items():
        flags = await connection.fetchrow(
            "SELECT relrowsecurity AS enabled, relforcerowsecurity AS forced FROM pg_class"
            " WHERE oid = $1::regclass",
            table,
        )
        if not (flags["enabled"] and flags["forced"]):
            faults.append(f"{table}: row-level security is not enabled and forced")
        policies = await connection.fetch(
            "SELECT * FROM pg_policies WHERE tablename = $1 AND 'tollgate_app' = ANY (roles)", table
        )
        if [_normal(policy["qual"]) for policy in policies] != [f"({column} = {_normal(FENCE)})"]:
            faults.append(f"{table}: the app's policy is not the tenant's fence")
        faults += [
            f"{table}: a row could be written for someone else"
            for policy in policies
            if policy["with_check"] != policy["qual"] or policy["cmd"] != "ALL"
        ]
    public = await connection.fetch("SELECT tablename FROM pg_policies WHERE 'public' = ANY (roles)")
    return faults + [f"{row['tablename']}: a policy for everybody" for row in public]


def _normal(expression: str) -> str:
    return " ".join(expression.split()).replace("( ", "(").replace(" )", ")")


async def open_partitions(connection) -> list[str]:
    """Partitions that are not under forced row-level security, or that a role may touch directly."""
    rows = await connection.fetch(
        """
        SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS fenced,
            array_remove(ARRAY(SELECT role FROM unnest($1::text[]) AS role WHERE has_table_privilege(
                role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')), NULL) AS granted
        FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'
        """,
        list(ROLES),
    )
    assert rows, "there are partitions"
    return [
        f"{row['name']}: {row['granted'] or 'not fenced'}"
        for row in rows
        if row["granted"] or not row["fenced"]
    ]


async def rewritable(connection) -> list[str]:
    """Append-only tables that some role may change."""
    rows = await connection.fetch(
        """
        SELECT role, tab FROM unnest($1::text[]) AS role, unnest($2::text[]) AS tab
        WHERE has_table_privilege(role, tab, 'UPDATE') OR has_any_column_privilege(role, tab, 'UPDATE')
            OR has_table_privilege(role, tab, 'DELETE') OR has_table_privilege(role, tab, 'TRUNCATE')
        """,
        list(ROLES),
        list(APPEND_ONLY),
    )
    return [f"{row['role']} may change {row['tab']}" for row in rows]


async def mighty_roles(connection) -> list[str]:
    """Roles that could step over the fence."""
    rows = await connection.fetch(
        """
        SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])
            AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin)
        """,
        list(ROLES),
    )
    owned = await connection.fetch(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = ANY ($1::text[])",
        list(ROLES),
    )
    return [row["rolname"] for row in rows] + [row["relname"] for row in owned]


RULES = (unfenced, open_partitions, rewritable, mighty_roles)


@pytest.mark.parametrize("rule", RULES)
async def test_the_migrated_schema_keeps_the_rule(database, rule):
    """Every table from the first migration on, not only those somebody thought of."""
    async with database.acquire() as connection:
        assert await rule(connection) == []


@pytest.mark.parametrize(
    ("rule", "breach"),
    [
        (unfenced, "ALTER TABLE opt_outs NO FORCE ROW LEVEL SECURITY"),
        (unfenced, "ALTER TABLE messages DISABLE ROW LEVEL SECURITY"),
        (unfenced, "DROP POLICY tenant ON templates"),
        (unfenced, "ALTER POLICY tenant ON api_keys USING (true)"),
        (unfenced, "ALTER POLICY tenant ON balances WITH CHECK (true)"),
        (unfenced, "CREATE POLICY wide ON senders TO tollgate_app USING (true)"),
        (unfenced, "CREATE POLICY wide ON senders USING (true)"),
        (open_partitions, "GRANT SELECT ON messages_{month} TO tollgate_app"),
        (open_partitions, "ALTER TABLE events_{month} DISABLE ROW LEVEL SECURITY"),
        (rewritable, "GRANT UPDATE ON ledger_transfers TO tollgate_worker"),
        (rewritable, "GRANT UPDATE (note) ON ledger_transfers TO tollgate_app"),
        (rewritable, "GRANT DELETE ON receipts TO tollgate_ingest"),
        (mighty_roles, "ALTER ROLE tollgate_app BYPASSRLS"),
        (mighty_roles, "ALTER TABLE prices OWNER TO tollgate_worker"),
    ],
)
async def test_the_rule_notices_a_breach(database, rule, breach):
    """A checker that stays silent on a broken database would let everything pass."""
    async with database.acquire() as connection:
        month = await connection.fetchval("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')")
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(breach.format(month=month))
            assert await rule(connection) != []
        finally:
            await transaction.rollback()


async def test_the_mapped_tables_are_the_migrated_ones(database_url):
    """A model that moved without its migration is found here, not in production."""
    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            differences = await connection.run_sync(_differences)
    finally:
        await engine.dispose()
    assert differences == []


def _differences(connection):
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "compare_server_default": False, "include_object": _is_ours},
    )
    return compare_metadata(context, Base.metadata)


def _is_ours(_object, name, kind, reflected, _compare_to):
    """Partitions follow from their parents, and alembic keeps its own table."""
    if kind == "table" and reflected and name not in Base.metadata.tables:
        parents = (
            "messages_2",
            "provider_messages_2",
            "events_2",
            "receipts_2",
            "ledger_transfers_2",
            "webhook_deliveries_2",
        )
        parents += ("webhook_attempts_2",)
        return not (name == "alembic_version" or name.startswith(parents))
    return True


async def test_a_partition_made_later_is_fenced_like_the_first(database):
    """The scheduler makes partitions for years; each must be born closed."""
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("SET LOCAL ROLE tollgate_worker")
            assert await connection.fetchval("SELECT tollgate_make_partitions(9)") > 0
            await connection.execute("RESET ROLE")
            assert await open_partitions(connection) == []
        finally:
            await transaction.rollback()


async def test_a_commit_is_waited_for(worker_pool):
    """A 202 stands on it; what else the embedded server is started with is looked at in tests/embedded."""
    assert await worker_pool.fetchval("SHOW synchronous_commit") == "on"
