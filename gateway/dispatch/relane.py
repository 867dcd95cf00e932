"""
Moves messages to another sender's lane: queue row, message row, trail and event in the caller's transaction.

The queue row is the arbiter, as everywhere: it moves only if it still stands where the caller saw it. It
comes to rest as `scheduled`, due at once, so that the relay pushes it with an outbox batch of its own. Only
what its tenant wants later stays due then: what rests after a try rests for the sender that it leaves. The
entry that is left in the old lane falls away at the mark, which asks for the lane as well as for the state.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from gateway.dispatch.failover import Step
from gateway.messages.change import describe_change
from gateway.messages.outbox import NewEvent, write_events
from gateway.messages.state import MessageState, save
from gateway.routing.facts import SenderFact, TenantRouting
from gateway.routing.lanes import lane_of
from gateway.telemetry import metrics
from tenants.budgets.following import Follow, follow
from tenants.ids import encode
from tenants.tables import HotConnection


class Relane(Struct, frozen=True, kw_only=True):
    """One message and where it goes."""

    state: MessageState
    """As locked by the caller."""
    to: SenderFact
    routing: TenantRouting
    country: str
    """The destination's; a sender's rate depends on it."""
    step: Step
    attempt: int
    """Attempts that count; one that AWS certainly did not take does not."""


_ROWS: Final = """
    UPDATE dispatch_queue q SET route = d.lane->>'route', lane = q.lane || d.lane, trail = q.trail || d.step,
        failures = 0, waits_for = NULL, claims = 0, attempt = d.attempt, worker = NULL, state = 'scheduled',
        due_at = CASE WHEN q.state = 'scheduled' AND q.waits_for IS NULL THEN q.due_at ELSE $6 END
    FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::smallint[], $5::timestamptz[])
        AS d (message_id, lane, step, attempt, lease)
    WHERE q.message_id = d.message_id AND q.message_id = ANY($1) AND (
        (d.lease IS NULL AND q.state IN ('queued', 'scheduled'))
        OR (q.state = 'dispatching' AND q.due_at = d.lease))
    RETURNING q.message_id
"""
_MESSAGES: Final = """
    UPDATE messages m SET account_id = d.account_id, sender_id = d.sender_id, sender_value = d.sender_value,
        sender_arn = d.sender_arn, configuration_set = d.configuration_set
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
        $8::text[]) AS d (tenant_id, id, created_at, account_id, sender_id, sender_value, sender_arn,
        configuration_set)
    WHERE m.tenant_id = d.tenant_id AND m.id = d.id AND m.created_at = d.created_at
"""


async def relane(connection: HotConnection, moves: Sequence[Relane], *, now: datetime) -> list[UUID]:
    """Move the messages that still stand where they were seen; returns their ids."""
    if not moves:
        return []
    rows = await connection.fetch(
        _ROWS,
        [move.state.id for move in moves],
        [msgspec.to_builtins(lane_of(move.to, move.country, move.state.channel)) for move in moves],
        [[msgspec.to_builtins(move.step)] for move in moves],
        [move.attempt for move in moves],
        [move.step.lease for move in moves],
        now,
    )
    taken = {row["message_id"] for row in rows}
    moved = [move for move in moves if move.state.id in taken]
    if moved:
        await connection.execute(_MESSAGES, *_columns(moved))
        await save(connection, [(m.state, _told(m.state)) for m in moved], now=now)
        await write_events(connection, [_event(move) for move in moved])
        await follow(connection, [_followed(move) for move in moved])
    for move in moved:
        metrics.FAIL_OVERS.labels(blame=move.step.blame).inc()
    return [move.state.id for move in moved]


def _followed(move: Relane) -> Follow:
    return Follow(
        tenant_id=move.state.tenant_id,
        message_id=move.state.id,
        created_at=move.state.created_at,
        away_from=move.step.account,
        to=move.to.account_id,
    )


def _told(state: MessageState) -> MessageState:
    """Count the event that tells of the move; the status stays."""
    return structs.replace(state, sequence=state.sequence + 1)


def _columns(moved: Sequence[Relane]) -> tuple[list[Any], ...]:
    return (
        [move.state.tenant_id for move in moved],
        [move.state.id for move in moved],
        [move.state.created_at for move in moved],
        [move.to.account_id for move in moved],
        [move.to.id for move in moved],
        [move.to.value for move in moved],
        [move.to.arn for move in moved],
        [move.routing.configuration_sets.get(move.to.account_id) for move in moved],
    )


def _event(move: Relane) -> NewEvent:
    state = move.state
    change: dict[str, Any] = msgspec.json.decode(
        describe_change(
            status=state.status,
            attempts=state.attempts,
            unit=state.unit,
            price_estimated=state.price_estimated,
            resend_of_unknown=state.resend_of_unknown,
        )
    )
    rerouted = {
        "blame": move.step.blame,
        "code": move.step.code,
        "away_from": _named(move.step.sender, move.step.value, move.step.account, move.step.region),
        "to": _named(move.to.id, move.to.value, move.to.account_id, _region_of(move)),
    }
    return NewEvent(
        tenant_id=state.tenant_id,
        type="message.rerouted",
        message_id=state.id,
        sequence=state.sequence + 1,
        data=msgspec.Raw(msgspec.json.encode(change | {"rerouted": rerouted})),
    )


def _region_of(move: Relane) -> str:
    route = move.routing.routes.get(move.to.account_id)
    return "" if route is None else route.region


def _named(sender: UUID, value: str, account: UUID, region: str) -> dict[str, str]:
    return {
        "sender": encode("idn", sender),
        "value": value,
        "account": encode("acc", account),
        "region": region,
    }
