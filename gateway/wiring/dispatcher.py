"""The dispatcher role: the sandbox's dispatcher, and one for each AWS account."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta

from gateway.carrier.control import control_of
from gateway.carrier.feedback import FeedbackCourier, client_of
from gateway.carrier.keyword_texts import KeywordTexts
from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.opt_out_lists import OptOutLists, lists_of
from gateway.carrier.ports import Carrier
from gateway.carrier.protect_sync import ProtectSync
from gateway.carrier.sandbox import SandboxCarrier
from gateway.carrier.session import open_session, session_of
from gateway.carrier.shared_pace import shared_pace
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.record import Recorder
from gateway.dispatch.rerouting import Rerouting
from gateway.inbound.taking import tell_opt_out
from gateway.intake.building import SANDBOX_ROUTE
from gateway.lanes.lanes import Lanes
from gateway.rounds import Round, run_rounds
from gateway.routing.health_view import HealthView
from gateway.routing.reading import RoutingReader
from gateway.routing.tally import CallTally
from gateway.wiring.resources import Resources, Task
from gateway.wiring.route_keeper import RouteKeeper
from tenants.ids import encode
from tenants.senders.models import AwsAccount

_LISTS_EVERY_S = 5.0
"""How soon AWS's opt-out lists hear of an opt-in; the gateway's own gate follows at once."""
_COPIES_EVERY_S = 15.0
"""How soon AWS hears of a changed protect configuration; the gateway's own gate follows within a second."""


async def open_role(shared: Resources, _stack: AsyncExitStack) -> list[Task]:
    """Return what all routes share (recorder, health, tally), the sandbox, and who keeps the accounts."""
    settings, own = shared.settings, open_session()
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
    lanes = Lanes(shared.scripts)

    def open_carrier(account: AwsAccount) -> AbstractAsyncContextManager[Carrier]:
        return open_aws_carrier(
            session_of(own, account),
            region=account.region,
            endpoint_url=account.endpoint_url,
            in_flight=settings.dispatch_in_flight,
            way=settings.carrier,
            route=encode("acc", account.id),
        )

    def dispatcher(route: str, carrier: Carrier) -> Dispatcher:
        return Dispatcher(
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

    keeper = RouteKeeper(shared, lanes, open_carrier=open_carrier, dispatcher=dispatcher)
    sandbox = dispatcher(SANDBOX_ROUTE, SandboxCarrier(shared.pool, shared.clock))
    copies = ProtectSync(
        settings.database_url,
        shared.worker_engine,
        control_of(own, shared_pace(shared.worker_engine)),
        secret_key=settings.secret_key,
        clock=shared.clock,
    )
    syncing = Round(name="protect_copies", every_s=_COPIES_EVERY_S, work=copies.round)
    lists = OptOutLists(
        settings.database_url,
        shared.worker_engine,
        lists_of(own),
        tell_opt_out,
        secret_key=settings.secret_key,
        clock=shared.clock,
    )
    opt_outs = Round(name="opt_out_lists", every_s=_LISTS_EVERY_S, work=lists.round)
    answers = KeywordTexts(
        settings.database_url,
        shared.worker_engine,
        control_of(own, shared_pace(shared.worker_engine)),
        shared.clock,
    )
    texts = Round(name="keyword_texts", every_s=_LISTS_EVERY_S, work=answers.round)
    courier = FeedbackCourier(shared.pool, shared.worker_engine, client_of(own), shared.clock)
    feedback = Round(name="feedback_orders", every_s=1.0, work=courier.work)
    return [
        recorder.run,
        health.run,
        tally.run,
        sandbox.run,
        keeper.run,
        lambda: run_rounds([syncing, opt_outs, texts, feedback]),
    ]
