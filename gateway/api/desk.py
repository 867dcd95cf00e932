"""What every route is handed: the services, and the transactions in which its work is done."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from uuid import UUID

from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.idempotency import OPERATOR, AnswerSeal, answer_keyed, answer_once
from gateway.api.keyring import Keyring
from gateway.api.services import Services
from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.access import service as access
from tenants.access.credential import StoredKey
from tenants.access.tokens import pepper_from
from tenants.scope import TenantScope

_T = TypeVar("_T")
Work = Callable[[AsyncSession], Awaitable[_T]]


class Desk:
    """One per web process; routes take it as `desk`."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.public_url = services.settings.public_url.rstrip("/")
        self.pepper = pepper_from(services.settings.secret_key)
        self.keyring = Keyring(self._stored_key, pepper=self.pepper, clock=services.clock)
        self._seal = AnswerSeal(services.settings.secret_key)

    def tenant(self, scope: TenantScope) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction in which only the tenant's rows exist."""
        return tenant_transaction(self.services.tenant_engine, scope)

    def operator(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction of the operator's, who sees every tenant."""
        return worker_transaction(self.services.operator_engine)

    async def tenant_once(self, request: ApiRequest, work: Work[_T], *, status: int) -> Response[_T]:
        """Do a tenant's POST in one transaction, at most once per Idempotency-Key."""
        async with self.tenant(request.auth) as session:
            return await answer_once(
                request, session, work, owner=request.auth.tenant_id, status=status, seal=self._seal
            )

    async def operator_once(self, request: ApiRequest, work: Work[_T], *, status: int) -> Response[_T]:
        """Do an operator's POST in one transaction, at most once per Idempotency-Key."""
        async with self.operator() as session:
            return await answer_once(request, session, work, owner=OPERATOR, status=status, seal=self._seal)

    async def posted_once(
        self, request: ApiRequest, work: Work[_T], *, owner: UUID, key: str
    ) -> Response[_T]:
        """Do what a signed post asks for in one transaction, at most once per id of the post."""
        async with self.operator() as session:
            return await answer_keyed(
                request, session, work, owner=owner, key=key, status=200, seal=self._seal
            )

    async def _stored_key(self, key_id: UUID) -> StoredKey | None:
        async with self.operator() as session:
            return await access.authenticate(session, key_id)
