"""
aioboto3 sessions: the process's own credentials, or those of a role in another account.

A role is assumed by aiobotocore's own fetcher, whose credentials refresh themselves: from fifteen minutes
before they expire in passing, from ten minutes before it by all means.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import lru_cache, partial
from typing import Any, Protocol, cast

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioAssumeRoleCredentialFetcher, AioDeferredRefreshableCredentials
from aiobotocore.session import get_session
from botocore.exceptions import NoCredentialsError, ProfileNotFound
from msgspec import Struct

from gateway.carrier.tls import with_shared_tls
from gateway.errors import ConfigurationError
from tenants.senders.models import AwsAccount

_ROLE_SESSION = "tollgate"
"""Stands in the other account's CloudTrail."""
_ROLES_KEPT = 1024
_STS_CONFIG = with_shared_tls(
    AioConfig(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
)


class AwsSession(Protocol):
    """An aioboto3 session; its own stub is an overload per AWS service, most of them of unknown types."""

    def client(self, service_name: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        """Open a client; credentials are found as every AWS SDK finds them."""
        ...

    async def get_credentials(self) -> Any:
        """Return botocore's credentials object, or None where there are none."""
        ...


class _SharedTls:
    """aioboto3's session, whose clients share the process's TLS context."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def client(self, service_name: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        config = with_shared_tls(options.pop("config", None))
        opened: AbstractAsyncContextManager[Any] = self._session.client(
            service_name, config=config, **options
        )
        return opened

    async def get_credentials(self) -> Any:
        return await self._session.get_credentials()


class RoleCredentials(AioDeferredRefreshableCredentials):
    """A role's credentials, which can also be asked for anew before they end."""

    _refresh_lock: asyncio.Lock
    _protected_refresh: Callable[..., Awaitable[None]]
    """The library's own, which its stubs leave out."""

    async def renew(self) -> None:
        """Ask for new ones; where they are refused, those at hand stay."""
        async with self._refresh_lock:
            await self._protected_refresh(is_mandatory=False)


class Role(Struct, frozen=True, kw_only=True):
    """A role in another account that lets this one act there."""

    arn: str
    external_id: str | None
    """What the role's trust policy asks of whoever assumes it; AWS's guard against a confused deputy."""
    region: str
    """Whose STS is asked."""
    endpoint_url: str | None
    """Another endpoint for STS, too, such as the emulator's."""


def open_session(role: Role | None = None) -> AwsSession:
    """
    Return a session on the process's own AWS credentials, or on a role that they may assume.

    Raises:
        ConfigurationError: AWS_PROFILE names none of the profiles.
    """
    if role is None:
        return _SharedTls(_own_session())
    acting: Any = get_session()
    acting._credentials = RoleCredentials(  # noqa: SLF001 - botocore has no other way in
        partial(_assume, get_session(), role), method="assume-role"
    )
    return _SharedTls(aioboto3.Session(botocore_session=acting))


def _own_session() -> Any:
    try:
        return aioboto3.Session()
    except ProfileNotFound as error:
        raise ConfigurationError(f"{error}: correct AWS_PROFILE, or its AWS_CONFIG_FILE") from error


async def _assume(own: Any, role: Role) -> dict[str, Any]:
    """Return fresh credentials of the role, in botocore's form for refreshes."""
    source = await own.get_credentials()
    if source is None:
        raise NoCredentialsError
    terms = {"RoleSessionName": _ROLE_SESSION}
    if role.external_id is not None:
        terms["ExternalId"] = role.external_id
    open_sts = partial(
        own.create_client, region_name=role.region, endpoint_url=role.endpoint_url, config=_STS_CONFIG
    )
    fetcher = AioAssumeRoleCredentialFetcher(
        client_creator=open_sts,
        source_credentials=source,
        role_arn=role.arn,
        extra_args=terms,
    )
    return cast("dict[str, Any]", await fetcher.fetch_credentials())


def session_of(own: AwsSession, account: AwsAccount) -> AwsSession:
    """Return the session that acts in an account: the process's own, or the one on the account's role."""
    role = role_of(account)
    return own if role is None else _acting(role)


@lru_cache(maxsize=_ROLES_KEPT)
def _acting(role: Role) -> AwsSession:
    """One for the process's life, since each session asks STS for keys of its own."""
    return open_session(role)


def role_of(account: AwsAccount) -> Role | None:
    """Return the role by which an account is reached; None for the process's own account."""
    if account.role_arn is None:
        return None
    return Role(
        arn=account.role_arn,
        external_id=account.external_id,
        region=account.region,
        endpoint_url=account.endpoint_url,
    )
