"""What every page is handed."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.clock import Clock
from gateway.console.identity import IdentityProvider
from gateway.console.ports import Ask, DataKeySource
from gateway.db.transaction import worker_transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One per web process."""

    ask: Ask
    engine: AsyncEngine
    """Connections of role `worker`: people are found before their tenant is known."""
    data_keys: DataKeySource
    clock: Clock
    pepper: bytes
    """Of `tenants.people.hashing.pepper_from`."""
    operator_key: str
    https: bool
    """Whether browsers come over https, as the public URL says; cookies are then sent over nothing else."""
    notes: Fernet
    """Seals what a browser keeps for the way to the provider and back."""
    identity: IdentityProvider | None = None
    """The OpenID provider of the settings."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the operator's proxies, whose `X-Forwarded-For` says from where a browser comes."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction over people and sessions."""
        return worker_transaction(self.engine)
