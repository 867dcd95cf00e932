"""
The way of a file: judged by its bytes, staged in every account that may send it, remembered, attached.

Staging comes before the row and the row before the accept: a message that was accepted has its file where
AWS will look for it. A file that was staged and never remembered is S3's lifecycle's to delete.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.clock import Clock
from gateway.db.transaction import tenant_transaction, worker_transaction
from gateway.media import store
from gateway.media.fetch import MediaFetcher
from gateway.media.kinds import MediaKind, MediaRefused, kind_of
from gateway.media.models import MediaFile
from gateway.messages.content import Media
from tenants.errors import InvalidId
from tenants.ids import decode, encode, new_uuid
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount
from tenants.senders.routing import routes_of

KEPT_FOR: Final = timedelta(days=45)
"""The longest schedule (35 days), the longest life after it (3 days), and a week to spare."""
_SHARED_FOR_S: Final = 10.0
"""How long one fetch of an address serves every send of it: a batch names the same file a thousand times."""
_DECODED_AT_ONCE: Final = 2
"""Pictures in memory, unpacked: 160 MB each at the most."""
_KEY_BYTES: Final = 24


class Stage(Protocol):
    """Where AWS reads files from; `gateway.carrier.media_stage.S3Stage` fits."""

    async def put(self, account: AwsAccount, key: str, content: bytes, *, content_type: str) -> str:
        """
        Store a file in the account's bucket; returns its `s3://` address.

        Raises:
            gateway.errors.Unavailable: S3 did not take it.
        """
        ...


class MediaDesk:
    """One per web process."""

    def __init__(
        self,
        *,
        tenant_engine: AsyncEngine,
        worker_engine: AsyncEngine,
        stage: Stage,
        fetcher: MediaFetcher,
        clock: Clock,
    ) -> None:
        self._tenant_engine = tenant_engine
        self._worker_engine = worker_engine
        self._stage = stage
        self._fetcher = fetcher
        self._clock = clock
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)
        self._fetched: dict[tuple[UUID, bool, str], asyncio.Task[MediaFile | MediaRefused]] = {}

    async def staged(self, scope: TenantScope, content: bytes) -> MediaFile | MediaRefused:
        """
        Judge a file and put it where AWS will read it; the row that remembers it is the caller's to store.

        Raises:
            Unavailable: S3 or Postgres did not answer.
        """
        async with self._decoding:
            kind = await asyncio.to_thread(kind_of, content)
        if isinstance(kind, MediaRefused):
            return kind
        key = f"{scope.tenant_id.hex}/{secrets.token_urlsafe(_KEY_BYTES)}.{kind.ending}"
        places: Mapping[str, str] = await self._put(scope, key, content, kind) if scope.live else {}
        if scope.live and not places:
            return MediaRefused(
                code="media_unavailable",
                fault="no_bucket",
                detail="no AWS account of the tenant has a bucket for files; ask the operator to name one",
            )
        now = self._clock.now()
        return MediaFile(
            tenant_id=scope.tenant_id,
            id=new_uuid(),
            test=not scope.live,
            content_type=kind.content_type,
            size_bytes=len(content),
            sha256=sha256(content).digest(),
            object_key=key,
            staged=dict(places),
            created_at=now,
            expires_at=now + KEPT_FOR,
        )

    async def attached(
        self, scope: TenantScope, reference: str, *, account_id: UUID | None, until: datetime
    ) -> Media | MediaRefused:
        """
        Return the file of a send, fetched and staged by now if the send names an address.

        Args:
            reference: `med_…`, or an address.
            account_id: The AWS account that will send it; None for a test message.
            until: When the message's life ends; the file must still be there.

        Raises:
            Unavailable: S3 or Postgres did not answer.
        """
        found = await (self._known(scope, reference) if _is_id(reference) else self._by_url(scope, reference))
        if isinstance(found, MediaRefused):
            return found
        if not found.lives_until(until):
            return _gone("the file will be deleted before the message's life ends; upload it again")
        if account_id is not None and str(account_id) not in found.staged:
            return _gone("the file does not lie in the AWS account that sends the message; upload it again")
        return Media(id=encode("med", found.id), content_type=found.content_type, staged=found.staged)

    async def _known(self, scope: TenantScope, reference: str) -> MediaFile | MediaRefused:
        try:
            media_id = decode("med", reference)
        except InvalidId:
            return _gone("there is no such file")
        async with tenant_transaction(self._tenant_engine, scope) as session:
            return await store.get(scope, session, media_id) or _gone("there is no such file")

    async def _by_url(self, scope: TenantScope, url: str) -> MediaFile | MediaRefused:
        """Sends of one address share one fetch; each waits for it, and none can cancel it for the others."""
        name = (scope.tenant_id, scope.live, url)
        task = self._fetched.get(name)
        if task is None:
            task = self._fetched[name] = asyncio.create_task(self._fetch(scope, url))
            task.add_done_callback(lambda _: self._forget_later(name))
        return await asyncio.shield(task)

    def _forget_later(self, name: tuple[UUID, bool, str]) -> None:
        asyncio.get_running_loop().call_later(_SHARED_FOR_S, self._fetched.pop, name, None)

    async def _fetch(self, scope: TenantScope, url: str) -> MediaFile | MediaRefused:
        content = await self._fetcher.fetch(scope.tenant_id, url)
        if isinstance(content, MediaRefused):
            return content
        found = await self.staged(scope, content)
        if isinstance(found, MediaFile):
            async with tenant_transaction(self._tenant_engine, scope) as session:
                session.add(found)
        return found

    async def _put(self, scope: TenantScope, key: str, content: bytes, kind: MediaKind) -> Mapping[str, str]:
        async with worker_transaction(self._worker_engine) as session:
            accounts = await _with_buckets(scope, session)
        addresses = await asyncio.gather(
            *(self._stage.put(each, key, content, content_type=kind.content_type) for each in accounts)
        )
        return {str(each.id): address for each, address in zip(accounts, addresses, strict=True)}


async def _with_buckets(scope: TenantScope, session: AsyncSession) -> list[AwsAccount]:
    usable = [route.account_id for route in await routes_of(scope, session)]
    bucketed = select(AwsAccount).where(AwsAccount.id.in_(usable), AwsAccount.media_bucket.is_not(None))
    return list(await session.scalars(bucketed))


def _is_id(reference: str) -> bool:
    return reference.startswith("med_")


def _gone(detail: str) -> MediaRefused:
    return MediaRefused(code="media_unavailable", fault="no_such_file", detail=detail)
