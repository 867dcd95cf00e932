"""The provisioner, and what a fresh database needs of it."""

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.carrier.provision.provisioning import AwsProvisioner
from gateway.carrier.session import AwsSession, open_session
from gateway.db.transaction import worker_transaction
from gateway.lanes.gates import identity_rate
from gateway.receipts import roads
from gateway.receipts.roads import check_queue_url
from gateway.settings import Settings
from gateway.wiring.resources import Resources, open_resources
from tenants.credits.book import load_example_book
from tenants.senders import store
from tenants.senders.service import DEFAULT_ACCOUNT, AccountFacts


def create_provisioner(shared: Resources, session: AwsSession) -> AwsProvisioner:
    """Return the provisioner on the first account that the settings describe."""
    return AwsProvisioner(
        session,
        shared.worker_engine,
        public_url=shared.settings.public_url,
        default_account=_default_account(shared.settings),
        usual_rate=identity_rate,
    )


async def prepare_database(settings: Settings) -> None:
    """After the migrations: the first route, and the example price book where there is none."""
    async with open_resources(settings) as shared:
        provisioner = create_provisioner(shared, open_session())
        await provisioner.ensure_default_account()
        await provisioner.renew_subscription()
        async with worker_transaction(shared.worker_engine) as session:
            await load_example_book(session)
            await _read_queue(session, settings.aws_receipt_queue)


async def _read_queue(session: AsyncSession, url: str | None) -> None:
    """The first account's queue comes from a setting; the others' are the operator's to name."""
    account = await store.account_named(session, DEFAULT_ACCOUNT)
    if url is None or account is None or url in {each.queue.url for each in await roads.queues(session)}:
        return
    await roads.put_queue(session, account.id, check_queue_url(url), signed_only=False)


def _default_account(settings: Settings) -> AccountFacts:
    return AccountFacts(
        region=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        sends_per_second=settings.aws_sends_per_second,
        media_bucket=settings.aws_media_bucket or UNSET,
    )
