"""The inbox and the automatic replies: part of the receipts role."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import UUID

from gateway.admission.gate import AdmissionGate
from gateway.inbound.answering import Answering
from gateway.inbound.asking import Asking
from gateway.inbound.consenting import Consenting
from gateway.inbound.inbox import Inbox
from gateway.inbound.taking import Taking
from gateway.intake.batch import create_intake
from gateway.intake.choosing import Choosing
from gateway.intake.prices import Prices
from gateway.intake.pushing import LanePusher
from gateway.intake.replying import Replying
from gateway.lanes.backlog import BacklogView
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.receipts.batch import platform_key
from gateway.rounds import Round, run_rounds
from gateway.routing.health_view import HealthView
from gateway.wiring.policies import create_policies, create_reader
from gateway.wiring.resources import Resources, Task
from tenants.optouts.service import Change

_REPLIES_EVERY_S = 0.25
_REPLIES_AT_REST_S = 1.0
_REPLIES_IN_LINE = 500


async def open_inbound(shared: Resources, _stack: AsyncExitStack) -> list[Task]:
    """Return the tasks that take texts in and answer them."""
    lanes, gate = Lanes(shared.scripts), AdmissionGate(shared.scripts)
    reader = create_reader(shared)
    pusher = LanePusher(shared.pool, lanes)
    intake = create_intake(shared.pool, pusher, queue_size=_REPLIES_IN_LINE, gauged=False)
    health = HealthView(shared.pool)
    replying = Replying(
        policies=create_policies(shared, reader, gate),
        choosing=Choosing(BacklogView(Queues(lanes)), health.ill, shared.pool, shared.clock),
        commit=intake,
        prices=Prices(reader.tariff, shared.clock),
        clock=shared.clock,
        secret_key=shared.settings.secret_key,
    )

    async def project(tenant_id: UUID, change: Change) -> None:
        act = gate.add_opt_out if change.listed else gate.remove_opt_out
        await act(tenant_id, change.list_name, change.recipient_hash)

    inbox = Inbox(
        shared.settings.database_url,
        shared.worker_engine,
        Taking(shared.keys, listeners=(Consenting(shared.clock),)),
        project,
        key=platform_key(shared.settings.secret_key),
        clock=shared.clock,
    )
    answering = Answering(shared.pool, replying, gate, shared.keys, shared.clock)
    replies = _replies("auto_replies", answering.work)
    asking = Asking(shared.pool, replying, shared.keys, shared.clock)
    asks = _replies("consent_asks", asking.work)
    return [
        inbox.run,
        lambda: intake.run(flushers=1),
        pusher.run,
        health.run,
        lambda: run_rounds([replies, asks]),
    ]


def _replies(name: str, work: Callable[[], Awaitable[object]]) -> Round:
    return Round(name=name, every_s=_REPLIES_EVERY_S, at_rest_s=_REPLIES_AT_REST_S, work=work)
