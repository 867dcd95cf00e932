"""
Tenants and queued messages by the thousand, written into Postgres after the likeness of one real send.

A million sends over HTTP would take the better part of an hour. One message is accepted the usual way; the
seeded ones are its rows again with tenants, ids and recipients of their own. Those that a run may reach are
sealed for their tenant and can be sent. The rest stand behind them: their text does not open, and a run that
reached them would be seen to fail.
"""

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from gateway.bench.ground import Ground
from gateway.bench.tenant import BODY, recipients
from gateway.lanes.entry import LaneEntry
from gateway.messages.keys import body_context, number_context
from tenants.accounts.sealing import DataKey, unwrap
from tenants.ids import created_at, new_uuid

_LOAD_S: Final = 30.0
_TEMPLATE: Final = """
    DELETE FROM dispatch_queue q USING tenants t
    WHERE t.id = q.tenant_id AND q.message_id = (SELECT max(id::text)::uuid FROM messages)
    RETURNING q.lane, t.data_key
"""
"""It is never sent: its row has to stay as it was when it was accepted."""
_COLUMNS: Final = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1
"""
_TAIL_IDS: Final = """
    SELECT overlay(replace(gen_random_uuid()::text, '-', '')
                   PLACING lpad(to_hex($6::bigint + turn), 12, '0') || '7' FROM 1 FOR 13)::uuid AS id,
        to_timestamp(($6::bigint + turn) / 1000.0) AS created_at, p.tenant_id, p.sender_id
    FROM unnest($4::uuid[], $5::uuid[]) AS p (tenant_id, sender_id), generate_series($7::int, $8::int) AS turn
"""
_STORE: Final = """
    WITH seeds AS MATERIALIZED ({seeds}),
    stored AS (
        INSERT INTO messages ({columns}) SELECT {values} FROM seeds s, messages m WHERE m.id = $1
    )
    INSERT INTO dispatch_queue (message_id, tenant_id, route, state, lane)
    SELECT s.id, s.tenant_id, $2, 'queued', $3::jsonb || jsonb_build_object(
        'message_id', s.id, 'tenant_id', s.tenant_id, 'identity', s.sender_id,
        'recipient_hash', encode(substring(uuid_send(s.id) FROM 9), 'base64'))
    FROM seeds s
"""
_HEAD: Final = """
    SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::bytea[], $9::bytea[])
        AS s (id, tenant_id, sender_id, created_at, to_sealed, body_sealed)
"""
_OWN: Final = frozenset({"id", "tenant_id", "sender_id", "created_at"})
_SEALED: Final = frozenset({"to_sealed", "body_sealed"})
_TENANT_COPY: Final = """
    INSERT INTO tenants ({columns})
    SELECT {values} FROM unnest($2::uuid[]) AS s (id), tenants m WHERE m.id = $1
"""
_SENDER_COPY: Final = """
    INSERT INTO senders ({columns})
    SELECT {values} FROM unnest($2::uuid[], $3::uuid[]) AS s (tenant_id, id), senders m WHERE m.id = $1
"""
_AT_A_TIME: Final = 20_000
"""Unreachable messages that one statement writes."""


class Owner(Struct, frozen=True):
    """A tenant with the sender its messages leave by."""

    tenant_id: UUID
    sender_id: UUID


class Seeder:
    """Writes rows after one template; its data key is every seeded tenant's, so one process can seal."""

    def __init__(self, ground: Ground, lane: str, key: DataKey) -> None:
        self._pool = ground.pool
        self._template = msgspec.json.decode(lane, type=LaneEntry)
        self._likeness = (self._template.message_id, self._template.route, lane)
        self._key = key
        self._numbers = recipients()

    @property
    def owner(self) -> Owner:
        """Whose send the template is."""
        return Owner(self._template.tenant_id, self._template.identity)

    @property
    def route(self) -> str:
        """Where everything seeded waits."""
        return self._template.route

    async def tenants(self, count: int) -> list[Owner]:
        """Make `count` tenants like the template's, each with a sender of its own."""
        made = [Owner(new_uuid(), new_uuid()) for _ in range(count)]
        tenants, senders = [each.tenant_id for each in made], [each.sender_id for each in made]
        own = {"id": "s.id", "slug": "'seed-' || s.id"}
        await self._pool.execute(
            await self._copying("tenants", _TENANT_COPY, own), self.owner.tenant_id, tenants
        )
        own = {"id": "s.id", "tenant_id": "s.tenant_id", "identity": "s.id", "arn": "m.arn || s.id"}
        await self._pool.execute(
            await self._copying("senders", _SENDER_COPY, own), self.owner.sender_id, tenants, senders
        )
        return made

    async def queue(self, owners: Sequence[Owner]) -> list[LaneEntry]:
        """Queue one message that can be sent for each of `owners`, who may repeat; they are not pushed."""
        ids = [new_uuid() for _ in owners]
        key = self._key
        await self._pool.execute(
            await self._storing(_HEAD, _OWN | _SEALED),
            *self._likeness,
            ids,
            [each.tenant_id for each in owners],
            [each.sender_id for each in owners],
            [created_at(each) for each in ids],
            [key.seal(next(self._numbers).encode(), context=number_context(each)) for each in ids],
            [key.seal(BODY.encode(), context=body_context(each)) for each in ids],
        )
        return [
            structs.replace(
                self._template,
                message_id=message_id,
                tenant_id=owner.tenant_id,
                identity=owner.sender_id,
                recipient_hash=message_id.bytes[8:],
            )
            for message_id, owner in zip(ids, owners, strict=True)
        ]

    async def queue_unreachable(self, owners: Sequence[Owner], each: int) -> None:
        """Queue so many messages for each of some owners, behind all that were queued before."""
        sql = await self._storing(_TAIL_IDS, _OWN)
        after_ms = time.time_ns() // 1_000_000
        tenants, senders = [o.tenant_id for o in owners], [o.sender_id for o in owners]
        turns = max(1, _AT_A_TIME // len(owners))
        for turn in range(1, each + 1, turns):
            last = min(each, turn + turns - 1)
            await self._pool.execute(sql, *self._likeness, tenants, senders, after_ms, turn, last)

    async def settle(self) -> None:
        """Have Postgres do now what so many new rows would make it do during the measurement."""
        await self._pool.execute("VACUUM (ANALYZE)")
        await self._pool.execute("CHECKPOINT")

    async def _storing(self, seeds: str, own: frozenset[str]) -> str:
        statement = _STORE.replace("{seeds}", seeds)
        return await self._copying("messages", statement, {name: f"s.{name}" for name in own})

    async def _copying(self, table: str, statement: str, own: dict[str, str]) -> str:
        """Return a statement that copies a row of `table`, but for the columns given."""
        names = [row["column_name"] for row in await self._pool.fetch(_COLUMNS, table)]
        values = [own.get(name, f"m.{name}") for name in names]
        return statement.format(columns=", ".join(names), values=", ".join(values))


async def open_seeder(ground: Ground, *, kind: str = "transactional", sender: str | None = None) -> Seeder:
    """Have one message accepted, with no dispatcher to take it, and return what sows its likes."""
    request = ground.sends.one(kind=kind, sender=sender)
    outcome, _ = await ground.stack.load([request], targets=[ground.api], seconds=_LOAD_S)
    outcome.require(202, 1)
    row: Any = await ground.pool.fetchrow(_TEMPLATE)
    return Seeder(ground, row["lane"], unwrap(row["data_key"], ground.stack.settings.secret_key))
