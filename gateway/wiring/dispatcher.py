"""The dispatcher role: one dispatcher per route, each with its carrier."""

from contextlib import AsyncExitStack
from datetime import timedelta

from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.ports import Carrier
from gateway.carrier.sandbox import SandboxCarrier
from gateway.carrier.session import AwsSession, open_session
from gateway.db.transaction import worker_transaction
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.record import Recorder
from gateway.dispatch.rerouting import Rerouting
from gateway.intake.building import SANDBOX_ROUTE
from gateway.lanes.lanes import Lanes
from gateway.routing.health_view import HealthView
from gateway.routing.reading import RoutingReader
from gateway.routing.tally import CallTally
from gateway.wiring.resources import Resources, Task
from tenants.ids import encode
from tenants.senders import store as sender_store
from tenants.senders.models import AwsAccount


async def open_role(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    """One dispatcher per route; a route added later is carried after a restart."""
    settings, aws = shared.settings, open_session()
    async with worker_transaction(shared.worker_engine) as session:
        accounts = list(await sender_store.accounts(session))
    health = HealthView(shared.pool)
    tally = CallTally(shared.pool, shared.clock)
    rerouting = Rerouting(
        shared.pool,
        shared.clock,
        read_routing=RoutingReader(shared.worker_engine).of,
        ill=health.ill,
        after=settings.fail_over_after,
        tally=tally,
    )
    recorder = Recorder(
        shared.pool,
        shared.clock,
        unknown_wait=timedelta(seconds=settings.unknown_wait_s),
        failover=rerouting,
    )
    rates = {encode("acc", account.id): account.sends_per_second for account in accounts}
    lanes = Lanes(shared.scripts, api_requests_per_second=rates)
    carriers: dict[str, Carrier] = {SANDBOX_ROUTE: SandboxCarrier(shared.pool, shared.clock)}
    for account in accounts:
        carriers[encode("acc", account.id)] = await _aws_carrier(shared, stack, aws, account)
    dispatchers = [
        Dispatcher(
            route=route,
            carrier=carrier,
            lanes=lanes,
            pool=shared.pool,
            keys=shared.keys,
            recorder=recorder,
            clock=shared.clock,
            in_flight=settings.dispatch_in_flight,
            ill=health.ill,
        )
        for route, carrier in carriers.items()
    ]
    return [recorder.run, health.run, tally.run, *(dispatcher.run for dispatcher in dispatchers)]


async def _aws_carrier(
    shared: Resources, stack: AsyncExitStack, aws: AwsSession, account: AwsAccount
) -> Carrier:
    return await stack.enter_async_context(
        open_aws_carrier(
            aws,
            region=account.region,
            endpoint_url=account.endpoint_url,
            in_flight=shared.settings.dispatch_in_flight,
            way=shared.settings.carrier,
            route=encode("acc", account.id),
        )
    )
