"""Two furnished tenants, and the catalog of the migrated database."""

from uuid import UUID

import pytest

# Every mapped table has to be imported before the metadata is read.
from gateway.carrier.provision import runs as _provision_runs  # noqa: F401
from gateway.insight import models as _insight  # noqa: F401
from gateway.intake import models as _intake  # noqa: F401
from gateway.media import models as _media  # noqa: F401
from gateway.messages import inbound as _inbound  # noqa: F401
from gateway.messages import models as _messages  # noqa: F401
from gateway.receipts import models as _receipts  # noqa: F401
from gateway.routing import models as _routing  # noqa: F401
from gateway.webhooks import models as _webhooks  # noqa: F401
from tenants.access import models as _access  # noqa: F401
from tenants.accounts import models as _accounts  # noqa: F401
from tenants.audit import models as _audit  # noqa: F401
from tenants.consents import models as _consents  # noqa: F401
from tenants.credits import models as _credits  # noqa: F401
from tenants.endpoints import models as _endpoints  # noqa: F401
from tenants.ids import new_uuid
from tenants.inbox import models as _inbox  # noqa: F401
from tenants.intakes import models as _intakes  # noqa: F401
from tenants.keywords import models as _keywords  # noqa: F401
from tenants.moves import models as _moves  # noqa: F401
from tenants.optouts import models as _optouts  # noqa: F401
from tenants.pages import models as _pages  # noqa: F401
from tenants.people import models as _people  # noqa: F401
from tenants.protection import models as _protection  # noqa: F401
from tenants.protection import pumping as _pumping  # noqa: F401
from tenants.registrations import models as _registrations  # noqa: F401
from tenants.senders import control_turns as _control_turns  # noqa: F401
from tenants.senders import models as _senders  # noqa: F401
from tenants.shortcodes import models as _shortcodes  # noqa: F401
from tenants.templates import models as _templates  # noqa: F401
from tenants.verification import models as _verification  # noqa: F401

PARTS_OF_A_VALUE = {
    "uuid": "gen_random_uuid()",
    "text": "'x'",
    "bytea": "'\\x00'::bytea",
    "jsonb": "'{}'::jsonb",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "ARRAY": "'{}'",
    "integer": "1",
    "bigint": "0",
    "smallint": "1",
    "double precision": "1",
}
"""A value for every column type in use, for rows whose content does not matter."""
ALLOWED = {
    "model": "2",
    "state": "'active'",
    "mode": "'live'",
    "status": "'queued'",
    "kind": "'hold'",
    "type": "'otp'",
    "unit": "'micros'",
    "source": "'api'",
    "action": "'ALWAYS_BLOCK'",
    "rule": "'country_rule'",
}
"""Values that the CHECKs of the columns with these names let through."""
ALLOWED_IN = {
    ("senders", "type"): "'LONG_CODE'",
    ("balance_marks", "last_top_up"): "1",
    ("feedback_orders", "status"): "'received'",
    ("monthly_fees", "amount"): "1",
    ("monthly_fees", "item"): "'lease'",
    ("protect_findings", "kind"): "'blocked'",
    ("protect_refusals", "channel"): "'sms'",
    ("alarms", "metric"): "'conversion'",
    ("alarms", "against"): "'static'",
    ("alarms", "window_s"): "300",
    ("audit_rows", "action"): "'x'",
    ("pumping_holds", "rule"): "'prefix'",
    ("verified_numbers", "state"): "'verified'",
    ("inbound_messages", "reply"): "'none'",
    ("inbound_replies", "kind"): "'stop'",
    ("keywords", "action"): "'reply'",
    ("consents", "method"): "'api'",
    ("consents", "message_type"): "'otp'",
    ("consents", "state"): "'granted'",
    ("consent_records", "event"): "'granted'",
    ("consent_records", "method"): "'api'",
    ("consent_records", "message_type"): "'otp'",
    ("consent_asks", "kind"): "'code'",
    ("keyword_texts", "keyword"): "'STOP'",
    ("opt_out_changes", "change"): "'opted_out'",
    ("two_way_settings", "opt_outs"): "'managed'",
    ("two_way_settings", "stop_scope"): "'everything'",
    ("dispatch_queue", "state"): "'queued'",
    ("console_sessions", "stage"): "'open'",
    ("provision_runs", "state"): "'done'",
    ("short_codes", "stage"): "'vetting'",
    ("bulk_sender_ids", "state"): "'created'",
    ("console_invitations", "token_hash"): "sha256($1::uuid::text::bytea)",
    ("console_people", "email_hash"): "sha256($1::uuid::text::bytea)",
    ("console_people", "password_hash"): "'argon2'",
    ("console_sessions", "token_hash"): "sha256($1::uuid::text::bytea)",
    ("console_sessions", "person_id"): "gen_random_uuid()",
    ("template_versions", "state"): "'draft'",
    ("webhook_deliveries", "state"): "'pending'",
    ("webhook_endpoints", "state"): "'enabled'",
    ("idempotency_keys", "status"): "202",
}


@pytest.fixture(scope="module")
async def tenant_tables(database) -> list[str]:
    """Every table that belongs to tenants, `tenants` itself first."""
    rows = await database.fetch(
        """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname
        """
    )
    return ["tenants", *(row["relname"] for row in rows)]


@pytest.fixture(scope="module")
async def neighbours(database, tenant_tables) -> tuple[UUID, UUID]:
    """Two tenants with a row in every table each, written past every rule as the owner may."""
    pair = (new_uuid(), new_uuid())
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for tenant_id in pair:
            for table in tenant_tables:
                await connection.execute(*await _row(connection, table, tenant_id))
    return pair


async def _row(connection, table: str, tenant_id: UUID) -> tuple[str, UUID]:
    columns = await connection.fetch(
        """
        SELECT column_name AS name, data_type AS kind FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1
            AND (is_nullable = 'NO' AND column_default IS NULL
                OR column_name IN ('tenant_id', 'person_id', 'password_hash'))
        """,
        table,
    )
    owner = "id" if table == "tenants" else "tenant_id"
    values = {column["name"]: _value(table, column["name"], column["kind"]) for column in columns}
    values[owner] = "$1::uuid"
    if "slug" in values:
        values["slug"] = "'s-' || left($1::uuid::text, 8) || right($1::uuid::text, 12)"
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})", tenant_id


def _value(table: str, name: str, kind: str) -> str:
    return ALLOWED_IN.get((table, name)) or ALLOWED.get(name) or PARTS_OF_A_VALUE[kind]
