"""
What AWS itself answers STOP and HELP with, kept in step with the tenants' texts.

A changed text is told within seconds, at AWS's pace of a request a second. Once a day AWS is asked what it
answers; what somebody changed there is told anew, and said. Telling the same twice changes nothing, so a
process that dies on the way leaves the rest to the next one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control import OpenControl
from gateway.carrier.control_calls import Control, said
from gateway.carrier.keyword_targets import KeywordTarget, links_of, targets_of, words_of
from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.transaction import worker_transaction
from tenants.keywords.models import KeywordLink
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

COMPARED_EVERY: Final = timedelta(days=1)
RETRIED_AFTER: Final = timedelta(minutes=15)
"""What AWS refused is mostly a person's to mend."""
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('tollgate keyword texts', 0))"


class KeywordTexts:
    """Keeps the texts in step; of several processes one works."""

    def __init__(
        self, database_url: str, engine: AsyncEngine, open_control: OpenControl, clock: Clock
    ) -> None:
        self._database_url = database_url
        self._engine = engine
        self._open = open_control
        self._clock = clock

    async def round(self) -> None:
        """Tell AWS what is due, unless another process does; no transaction is open meanwhile."""
        if not await self._due():
            return
        connection = await connect(self._database_url, "worker")
        try:
            if await connection.fetchval(_LOCK):
                seen_at = self._clock.now()
                for account, target, link, words in await self._due():
                    await self._keep(account, target, link, words, seen_at=seen_at)
        finally:
            await connection.close(timeout=1)

    async def _due(self) -> list[tuple[AwsAccount, KeywordTarget, KeywordLink, Mapping[str, str]]]:
        words: dict[UUID, Mapping[str, tuple[str, bool]]] = {}
        due: list[tuple[AwsAccount, KeywordTarget, KeywordLink, Mapping[str, str]]] = []
        now = self._clock.now()
        async with worker_transaction(self._engine) as session:
            targets = await targets_of(session, now=now, old=now - COMPARED_EVERY)
            links = await links_of(session, targets) if targets else {}
            accounts = {each.id: each for each in await senders.accounts(session)} if targets else {}
            for target in targets:
                if target.tenant_id not in words:
                    words[target.tenant_id] = await words_of(TenantScope(tenant_id=target.tenant_id), session)
                link = links.get(target.key) or target.new_link()
                wanted = _wanted(words[target.tenant_id], link)
                if target.account_id in accounts and _is_due(link, wanted, now):
                    due.append((accounts[target.account_id], target, link, wanted))
        return due

    async def _keep(
        self,
        account: AwsAccount,
        target: KeywordTarget,
        link: KeywordLink,
        wanted: Mapping[str, str],
        *,
        seen_at: datetime,
    ) -> None:
        """Tell AWS; what its tenant changes after `seen_at` is told the next time."""
        try:
            async with self._open(account) as aws:
                link.drift = await _told(aws, target, link, wanted)
        except ClientError as error:
            link.fault, link.retry_at = said(error), self._clock.now() + RETRIED_AFTER
        except BotoCoreError as error:
            _log.warning("keyword_texts_not_told", account=account.name, error=str(error))
            return
        else:
            link.told, link.compared_at = dict(wanted), seen_at
            link.fault = link.retry_at = None
        if link.drift:
            _log.warning("keyword_text_drift", tenant_id=str(target.tenant_id), found=len(link.drift))
        async with worker_transaction(self._engine) as session:
            await session.merge(link)


def _is_due(link: KeywordLink, wanted: Mapping[str, str], now: datetime) -> bool:
    is_old = link.compared_at is None or now - link.compared_at >= COMPARED_EVERY
    return bool(wanted) and (is_old or wanted != link.told)


def _wanted(words: Mapping[str, tuple[str, bool]], link: KeywordLink) -> dict[str, str]:
    """Return the tenant's own texts, and the usual ones in the place of those that it took back."""
    return {keyword: text for keyword, (text, own) in words.items() if own or keyword in link.told}


async def _told(
    aws: Control, target: KeywordTarget, link: KeywordLink, wanted: Mapping[str, str]
) -> list[str]:
    """Tell AWS what it answers otherwise; returns what others have changed there since, in words."""
    shown = await aws.call("describe_keywords", OriginationIdentity=target.arn, Keywords=[*wanted])
    theirs = {each["Keyword"]: each["KeywordMessage"] for each in shown["Keywords"]}
    drift: list[str] = []
    for keyword, text in wanted.items():
        if theirs.get(keyword) == text:
            continue
        await aws.call("put_keyword", OriginationIdentity=target.arn, Keyword=keyword, KeywordMessage=text)
        if link.told.get(keyword) == text:
            drift.append(f"{keyword} was changed at AWS: told again")
    return drift
