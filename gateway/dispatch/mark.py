"""
The mark `dispatching (attempt n)`, committed before the call: the arbiter of who may send.

Redis says whose turn it is; this statement says whether it is still true. It is conditional on the queue
row's state and lane, so an entry that appears twice, was canceled or has moved to another sender meanwhile,
falls away here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct, convert

from gateway.messages.rulings import Rulings
from tenants.accounts.sending_rules import QuietHours
from tenants.ids import created_at
from tenants.tables import HotConnection

LEASE = timedelta(seconds=30)
"""Longer than connect (2 s) and read (10 s) together with any pause a healthy process makes."""


class MarkedMessage(Struct, frozen=True, kw_only=True):
    """A message this worker, and no other, may now send."""

    message_id: UUID
    tenant_id: UUID
    route: str
    attempt: int
    leased_until: datetime
    """Names this mark among all of the message: an attempt's number comes again after `NotSent`."""
    type: str
    account_id: UUID | None = None
    """None for a test message, which no account carries."""
    sender_id: UUID | None = None
    to_sealed: bytes
    body_sealed: bytes | None
    sender_arn: str | None
    configuration_set: str | None
    protect_configuration: str | None = None
    """AWS's id of the copy, in this account, of the configuration that the message was judged by."""
    max_price_micros: int
    expires_at: datetime
    context: dict[str, str] | None
    channel: str = "sms"
    content: dict[str, Any] | None = None
    feedback: bool = False
    """Whether the tenant will say what became of it."""
    waits_for: str | None = None
    """Why it was not sent when it was tried before."""
    rulings: Rulings | None = None
    """What the rules added to it at the accept."""
    opted_out: bool = False
    """Whether the recipient has opted out since the accept, and this is no answer to that."""
    off_route: bool = False
    """Whether its account is none of the tenant's routes any more, or another tenant's own."""
    shared_off: bool = False
    """Whether it would leave by shared routes, which its tenant or its account has no more."""
    suspended: bool = False
    """Whether the tenant was suspended since the accept."""
    quiet_hours: QuietHours | None = None
    """The plan's, as it is at the mark; only of a promotional message."""


_MARK = """
    WITH marked AS (
        UPDATE dispatch_queue q SET state = 'dispatching', attempt = attempt + 1, worker = $2, due_at = $3
        FROM unnest($1::uuid[], $6::uuid[]) AS d (message_id, identity)
        WHERE q.message_id = d.message_id AND q.message_id = ANY($1) AND q.state = 'queued'
            AND (d.identity IS NULL OR q.lane->>'identity' = d.identity::text)
            AND ($7::text IS NULL OR q.route = $7)
        RETURNING q.message_id, q.tenant_id, q.route, q.attempt, q.due_at AS leased_until, q.waits_for
    )
    SELECT marked.message_id, marked.tenant_id, marked.route, marked.attempt, marked.leased_until, m.type,
        m.account_id, m.sender_id, m.to_sealed, m.body_sealed, m.sender_arn, m.configuration_set,
        l.aws_id AS protect_configuration,
        m.max_price_micros, m.expires_at, m.context, m.channel, m.content, m.rulings,
        m.feedback IS NOT NULL AS feedback, marked.waits_for,
        m.rulings->>'reply' IS DISTINCT FROM 'stop' AND m.rulings->>'reply' IS DISTINCT FROM 'help'
            AND EXISTS (SELECT FROM opt_outs o WHERE o.tenant_id = m.tenant_id
                AND o.list_name IN ('all', m.type) AND o.recipient_hash = m.recipient_hash) AS opted_out,
        m.account_id IS NOT NULL
            AND (EXISTS (SELECT FROM aws_accounts a WHERE a.id = m.account_id AND a.owner_id <> m.tenant_id)
                OR EXISTS (SELECT FROM tenant_routes r WHERE r.tenant_id = m.tenant_id)
                    AND NOT EXISTS (SELECT FROM tenant_routes r
                        WHERE r.tenant_id = m.tenant_id AND r.account_id = m.account_id)) AS off_route,
        EXISTS (SELECT FROM senders s JOIN aws_accounts a ON a.id = m.account_id
            JOIN tenants t ON t.id = s.tenant_id
            WHERE s.tenant_id = m.tenant_id AND s.id = m.sender_id AND s.type = 'SHARED'
                AND NOT (a.shared_routes AND t.plan @> '{"shared_routes": true}')) AS shared_off,
        (SELECT t.sends_held FROM tenants t WHERE t.id = m.tenant_id) AS suspended,
        CASE WHEN m.type = 'promotional' AND m.rulings->>'reply' IS NULL
            THEN (SELECT t.plan->'quiet_hours' FROM tenants t WHERE t.id = m.tenant_id) END AS quiet_hours
    FROM marked JOIN messages m
        ON m.tenant_id = marked.tenant_id AND m.id = marked.message_id
        AND m.created_at BETWEEN $4 AND $5
    LEFT JOIN protect_links l
        ON l.configuration_id = m.protect_configuration_id AND l.account_id = m.account_id
        AND l.state = 'own'
"""


_UNMARK = """
    UPDATE dispatch_queue SET state = 'queued', attempt = attempt - 1, worker = NULL, due_at = $4
    WHERE message_id = ANY($1::uuid[]) AND state || '' = 'dispatching' AND worker = $2 AND due_at = $3
"""


async def unmark(
    connection: HotConnection,
    message_ids: Sequence[UUID],
    *,
    worker: UUID,
    leased_until: datetime,
    now: datetime,
) -> None:
    """
    Take back a mark of whose commit nobody heard, and after which no call was made.

    Its lease names it, so a mark that another worker has made since stays.
    """
    await connection.execute(_UNMARK, list(message_ids), worker, leased_until, now)


_OPTED_OUT = """
    SELECT EXISTS (SELECT FROM messages m JOIN opt_outs o ON o.tenant_id = m.tenant_id
        AND o.list_name IN ('all', m.type) AND o.recipient_hash = m.recipient_hash
        WHERE m.tenant_id = $1 AND m.id = $2 AND m.created_at = $3
            AND m.rulings->>'reply' IS DISTINCT FROM 'stop' AND m.rulings->>'reply' IS DISTINCT FROM 'help')
"""


async def opted_out_by_now(pool: "asyncpg.Pool[asyncpg.Record]", message: MarkedMessage) -> bool:
    """Ask again what the mark asked, for a call that comes later than it should."""
    owned = (message.tenant_id, message.message_id, created_at(message.message_id))
    return bool(await pool.fetchval(_OPTED_OUT, *owned))


async def mark(
    connection: HotConnection,
    message_ids: Sequence[UUID],
    *,
    worker: UUID,
    now: datetime,
    identities: Mapping[UUID, UUID] | None = None,
    route: str | None = None,
) -> list[MarkedMessage]:
    """
    Mark those that are still queued and return them with all that the call needs.

    Args:
        identities: The sender in whose lane each was claimed. One that was moved to another sender meanwhile
            is not marked: its new lane has not been charged for it.
        route: The account by which they were claimed; the same holds of one that was moved to another.
    """
    ids = sorted(message_ids)
    lanes = [None if identities is None else identities[each] for each in ids]
    first, last = created_at(ids[0]), created_at(ids[-1])
    rows = await connection.fetch(_MARK, ids, worker, now + LEASE, first, last, lanes, route)
    return [_marked(row) for row in rows]


def _marked(row: asyncpg.Record) -> MarkedMessage:
    members = dict(row)
    for name, kind in (("rulings", Rulings), ("quiet_hours", QuietHours)):
        if members[name] is not None:
            members[name] = convert(members[name], kind)
    return MarkedMessage(**members)
