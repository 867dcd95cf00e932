"""
AWS's protect configurations kept equal to ours: the second line behind the gateway's own gate.

Desired state is in Postgres; every round compares what changed, and each copy once an hour whether it changed
or not. Calls are paced at AWS's one request a second per action. AWS allows an account 25 configurations: the
operator's own come first, then tenants' defaults, then the rest; who gets none is enforced here alone.

What AWS differs in without a change of ours is drift: somebody else changed it. It is put right and told.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier import protect_desired as copies
from gateway.carrier.control import OpenControl
from gateway.carrier.control_calls import Control, said
from gateway.carrier.protect_copy import ProtectCopy
from gateway.carrier.protect_wish import MOST_AT_AWS, NumberRule, Wanted, share_out
from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.protection.models import ProtectLink
from tenants.protection.overrides import seal_context
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('tollgate protect copies', 0))"
_GONE: Final = "ResourceNotFoundException"


class ProtectSync:
    """Brings every account's copies up to date; of several schedulers one works."""

    def __init__(
        self,
        database_url: str,
        engine: AsyncEngine,
        open_control: OpenControl,
        *,
        secret_key: str,
        clock: Clock,
        most: int = MOST_AT_AWS,
    ) -> None:
        self._database_url = database_url
        self._engine = engine
        self._open = open_control
        self._secret_key = secret_key
        self._clock = clock
        self._most = most

    async def round(self) -> None:
        """Look at every account once, unless another process does; no transaction is open meanwhile."""
        connection = await connect(self._database_url, "worker")
        try:
            if not await connection.fetchval(_LOCK):
                return
            async with worker_transaction(self._engine) as session:
                known = await senders.accounts(session)
            for account in known:
                await self._look_after(account)
        finally:
            await connection.close(timeout=1)

    async def _look_after(self, account: AwsAccount) -> None:
        wanted = await self._wanted(account)
        links = await self._links(account)
        leaving = [link for each, link in links.items() if each not in {w.id for w in wanted}]
        due = [each for each in wanted if self._is_due(each, links.get(each.id))]
        if not due and not leaving:
            return
        try:
            async with self._open(account) as aws:
                await self._make_missing(aws, account, wanted, links)
                for each in due:
                    await self._bring_up_to_date(aws, each, links[each.id])
                await self._put_in_force(aws, account, wanted, links)
                for link in leaving:
                    await self._delete(aws, link)
        except (ClientError, BotoCoreError) as error:
            _log.warning("protect_sync_failed", account=account.name, error=str(error))

    async def _wanted(self, account: AwsAccount) -> list[Wanted]:
        async with worker_transaction(self._engine) as session:
            own = await copies.of_operator(session)
            theirs = await copies.of_tenants(session, account)
        return [
            *(
                Wanted(
                    id=row.id,
                    version=row.version,
                    name=f"tg {row.name}",
                    rules=row.rules,
                    countries=None,
                    tenant_id=None,
                    account_default=row.is_default,
                )
                for row in own
            ),
            *(
                Wanted(
                    id=each.row.id,
                    version=each.row.version,
                    name=f"tg {each.tenant.slug} {each.row.name}",
                    rules=each.row.rules,
                    countries=frozenset(each.tenant.countries),
                    tenant_id=each.tenant.id,
                )
                for each in theirs
            ),
        ]

    async def _links(self, account: AwsAccount) -> dict[UUID, ProtectLink]:
        async with worker_transaction(self._engine) as session:
            return await copies.links(session, account.id)

    def _is_due(self, wanted: Wanted, link: ProtectLink | None) -> bool:
        if link is None or link.synced_version != wanted.version or link.checked_at is None:
            return True
        return self._clock.now() - link.checked_at >= timedelta(seconds=copies.RESEEN_AFTER_S)

    async def _make_missing(
        self, aws: Control, account: AwsAccount, wanted: Sequence[Wanted], links: dict[UUID, ProtectLink]
    ) -> None:
        owned = {each for each, link in links.items() if link.aws_id is not None}
        if all(each.id in owned for each in wanted):
            return
        shares = share_out(wanted, owned, at_aws=await _count(aws), most=self._most)
        for each in wanted:
            link = links.setdefault(each.id, ProtectLink(configuration_id=each.id, account_id=account.id))
            if link.aws_id is None and each.id in shares:
                link.aws_id = await ProtectCopy.make(aws, each, account.name, lost_at=link.checked_at)
                link.synced_version = 0
            link.state = "own" if link.aws_id else "shared"
            await self._write(link)

    async def _bring_up_to_date(self, aws: Control, wanted: Wanted, link: ProtectLink) -> None:
        was_whole = link.synced_version == wanted.version
        link.drift, link.fault = [], None
        if link.aws_id is None:
            link.synced_version, link.checked_at = wanted.version, self._clock.now()
            await self._write(link)
            return
        copy = ProtectCopy(aws, link.aws_id)
        try:
            found = await copy.bring_up_to_date(await self._with_numbers(wanted), self._clock.now())
        except ClientError as error:
            link.fault = said(error)
            if error.response.get("Error", {}).get("Code") == _GONE:
                link.aws_id, link.state = None, "shared"
                link.drift = ["deleted at AWS; made anew by the next round"]
                link.synced_version = 0
        else:
            link.drift = found if was_whole else []
            link.synced_version = wanted.version if copy.complete else 0
        link.checked_at = self._clock.now()
        if link.drift:
            _log.warning("protect_drift", configuration=str(wanted.id), found=len(link.drift))
        await self._write(link)

    async def _with_numbers(self, wanted: Wanted) -> Wanted:
        """Open the numbers of a tenant's overrides; they are sealed everywhere else."""
        if wanted.tenant_id is None:
            return wanted
        scope = TenantScope(tenant_id=wanted.tenant_id)
        async with worker_transaction(self._engine) as session:
            key = accounts.data_key_of(await accounts.get(scope, session), self._secret_key)
            rows = await copies.overrides_of(session, wanted.id, self._clock.now())
        numbers = {
            key.open(row.number_sealed, context=seal_context(wanted.id, row.recipient_hash)).decode(): (
                NumberRule(action=row.action, expires_at=row.expires_at)
            )
            for row in rows
        }
        numbers.pop("", None)  # of a tenant that is being erased
        return structs.replace(wanted, numbers=numbers)

    async def _put_in_force(
        self, aws: Control, account: AwsAccount, wanted: Sequence[Wanted], links: dict[UUID, ProtectLink]
    ) -> None:
        """Name the account's default, and each configuration set's."""
        default = next((links[each.id].aws_id for each in wanted if each.account_default), None)
        if default is not None:
            await aws.call("set_account_default_protect_configuration", ProtectConfigurationId=default)
        async with worker_transaction(self._engine) as session:
            sets = await copies.sets_of(session, account)
        if not sets:
            return
        held = await _sets(aws)
        for each in sets:
            link = links.get(each.configuration_id)
            if each.name in held and link is not None and link.aws_id not in {None, held[each.name]}:
                await aws.call(
                    "associate_protect_configuration",
                    ProtectConfigurationId=link.aws_id,
                    ConfigurationSetName=each.name,
                )

    async def _delete(self, aws: Control, link: ProtectLink) -> None:
        """Take away the copy of a configuration that is no more; where AWS refuses, try again next time."""
        try:
            if link.aws_id is not None:
                for name, held in (await _sets(aws)).items():
                    if held == link.aws_id:
                        await aws.call(
                            "disassociate_protect_configuration",
                            ProtectConfigurationId=link.aws_id,
                            ConfigurationSetName=name,
                        )
                await aws.find("delete_protect_configuration", ProtectConfigurationId=link.aws_id)
        except ClientError as error:
            link.state, link.fault, link.checked_at = "leaving", said(error), self._clock.now()
            await self._write(link)
            return
        async with worker_transaction(self._engine) as session:
            await copies.drop_link(session, link)

    async def _write(self, link: ProtectLink) -> None:
        async with worker_transaction(self._engine) as session:
            await copies.put_link(session, link)


async def _count(aws: Control) -> int:
    return len(await _all(aws, "describe_protect_configurations", "ProtectConfigurations"))


async def _sets(aws: Control) -> dict[str, str | None]:
    """Return every configuration set of the account with AWS's id of its protect configuration."""
    found = await _all(aws, "describe_configuration_sets", "ConfigurationSets")
    return {each["ConfigurationSetName"]: each.get("ProtectConfigurationId") for each in found}


async def _all(aws: Control, action: str, member: str) -> list[Any]:
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = await aws.call(action, **more)
        found += page[member]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}
