"""The web process: its services and the tasks beside it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct
from redis.exceptions import RedisClusterException, RedisError

from gateway.admission.gate import AdmissionGate
from gateway.admission.holds import Holds
from gateway.api.lists.feed_horizon import FeedHorizon
from gateway.api.ports import WebhookUrlCheck
from gateway.api.services import Services
from gateway.captcha.verifying import Captcha, open_captcha
from gateway.carrier.account_check import check_account
from gateway.carrier.carried_types import carried_types
from gateway.carrier.control import control_of
from gateway.carrier.media_stage import S3Stage
from gateway.carrier.provision.desk import AwsProvisionDesk
from gateway.carrier.session import open_session
from gateway.carrier.shared_pace import shared_pace
from gateway.carrier.verifying import AwsNumberVerifier
from gateway.db.engine import create_pool
from gateway.db.readiness import StoresReadiness
from gateway.errors import GatewayError
from gateway.intake.batch import create_intake
from gateway.intake.notices import PolicyNotices
from gateway.intake.prices import Prices
from gateway.intake.protect_tally import ProtectTally
from gateway.intake.pushing import LanePusher
from gateway.intake.replays import Replays
from gateway.intake.sending import Sending
from gateway.lanes.backlog import BacklogView
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.lanes.redis_version import complaint
from gateway.lanes.scripts import RedisScripts
from gateway.lanes.survey import LaneSurvey
from gateway.media.desk import MediaDesk
from gateway.media.fetch import open_fetcher
from gateway.receipts.access_keys import AccessKeys
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.dead_letters import DeadLetters
from gateway.receipts.firehose import FirehoseReceiver
from gateway.receipts.parked import ParkedEvents
from gateway.receipts.sns import SnsReceiver
from gateway.registrations.desk import RegistrationDesk
from gateway.routing.health_view import HealthView
from gateway.settings import Settings
from gateway.webhooks.addresses import Targets, UrlRefused, check_url
from gateway.wiring.ingest import open_trust
from gateway.wiring.policies import create_policies, create_reader
from gateway.wiring.provisioning import create_provisioner
from gateway.wiring.resources import Resources, Task
from gateway.wiring.stopping import closing
from gateway.wiring.targets import targets_of
from tenants.access.tokens import pepper_from


class Api(Struct, kw_only=True):
    """The web process: its services and the tasks that must run beside it."""

    services: Services
    tasks: list[Task]


@asynccontextmanager
async def open_api(shared: Resources) -> AsyncGenerator[Api]:
    """Build the web process on the shared resources."""
    settings, clock, session = shared.settings, shared.clock, open_session()
    async with AsyncExitStack() as stack:
        ingest_pool = await create_pool(settings.database_url, "ingest", size=2)
        stack.push_async_callback(closing(ingest_pool.close))
        trust = await open_trust(shared, stack, ingest_pool, session)
        lanes = Lanes(shared.scripts)
        queues = Queues(lanes)
        gate = AdmissionGate(shared.scripts)
        reader = create_reader(shared)
        policies = create_policies(shared, reader, gate)
        pusher = LanePusher(shared.pool, lanes)
        intake = create_intake(shared.pool, pusher, queue_size=settings.intake_queue_size)
        parked_key = platform_key(settings.secret_key)
        receipts = create_receipts(ingest_pool, clock, parked_key)
        receiver = SnsReceiver(trust.posted, trust.topics, receipts, trust.confirmer)
        access_keys = AccessKeys(ingest_pool, pepper=pepper_from(settings.secret_key))
        health = HealthView(shared.pool)
        protect_tally = ProtectTally(shared.pool, clock)
        media = MediaDesk(
            tenant_engine=shared.tenant_engine,
            worker_engine=shared.worker_engine,
            stage=S3Stage(session),
            fetcher=await stack.enter_async_context(open_fetcher(targets_of(settings))),
            clock=clock,
        )
        sending = Sending(
            policies=policies,
            gate=gate,
            backlog=BacklogView(queues),
            ill=health.ill,
            commit=intake,
            media=media,
            prices=Prices(reader.tariff, clock),
            replays=Replays(shared.pool, shared.tenant_engine, shared.keys),
            protect_tally=protect_tally,
            clock=clock,
            secret_key=settings.secret_key,
        )
        horizon = FeedHorizon(shared.pool)
        provisioner = create_provisioner(shared, session)
        control = control_of(session, shared_pace(shared.worker_engine))
        services = Services(
            settings=settings,
            clock=clock,
            tenant_engine=shared.tenant_engine,
            operator_engine=shared.worker_engine,
            data_keys=shared.keys,
            sending=sending,
            media=media,
            provisioner=provisioner,
            provision_desk=AwsProvisionDesk(provisioner, shared.worker_engine, clock),
            two_way=provisioner,
            number_verifier=AwsNumberVerifier(shared.worker_engine, control),
            registrations=RegistrationDesk(shared.worker_engine, control, clock),
            account_check=check_account,
            carried_types=carried_types,
            ingest=receiver,
            firehose=FirehoseReceiver(access_keys, trust.mailroom, receipts, clock),
            dead_letters=DeadLetters(session, shared.worker_engine, trust.mailroom),
            parked_events=ParkedEvents(shared.pool, receipts, parked_key),
            readiness=StoresReadiness(
                settings.database_url, shared.pool, redis_serves(shared.redis, shared.scripts)
            ),
            policy_changed=policies.changed,
            opt_out_changed=policies.opt_out_changed,
            override_changed=policies.override_changed,
            pumping_holds=Holds(shared.scripts),
            lanes=LaneSurvey(shared.pool, queues, clock),
            feed_until=horizon.until,
            webhook_url_check=_url_check(targets_of(settings)),
            captcha=await _captcha(settings, stack),
        )
        notices = PolicyNotices(settings.database_url, policies)
        yield Api(
            services=services,
            tasks=[
                lambda: intake.run(flushers=settings.intake_flushers),
                lambda: receipts.run(flushers=2),
                pusher.run,
                notices.run,
                health.run,
                protect_tally.run,
                horizon.run,
            ],
        )


def redis_serves(client: Any, scripts: RedisScripts) -> Callable[[], Awaitable[None]]:
    """Return what fails where Redis does not answer, or is too old."""

    async def check() -> None:
        try:
            await client.ping()
        except (RedisError, RedisClusterException) as error:
            raise RedisUnavailable(str(error)) from error
        if (wrong := complaint(await scripts.versions())) is not None:
            raise GatewayError(wrong)

    return check


def _url_check(targets: Targets) -> WebhookUrlCheck:
    async def check(url: str) -> str | None:
        judged = check_url(url, targets)
        return judged.detail if isinstance(judged, UrlRefused) else None

    return check


async def _captcha(settings: Settings, stack: AsyncExitStack) -> Captcha | None:
    """Return the check of the hosted forms, where the operator has set one up."""
    if settings.captcha is None:
        return None
    return await stack.enter_async_context(
        open_captcha(
            provider=settings.captcha,
            site_key=settings.captcha_site_key or "",
            secret=settings.captcha_secret or "",
            verify_url=settings.captcha_verify_url,
        )
    )
