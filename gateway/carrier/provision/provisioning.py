"""
A tenant's world at AWS: topic, opt-out list, senders, configuration set, event destination, pool.

Each step looks before it makes, uses a ClientToken that a second run repeats, and is written to Postgres
before the next one starts; so a run that was cut off is finished by running again, and nothing is bought
twice. Calls are paced at AWS's one request a second per action, but not against an emulator.
"""

from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.account_turns import AccountTurns
from gateway.carrier.control import control_of
from gateway.carrier.control_calls import Control, StepRefused, said
from gateway.carrier.provision.answers import answered
from gateway.carrier.provision.ports import (
    ProvisionRefused,
    ProvisionRequest,
    ProvisionResult,
    SenderWish,
)
from gateway.carrier.provision.run import ProvisionRun, UsualRate
from gateway.carrier.provision.runs import Progress, begun
from gateway.carrier.provision.settle import Settling
from gateway.carrier.provision.wishes import default_wishes, needs_number
from gateway.carrier.session import AwsSession
from gateway.carrier.shared_pace import shared_pace
from gateway.carrier.topics import SnsTopics
from gateway.carrier.two_way import switch_two_way
from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.onboarding import store as onboardings
from tenants.scope import TenantScope
from tenants.senders import leaving, two_way
from tenants.senders import service as senders
from tenants.senders import store as sender_store
from tenants.senders.models import AwsAccount, Sender
from tenants.senders.service import DEFAULT_ACCOUNT, AccountFacts

_log = structlog.get_logger(__name__)


class AwsProvisioner:
    """Provisions through aioboto3; one per process."""

    def __init__(
        self,
        session: AwsSession,
        engine: AsyncEngine,
        *,
        public_url: str,
        default_account: AccountFacts,
        usual_rate: UsualRate,
    ) -> None:
        self._session = session
        self._engine = engine
        self._usual_rate = usual_rate
        self._public_url = public_url.rstrip("/")
        self._default_account = default_account
        self.open = control_of(session, shared_pace(engine))
        """Opens an account for control calls, which are paced with those of every other process."""
        self.turns = AccountTurns(engine)

    async def provision(
        self, scope: TenantScope, request: ProvisionRequest
    ) -> ProvisionResult | ProvisionRefused:
        """
        Create or adopt what the tenant needs, then set it live.

        Raises:
            NotFound: There is no such tenant or account.
            Unavailable: AWS or Postgres does not answer.
        """

        async def work() -> ProvisionResult:
            account = await self.account_of(request.account_id)
            async with self.turns.turn(account.id):
                return await self.provision_in(scope, request, account)

        return await answered(work)

    async def provision_in(
        self, scope: TenantScope, request: ProvisionRequest, account: AwsAccount, *, prune: bool = False
    ) -> ProvisionResult:
        """
        Provision while it is this run's turn at the account.

        Args:
            prune: Whether to take out of the tenant's pool at AWS what is nobody's.

        Raises:
            StepRefused: AWS or a quota said no.
        """
        async with worker_transaction(self._engine) as session:
            tenant = await accounts.get(scope, session)
            generation = await leaving.generation(scope, session)
        names = _steps(wishes_of(request, tenant))
        progress = await begun(scope, self._engine, account.id, names)
        try:
            result = await self._run(
                scope, request, account, progress, tenant=tenant, generation=generation, prune=prune
            )
        except StepRefused as refusal:
            await progress.end("refused", str(refusal))
            raise
        except (ClientError, ParamValidationError) as refusal:
            await progress.end("refused", said(refusal))
            raise
        except Exception as error:
            await progress.end("failed", type(error).__name__)
            raise
        await progress.end("done")
        return result

    async def _run(
        self,
        scope: TenantScope,
        request: ProvisionRequest,
        account: AwsAccount,
        progress: Progress,
        *,
        tenant: Tenant,
        generation: int,
        prune: bool,
    ) -> ProvisionResult:
        wishes = wishes_of(request, tenant)
        async with self.open(account) as aws:
            run = ProvisionRun(
                aws,
                scope,
                tenant=tenant,
                account=account,
                engine=self._engine,
                usual_rate=self._usual_rate,
                generation=generation,
            )
            await run.refuse_barred(wishes)
            async with progress.step("topic"):
                topic_arn = await self._topic(account)
            await self._note_tier(aws, account)
            async with progress.step("opt_out_list"):
                await run.opt_out_list()
            rows: list[Sender] = []
            for wish in wishes:
                async with progress.step(_sender_step(wish)):
                    rows.append(await run.sender(wish))
            settle = Settling(aws, self._engine, scope, account=await self.account_of(account.id))
            async with progress.step("changes"):
                await settle.round(tenant, request, prune=False)
            async with progress.step("configuration_set"):
                await run.configuration_set(topic_arn)
            async with progress.step("pool"):
                await run.pool(rows, dedicated=request.dedicated_pool)
            async with progress.step("changes"):
                await settle.round(tenant, request, prune=prune)
        if any(row.state == "active" for row in rows):
            await self._go_live(scope)
        return ProvisionResult(
            created=tuple(run.created), adopted=tuple(run.adopted), waiting=tuple(run.waiting)
        )

    async def set_two_way(
        self, scope: TenantScope, sender_id: UUID, *, enabled: bool, self_managed: bool
    ) -> tuple[UUID, ...] | ProvisionRefused:
        """
        Switch the number, or the AWS pool that holds it; the topic is made ready first.

        Raises:
            NotFound: The tenant has no such sender.
            Unavailable: AWS or Postgres does not answer.
        """
        async with worker_transaction(self._engine) as session:
            numbers = await two_way.numbers_with(scope, session, sender_id)
            known = await sender_store.accounts(session)
        account = next(each for each in known if each.id == numbers.account_id)

        async def work() -> tuple[UUID, ...]:
            topic_arn = await self._subscribe(account)
            async with self.open(account) as aws:
                await switch_two_way(aws, numbers, topic_arn if enabled else None, self_managed=self_managed)
            return numbers.sender_ids

        return await answered(work)

    async def _go_live(self, scope: TenantScope) -> None:
        """A tenant that is being onboarded goes live by its own last step."""
        async with worker_transaction(self._engine) as session:
            if await onboardings.get(scope, session) is None:
                await accounts.set_live(scope, session, live=True)

    async def ensure_default_account(self) -> AwsAccount:
        """Add the first route from the settings; one that is there keeps what the operator changed."""
        async with worker_transaction(self._engine) as session:
            existing = await sender_store.account_named(session, DEFAULT_ACCOUNT)
            if existing is None or existing.endpoint_url != self._default_account.endpoint_url:
                return await senders.ensure_account(session, self._default_account)
            return existing

    async def renew_subscription(self) -> None:
        """
        Subscribe again where a topic is known: the gateway's public URL may have changed since.

        AWS not answering is logged, not raised: a database must be usable while AWS is away.
        """
        account = await self.ensure_default_account()
        if account.topic_arn is None:
            return
        try:
            await self._subscribe(account)
        except (ClientError, BotoCoreError) as error:
            _log.warning("subscription_not_renewed", account=account.name, error=str(error))

    async def account_of(self, account_id: UUID | None) -> AwsAccount:
        """
        Return the account of that id, or the first one.

        Raises:
            StepRefused: There is none.
        """
        await self.ensure_default_account()
        async with worker_transaction(self._engine) as session:
            known = await sender_store.accounts(session)
        chosen = [account for account in known if account_id in {None, account.id}]
        if not chosen:
            raise StepRefused("there is no such AWS account; see /v1/admin/aws-accounts")
        return chosen[0]

    async def _topic(self, account: AwsAccount) -> str:
        """The ARN is stored before the subscription is made: the confirmation must find it allowed."""
        if account.topic_arn is not None and account.subscription_arn is not None:
            return account.topic_arn
        return await self._subscribe(account)

    async def _subscribe(self, account: AwsAccount) -> str:
        """Make topic and subscription; both are there already when AWS says so, and nothing changes."""
        topics = SnsTopics(self._session, account)
        topic_arn = await topics.ensure_topic()
        await self._remember(account, AccountFacts(topic_arn=topic_arn))
        subscription_arn = await topics.subscribe(topic_arn, f"{self._public_url}/v1/ingest/sns")
        await self._remember(account, AccountFacts(subscription_arn=subscription_arn))
        return topic_arn

    async def _note_tier(self, aws: Control, account: AwsAccount) -> None:
        """Keep whether AWS has the account in its sandbox: sends to unverified numbers are refused then."""
        answer = await aws.call("describe_account_attributes")
        tiers = [each["Value"] for each in answer["AccountAttributes"] if each["Name"] == "ACCOUNT_TIER"]
        sandbox = tiers == ["SANDBOX"]
        if sandbox != account.sandbox:
            await self._remember(account, AccountFacts(sandbox=sandbox))

    async def _remember(self, account: AwsAccount, facts: AccountFacts) -> None:
        async with worker_transaction(self._engine) as session:
            await senders.ensure_account(session, facts, name=account.name)


def _steps(wishes: tuple[SenderWish, ...]) -> list[str]:
    """Return the names of a run's steps, in order."""
    senders_ = [_sender_step(wish) for wish in wishes]
    return ["topic", "opt_out_list", *senders_, "changes", "configuration_set", "pool", "changes"]


def _sender_step(wish: SenderWish) -> str:
    return f"sender {wish.country}:{wish.type}"


def wishes_of(request: ProvisionRequest, tenant: Tenant) -> tuple[SenderWish, ...]:
    """
    Return the senders asked for, or fitting ones for the tenant's countries.

    A tenant whose texts go by shared routes needs none; its opt-out list and configuration set it needs, too.

    Raises:
        StepRefused: A sender id is not named, or there is nothing that could send.
    """
    usual = (wish for country in tenant.countries for wish in default_wishes(country, tenant.slug))
    wishes = request.senders or tuple(usual)
    if not wishes and not accounts.plan_of(tenant).shared_routes:
        raise StepRefused(
            "name at least one sender: none of the tenant's countries has one without registration, and its "
            "plan has no shared routes"
        )
    unnamed = [wish.country for wish in wishes if not needs_number(wish.type) and wish.value is None]
    if unnamed:
        raise StepRefused(f"name the sender id wanted in {', '.join(unnamed)} as `value`")
    return wishes
