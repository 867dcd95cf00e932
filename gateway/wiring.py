"""
The only module that constructs engines, pools, clients and carriers; everything else is handed what it needs.

`open_resources` is what every role shares; `open_api` and `open_roles` build on it. All are context
managers: what they open they close, in reverse order.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from msgspec import Struct
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.admission.gate import AdmissionGate
from gateway.api.ports import WebhookUrlCheck
from gateway.api.services import Services
from gateway.carrier.aws import open_aws_carrier
from gateway.carrier.ports import Carrier
from gateway.carrier.provisioning import AwsProvisioner
from gateway.carrier.sandbox import SandboxCarrier
from gateway.carrier.session import AwsSession, open_session
from gateway.carrier.topics import SnsTopics
from gateway.clock import Clock, SystemClock
from gateway.db.engine import create_engine, create_pool
from gateway.db.readiness import StoresReadiness
from gateway.db.transaction import worker_transaction
from gateway.dispatch.loop import Dispatcher
from gateway.dispatch.record import Recorder
from gateway.dispatch.unknown import UnknownSweep
from gateway.intake.batch import create_intake
from gateway.intake.building import SANDBOX_ROUTE
from gateway.intake.notices import PolicyNotices
from gateway.intake.policies import Policies
from gateway.intake.prices import Prices
from gateway.intake.pushing import LanePusher
from gateway.intake.reader import SnapshotReader
from gateway.intake.replays import Replays
from gateway.intake.sending import Sending
from gateway.lanes.backlog import BacklogView
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.gates import identity_rate
from gateway.lanes.lanes import Lanes
from gateway.lanes.relay import Relay
from gateway.lanes.scripts import RedisScripts, connect
from gateway.messages.keys import DataKeys
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.certificates import open_certificates
from gateway.receipts.sandbox import SandboxReceipts
from gateway.receipts.signature import Verifier
from gateway.receipts.sns import SnsReceiver
from gateway.receipts.sweep import ReceiptSweep
from gateway.receipts.topics import KnownTopics
from gateway.rounds import Round, run_rounds
from gateway.settings import Settings
from gateway.webhooks.addresses import Targets, UrlRefused, check_url
from gateway.webhooks.client import open_client
from gateway.webhooks.deliver import WebhookSender
from tenants.credits.book import load_example_book
from tenants.ids import encode
from tenants.senders import store as sender_store
from tenants.senders.models import AwsAccount
from tenants.senders.service import AccountFacts

ROLES = ("dispatcher", "receipts", "webhooks", "scheduler")
_PARTITION_MONTHS = 3
Task = Callable[[], Coroutine[Any, Any, None]]


class Resources(Struct, kw_only=True):
    """What every role shares; one per process."""

    settings: Settings
    clock: Clock
    tenant_engine: AsyncEngine
    worker_engine: AsyncEngine
    pool: Any
    """asyncpg, role `worker`."""
    scripts: RedisScripts
    redis: Any
    session: AwsSession
    keys: DataKeys


class Api(Struct, kw_only=True):
    """The web process: its services and the tasks that must run beside it."""

    services: Services
    tasks: list[Task]


@asynccontextmanager
async def open_resources(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Resources]:
    """Open the stores; nothing is asked of them yet."""
    async with AsyncExitStack() as stack:
        tenant_engine = create_engine(settings.database_url, "app", pool_size=settings.database_pool_size)
        stack.push_async_callback(tenant_engine.dispose)
        worker_engine = create_engine(settings.database_url, "worker", pool_size=4)
        stack.push_async_callback(worker_engine.dispose)
        pool = await create_pool(settings.database_url, "worker", size=settings.database_pool_size)
        stack.push_async_callback(pool.close)
        client = connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        yield Resources(
            settings=settings,
            clock=clock or SystemClock(),
            tenant_engine=tenant_engine,
            worker_engine=worker_engine,
            pool=pool,
            scripts=RedisScripts(client),
            redis=client,
            session=open_session(),
            keys=DataKeys(pool, settings.secret_key),
        )


def _default_account(settings: Settings) -> AccountFacts:
    return AccountFacts(
        region=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        sends_per_second=settings.aws_sends_per_second,
    )


def _provisioner(shared: Resources) -> AwsProvisioner:
    return AwsProvisioner(
        shared.session,
        shared.worker_engine,
        public_url=shared.settings.public_url,
        default_account=_default_account(shared.settings),
        usual_rate=identity_rate,
    )


async def prepare_database(settings: Settings) -> None:
    """After the migrations: the first route, and the example price book where there is none."""
    async with open_resources(settings) as shared:
        await _provisioner(shared).ensure_default_account()
        async with worker_transaction(shared.worker_engine) as session:
            await load_example_book(session)


@asynccontextmanager
async def open_api(shared: Resources) -> AsyncGenerator[Api]:
    """Build the web process on the shared resources."""
    settings, clock = shared.settings, shared.clock
    async with AsyncExitStack() as stack:
        ingest_pool = await create_pool(settings.database_url, "ingest", size=2)
        stack.push_async_callback(ingest_pool.close)
        certificates = await stack.enter_async_context(
            open_certificates(regions=[settings.aws_region], origins=settings.sns_cert_origins, clock=clock)
        )
        lanes = Lanes(shared.scripts)
        gate = AdmissionGate(shared.scripts)
        reader = SnapshotReader(shared.tenant_engine, shared.worker_engine, settings.secret_key, clock)
        policies = Policies(
            read=reader.snapshot,
            read_opt_outs=reader.opt_outs,
            read_lists_of=reader.lists_of,
            gate=gate,
            clock=clock,
        )
        pusher = LanePusher(shared.pool, lanes)
        intake = create_intake(shared.pool, pusher, queue_size=settings.intake_queue_size)
        receipts = create_receipts(ingest_pool, clock, platform_key(settings.secret_key))
        topics = KnownTopics(ingest_pool)
        receiver = SnsReceiver(
            Verifier(certificates, clock, topics=topics),
            topics,
            receipts,
            SnsTopics(shared.session, region=settings.aws_region, endpoint_url=settings.aws_endpoint_url),
        )
        sending = Sending(
            policies=policies,
            gate=gate,
            backlog=BacklogView(lanes),
            commit=intake,
            prices=Prices(reader.prices, clock),
            replays=Replays(shared.pool, shared.tenant_engine, shared.keys),
            clock=clock,
            secret_key=settings.secret_key,
        )
        services = Services(
            settings=settings,
            clock=clock,
            tenant_engine=shared.tenant_engine,
            operator_engine=shared.worker_engine,
            data_keys=shared.keys,
            sending=sending,
            provisioner=_provisioner(shared),
            ingest=receiver,
            readiness=StoresReadiness(settings.database_url, shared.pool, _ping(shared.redis)),
            policy_changed=policies.changed,
            opt_out_changed=policies.opt_out_changed,
            webhook_url_check=_url_check(Targets(settings.webhook_allow_cidrs)),
        )
        notices = PolicyNotices(settings.database_url, policies)
        yield Api(
            services=services,
            tasks=[
                lambda: intake.run(flushers=settings.intake_flushers),
                lambda: receipts.run(flushers=2),
                pusher.run,
                notices.run,
            ],
        )


def _ping(client: Any) -> Callable[[], Awaitable[None]]:
    async def ping() -> None:
        try:
            await client.ping()
        except RedisError as error:
            raise RedisUnavailable(str(error)) from error

    return ping


def _url_check(targets: Targets) -> WebhookUrlCheck:
    async def check(url: str) -> str | None:
        judged = check_url(url, targets)
        return judged.detail if isinstance(judged, UrlRefused) else None

    return check


@asynccontextmanager
async def open_roles(shared: Resources, roles: Collection[str]) -> AsyncGenerator[list[Task]]:
    """Return the endless tasks of the given roles."""
    openers = {
        "dispatcher": _open_dispatcher,
        "receipts": _open_receipts,
        "webhooks": _open_webhooks,
        "scheduler": _open_scheduler,
    }
    async with AsyncExitStack() as stack:
        tasks: list[Task] = []
        for role in roles:
            tasks.extend(await openers[role](shared, stack))
        yield tasks


async def _open_dispatcher(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    """One dispatcher per route; a route added later is carried after a restart."""
    settings = shared.settings
    async with worker_transaction(shared.worker_engine) as session:
        accounts = list(await sender_store.accounts(session))
    recorder = Recorder(shared.pool, shared.clock, unknown_wait=timedelta(seconds=settings.unknown_wait_s))
    rates = {encode("acc", account.id): account.sends_per_second for account in accounts}
    lanes = Lanes(shared.scripts, api_requests_per_second=rates)
    carriers: dict[str, Carrier] = {SANDBOX_ROUTE: SandboxCarrier(shared.pool, shared.clock)}
    for account in accounts:
        carriers[encode("acc", account.id)] = await _aws_carrier(shared, stack, account)
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
        )
        for route, carrier in carriers.items()
    ]
    return [recorder.run, *(dispatcher.run for dispatcher in dispatchers)]


async def _aws_carrier(shared: Resources, stack: AsyncExitStack, account: AwsAccount) -> Carrier:
    return await stack.enter_async_context(
        open_aws_carrier(
            shared.session,
            region=account.region,
            endpoint_url=account.endpoint_url,
            in_flight=shared.settings.dispatch_in_flight,
        )
    )


async def _open_receipts(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    """The sandbox's receipts; SNS over HTTPS arrives at the API, other roads join here."""
    pool = await create_pool(shared.settings.database_url, "ingest", size=2)
    stack.push_async_callback(pool.close)
    commit = create_receipts(pool, shared.clock, platform_key(shared.settings.secret_key))
    sandbox = SandboxReceipts(pool, commit, shared.clock)
    return [
        lambda: commit.run(flushers=1),
        lambda: run_rounds([Round(name="sandbox_receipts", every_s=0.1, work=sandbox.feed_due)]),
    ]


async def _open_webhooks(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    settings = shared.settings
    client = await stack.enter_async_context(
        open_client(Targets(settings.webhook_allow_cidrs), deadline_s=settings.webhook_timeout_s)
    )
    sender = WebhookSender(
        pool=shared.pool,
        database_url=settings.database_url,
        client=client,
        keys=shared.keys,
        clock=shared.clock,
        in_flight=settings.webhook_in_flight,
    )
    return [sender.run]


async def _open_scheduler(shared: Resources, _stack: AsyncExitStack) -> list[Task]:
    """Any number of schedulers may run: each round locks the rows it works on."""
    settings, clock, pool = shared.settings, shared.clock, shared.pool
    relay = Relay(pool, Lanes(shared.scripts), clock)
    unknown = UnknownSweep(pool, clock, wait=timedelta(seconds=settings.unknown_wait_s))
    sweep = ReceiptSweep(pool, clock, platform_key(settings.secret_key))

    async def make_partitions() -> None:
        await pool.execute("SELECT tollgate_make_partitions($1)", _PARTITION_MONTHS)

    async def forget_keys() -> None:
        await pool.execute("DELETE FROM idempotency_keys WHERE expires_at < now()")

    rounds = [
        Round(name="queue_due", every_s=0.25, work=relay.queue_due),
        Round(name="push_left_behind", every_s=1.0, work=relay.push_left_behind),
        Round(name="unknown_outcomes", every_s=1.0, work=unknown.sweep),
        Round(name="parked_receipts", every_s=2.0, work=sweep.join_parked),
        Round(name="silent_messages", every_s=600.0, work=sweep.close_silent),
        Round(name="partitions", every_s=3600.0, work=make_partitions),
        Round(name="expired_keys", every_s=600.0, work=forget_keys),
    ]
    return [lambda: run_rounds(rounds)]
