"""
AWS's opt-out lists kept in step with the tenants' ledgers, both ways: the second line behind admission.

Outwards, changes of the list `all` follow in order: an opt-out after a pause, since AWS refuses whatever goes
to a number on its list, the gateway's own confirmation too; an opt-in at once. Inwards, each list is compared
once an hour: who said STOP to AWS while nothing reached us is taken over. Numbers whose opt-outs the gateway
answers itself have no list at AWS to follow: HELP has to reach those who opted out.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.control import control_client
from gateway.carrier.control_calls import Control, said
from gateway.carrier.opt_out_targets import Key, Target, links_of, put_link, targets_of
from gateway.carrier.pace import Pace
from gateway.carrier.session import AwsSession, session_of
from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.optouts import service as opt_outs
from tenants.optouts.lists import EVERYTHING
from tenants.optouts.models import OptOutLink
from tenants.optouts.service import Change, ChangeView, Origin
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

NUMBERS_PER_S: Final = 10.0
"""AWS's quota of PutOptedOutNumber and DeleteOptedOutNumber; describing has the usual one a second."""
CONFIRMED_WITHIN: Final = timedelta(seconds=90)
"""An opt-out is told to AWS when its confirmation has had time to leave."""
COMPARED_EVERY: Final = timedelta(hours=1)
_CHANGES_PER_ROUND: Final = 300
_PAGE: Final = 10_000
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('tollgate opt-out lists', 0))"
_NO_SUCH_NUMBER: Final = "ValidationException"
_ONCE_IN_30_DAYS: Final = "PHONE_NUMBER_CANNOT_BE_OPTED_IN"


class ListControl(Struct, frozen=True):
    """An account's opt-out lists: changing numbers and describing them have paces of their own."""

    numbers: Control
    describing: Control


OpenLists = Callable[[AwsAccount], AbstractAsyncContextManager[ListControl]]
Tell = Callable[[TenantScope, AsyncSession, Change, opt_outs.Source], Awaitable[None]]
"""Tells a tenant of a change, in the transaction that makes it."""


def lists_of(own: AwsSession) -> OpenLists:
    """Return what opens an account's lists, through its role where it has one."""

    @asynccontextmanager
    async def opened(account: AwsAccount) -> AsyncGenerator[ListControl]:
        async with control_client(session_of(own, account), account) as client:
            free = account.endpoint_url is not None
            yield ListControl(
                Control(client, Pace(None if free else NUMBERS_PER_S)),
                Control(client, Pace(None if free else 1.0)),
            )

    return opened


class OptOutLists:
    """Keeps the lists in step; of several processes one works."""

    def __init__(
        self,
        database_url: str,
        engine: AsyncEngine,
        open_lists: OpenLists,
        tell: Tell,
        *,
        secret_key: str,
        clock: Clock,
    ) -> None:
        self._database_url = database_url
        self._engine = engine
        self._open = open_lists
        self._tell = tell
        self._secret_key = secret_key
        self._clock = clock
        self._early: set[tuple[Key, UUID]] = set()
        """Opt-ins that were told while their place in the ledger could not be passed yet."""

    async def round(self) -> None:
        """
        Bring every list up to date, unless another process does; no transaction is open meanwhile.

        The connection that holds the lock costs Postgres a process, so it is opened only if something is due.
        """
        if not any([await self._is_due(target, link) for _, target, link in await self._lists()]):
            return
        connection = await connect(self._database_url, "worker")
        try:
            if not await connection.fetchval(_LOCK):
                return
            for account, target, link in await self._lists():
                await self._keep(account, target, link)
        finally:
            await connection.close(timeout=1)

    async def _lists(self) -> list[tuple[AwsAccount, Target, OptOutLink]]:
        async with worker_transaction(self._engine) as session:
            known = {account.id: account for account in await senders.accounts(session)}
            targets = await targets_of(session)
            links = await links_of(session)
        return [
            (known[target.account_id], target, links.get(target.key) or target.new_link())
            for target in targets
            if target.account_id in known
        ]

    async def _is_due(self, target: Target, link: OptOutLink) -> bool:
        return self._is_old(link) or bool((await self._changes(target, link))[0])

    def _is_old(self, link: OptOutLink) -> bool:
        return link.compared_at is None or self._clock.now() - link.compared_at >= COMPARED_EVERY

    async def _keep(self, account: AwsAccount, target: Target, link: OptOutLink) -> None:
        now = self._clock.now()
        compare = self._is_old(link)
        changes, key = await self._changes(target, link)
        if not changes and not compare:
            return
        try:
            async with self._open(account) as aws:
                await self._follow(aws, target, link, changes, now)
                if compare:
                    await self._compare(aws, target, link, key, now)
        except ClientError as error:
            link.fault = said(error)
        except BotoCoreError as error:
            _log.warning("opt_out_list_not_reached", account=account.name, error=str(error))
            return
        async with worker_transaction(self._engine) as session:
            await put_link(session, link)

    async def _changes(self, target: Target, link: OptOutLink) -> tuple[list[ChangeView], DataKey]:
        scope = target.scope
        async with worker_transaction(self._engine) as session:
            key = accounts.data_key_of(await accounts.get(scope, session), self._secret_key)
            changes = await opt_outs.history(
                scope, session, key, limit=_CHANGES_PER_ROUND, after=link.followed
            )
        return changes, key

    async def _follow(
        self,
        aws: ListControl,
        target: Target,
        link: OptOutLink,
        changes: Sequence[ChangeView],
        now: datetime,
    ) -> None:
        """
        Tell AWS in order; what is young holds the place in the ledger, and no opt-in behind it.

        An opt-in holds it, too: a change that was written before it may be committed after it.
        """
        in_order, is_old = True, {each.id: now - each.at >= CONFIRMED_WITHIN for each in changes}
        due = {each.id for each in changes if is_old[each.id] or each.change == "opted_in"}
        due = {each for each in due if (target.key, each) not in self._early} - _taken_back(changes)
        if due or not changes:
            link.fault = None
        for change in changes:
            if change.id in due:
                await self._tell_aws(aws, target, link, change)
            in_order = in_order and is_old[change.id]
            if in_order:
                link.followed = change.id
                self._early.discard((target.key, change.id))
            elif change.id in due:
                self._early.add((target.key, change.id))

    async def _tell_aws(self, aws: ListControl, target: Target, link: OptOutLink, change: ChangeView) -> None:
        if change.list_name != EVERYTHING or change.source == "aws_list" or not change.number:
            return  # without a number, the tenant is being erased
        if change.change == "opted_out":
            await self._put(aws, target, link, change.number)
        elif not await self._delete(aws, target, change.number):
            link.fault = "AWS lets a number be opted in once in 30 days; one has to wait and is tried hourly"

    async def _put(self, aws: ListControl, target: Target, link: OptOutLink, number: str) -> bool:
        """Put a number on AWS's list; False where AWS takes no such number, which is not to stop others."""
        try:
            await aws.numbers.call(
                "put_opted_out_number", OptOutListName=target.aws_list, OptedOutNumber=number
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != _NO_SUCH_NUMBER:
                raise
            link.fault = said(error)
            return False
        return True

    async def _delete(self, aws: ListControl, target: Target, number: str) -> bool:
        """Take a number off AWS's list; False where AWS does not let go of it yet."""
        try:
            await aws.numbers.find(
                "delete_opted_out_number", OptOutListName=target.aws_list, OptedOutNumber=number
            )
        except ClientError as error:
            reason: Any = error.response.get("Reason")
            if reason != _ONCE_IN_30_DAYS:
                raise
            return False
        return True

    async def _compare(
        self, aws: ListControl, target: Target, link: OptOutLink, key: DataKey, now: datetime
    ) -> None:
        """Mend every difference, and say in words how many there were."""
        theirs = await _described(aws, target)
        ours, last = await self._ours(target, key)
        taken = freed = 0
        for number, at in theirs.items():
            if number in ours:
                continue
            change = last.get(number)
            if change is not None and change.change == "opted_in" and change.at >= at:
                freed += await self._delete(aws, target, number)
            else:
                taken += await self._take_over(target, key, number)
        due = [number for number, since in ours.items() if now - since >= CONFIRMED_WITHIN]
        missing = 0
        for number in due:
            missing += number not in theirs and await self._put(aws, target, link, number)
        link.compared_at = now
        link.drift = _in_words(taken=taken, missing=missing, freed=freed)
        if link.drift:
            _log.warning("opt_out_drift", tenant_id=str(target.tenant_id), found=len(link.drift))

    async def _ours(
        self, target: Target, key: DataKey
    ) -> tuple[dict[str, datetime], Mapping[str, ChangeView]]:
        """Return who stands on the list, since when, and the last change of each number on it."""
        scope, ours, last = target.scope, dict[str, datetime](), dict[str, ChangeView]()
        async with worker_transaction(self._engine) as session:
            cursor: str | None = None
            while rows := await opt_outs.page(
                scope, session, key, limit=_PAGE, after=cursor, list_name=EVERYTHING
            ):
                ours |= {row.number: row.created_at for row in rows}
                cursor = rows[-1].cursor
            place: UUID | None = None
            while lines := await opt_outs.history(scope, session, key, limit=_PAGE, after=place):
                last |= {line.number: line for line in lines if line.list_name == EVERYTHING}
                place = lines[-1].id
        return ours, last

    async def _take_over(self, target: Target, key: DataKey, number: str) -> int:
        origin = Origin(source="aws_list", actor="aws")
        async with worker_transaction(self._engine) as session:
            change = await opt_outs.put(target.scope, session, key, number=number, origin=origin)
            await self._tell(target.scope, session, change, "aws_list")
        return int(change.changed)


def _taken_back(changes: Sequence[ChangeView]) -> set[UUID]:
    """Return the opt-outs behind which the same number opted in again: AWS is told of the last word."""
    back: set[str] = set()
    found: set[UUID] = set()
    for change in reversed(changes):
        if change.list_name != EVERYTHING:
            continue
        if change.change == "opted_in":
            back.add(change.number)
        elif change.number in back:
            found.add(change.id)
    return found


async def _described(aws: ListControl, target: Target) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    more: dict[str, str] = {}
    while True:
        page = await aws.describing.call(
            "describe_opted_out_numbers", OptOutListName=target.aws_list, MaxResults=100, **more
        )
        found |= {each["OptedOutNumber"]: each["OptedOutTimestamp"] for each in page["OptedOutNumbers"]}
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


def _in_words(**counts: int) -> list[str]:
    words = {
        "taken": "on AWS's list alone: taken over",
        "missing": "missing on AWS's list: told to AWS",
        "freed": "opted in since: taken off AWS's list",
    }
    return [f"{count} {words[name]}" for name, count in counts.items() if count]
