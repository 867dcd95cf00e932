"""The webhooks and scheduler roles."""

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from gateway.carrier.control import control_of
from gateway.carrier.session import open_session
from gateway.carrier.shared_pace import shared_pace
from gateway.db.partitions import Partitions
from gateway.db.transaction import worker_transaction
from gateway.dispatch.expiry import ExpirySweep
from gateway.dispatch.quarantine import QuarantineSweep
from gateway.dispatch.relane_orders import RelaneOrders
from gateway.dispatch.unknown import UnknownSweep
from gateway.insight.hours import Hours
from gateway.insight.watch import AlarmWatch
from gateway.intake.pumping_watch import PumpingWatch
from gateway.intake.terms import TermsFollower
from gateway.lanes.audit import LaneAudit
from gateway.lanes.daily import DailyCounts
from gateway.lanes.gauges import show_lanes
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.lanes.relay import Relay
from gateway.lanes.survey import LaneSurvey
from gateway.messages.balance_notices import BalanceNotices
from gateway.messages.book_check import BookCheck
from gateway.messages.feedback_sweep import FeedbackSweep
from gateway.messages.leases import Leases
from gateway.messages.spend_notices import SpendNotices
from gateway.messages.usage import count_all
from gateway.receipts.batch import platform_key
from gateway.receipts.sweep import ReceiptSweep
from gateway.registrations.bulk_sender_ids import BulkSenderIds
from gateway.registrations.forms import Forms
from gateway.registrations.poll import RegistrationPoll
from gateway.registrations.runner import RegistrationRunner
from gateway.registrations.sealing import seal_attachments
from gateway.registrations.short_codes import ShortCodeWatch
from gateway.rounds import Round, run_rounds
from gateway.routing.checkup import Checkup
from gateway.routing.health_view import HealthView
from gateway.routing.reading import RoutingReader
from gateway.webhooks.client import open_client
from gateway.webhooks.deliver import WebhookSender
from gateway.webhooks.posting import Poster
from gateway.webhooks.strays import gather_strays
from gateway.wiring.forgetting import forgetting_rounds
from gateway.wiring.policies import create_reader
from gateway.wiring.resources import Resources, Task
from gateway.wiring.targets import targets_of
from tenants.budgets.recount import recount_due


async def open_webhooks(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    """The senders of what is due to tenants' endpoints."""
    settings = shared.settings
    client = await stack.enter_async_context(
        open_client(targets_of(settings), deadline_s=settings.webhook_timeout_s)
    )
    sender = WebhookSender(
        pool=shared.pool,
        database_url=settings.database_url,
        poster=Poster(client=client, keys=shared.keys, clock=shared.clock),
        clock=shared.clock,
        in_flight=settings.webhook_in_flight,
    )
    strays = Round(name="stray_webhooks", every_s=10.0, work=lambda: gather_strays(shared.pool))
    return [sender.run, lambda: run_rounds([strays])]


async def open_scheduler(shared: Resources, _stack: AsyncExitStack) -> list[Task]:
    """Any number of schedulers may run: each round locks the rows it works on."""
    settings, clock, pool = shared.settings, shared.clock, shared.pool
    lanes = Lanes(shared.scripts)
    relay = Relay(pool, lanes, clock)
    audit = LaneAudit(pool, lanes, clock)
    daily = DailyCounts(pool, lanes)
    survey = LaneSurvey(pool, Queues(lanes), clock)
    terms = TermsFollower(settings.database_url, pool, lanes, create_reader(shared).snapshot)
    expiry = ExpirySweep(pool, clock)
    unknown = UnknownSweep(pool, clock, wait=timedelta(seconds=settings.unknown_wait_s))
    quarantine = QuarantineSweep(pool, clock)
    sweep = ReceiptSweep(pool, clock, platform_key(settings.secret_key))

    health = HealthView(pool)
    checkup = Checkup(pool, clock)
    reader = RoutingReader(shared.worker_engine)
    books = BookCheck(pool, every=timedelta(seconds=settings.reconcile_every_s))
    orders = RelaneOrders(pool, clock, read_routing=reader.of, ill=health.ill)

    feedback = FeedbackSweep(pool, clock)
    pumping = PumpingWatch(pool, clock)
    spending = SpendNotices(pool)
    balances = BalanceNotices(pool, clock)
    leases = Leases(shared.worker_engine, clock)

    control = control_of(open_session(), shared_pace(shared.worker_engine))
    forms = Forms(shared.worker_engine, control, clock)
    runner = RegistrationRunner(shared.worker_engine, control, forms, clock, shared.keys.of)
    seal_files = partial(seal_attachments, shared.worker_engine, shared.keys.of)
    sender_ids = BulkSenderIds(shared.worker_engine, control, clock)
    reviews = RegistrationPoll(shared.worker_engine, control, forms, clock)
    hours = Hours(pool, clock)
    alarms = AlarmWatch(shared.worker_engine, clock)
    events_kept = timedelta(days=settings.events_kept_days)
    attempts_kept = timedelta(days=settings.webhook_attempts_kept_days)
    partitions = Partitions(
        pool, {"events": events_kept, "webhook_deliveries": events_kept, "webhook_attempts": attempts_kept}
    )

    async def recount_budgets() -> None:
        was_due = True
        while was_due:
            async with worker_transaction(shared.worker_engine) as session:
                was_due = await recount_due(session)

    rounds = [
        Round(name="queue_due", every_s=0.25, at_rest_s=0.5, work=relay.queue_due),
        Round(name="push_left_behind", every_s=1.0, work=relay.push_left_behind),
        Round(name="forgotten_messages", every_s=30.0, work=audit.audit),
        Round(name="lane_gauges", every_s=15.0, work=lambda: show_lanes(survey)),
        Round(name="lane_terms", every_s=30.0, work=terms.follow_all),
        Round(name="daily_counts", every_s=60.0, work=daily.restore),
        Round(name="expired_in_line", every_s=15.0, work=expiry.sweep),
        Round(name="unknown_outcomes", every_s=1.0, at_rest_s=2.0, work=unknown.sweep),
        Round(name="quarantined_messages", every_s=1.0, at_rest_s=2.0, work=quarantine.sweep),
        Round(name="health", every_s=1.0, work=checkup.look),
        Round(name="old_tallies", every_s=600.0, work=checkup.forget),
        Round(name="usage", every_s=1.0, work=lambda: count_all(pool)),
        Round(name="book_check", every_s=settings.reconcile_every_s, work=books.check),
        Round(name="relane_orders", every_s=0.25, at_rest_s=1.0, work=orders.work),
        Round(name="parked_receipts", every_s=2.0, at_rest_s=4.0, work=sweep.join_parked),
        Round(name="old_parked_receipts", every_s=600.0, work=sweep.join_old),
        Round(name="silent_messages", every_s=600.0, work=sweep.close_silent),
        Round(name="late_feedback", every_s=10.0, work=feedback.sweep),
        Round(name="unusual_countries", every_s=60.0, work=pumping.look),
        Round(name="ended_holds", every_s=600.0, work=pumping.forget),
        Round(name="spend_notices", every_s=1.0, at_rest_s=4.0, work=spending.tell),
        Round(name="balance_notices", every_s=1.0, at_rest_s=4.0, work=balances.tell),
        Round(name="insight_hours", every_s=10.0, work=hours.keep),
        Round(name="old_insight_hours", every_s=3600.0, work=hours.forget),
        Round(name="alarms", every_s=5.0, work=alarms.look),
        Round(name="leases", every_s=600.0, work=leases.write_down),
        Round(name="open_fees", every_s=30.0, work=leases.post),
        Round(name="recounted_budgets", every_s=10.0, work=recount_budgets),
        Round(name="partitions", every_s=3600.0, work=lambda: partitions.keep(clock.now())),
        Round(name="registrations", every_s=1.0, at_rest_s=2.0, work=runner.work),
        Round(name="bulk_sender_ids", every_s=1.0, at_rest_s=4.0, work=sender_ids.work),
        Round(name="registration_reviews", every_s=2.0, at_rest_s=4.0, work=reviews.look),
        Round(name="short_codes", every_s=600.0, work=ShortCodeWatch(shared.worker_engine, clock).look),
        Round(name="plain_attachments", every_s=60.0, work=seal_files),
        *forgetting_rounds(shared),
    ]
    return [lambda: run_rounds(rounds), health.run, terms.run]
