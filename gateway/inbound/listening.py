"""Who else hears a text that came in, inside the transaction that stores it: double opt-in, for one."""

from typing import Protocol
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.sealing import DataKey
from tenants.consents.rules import MessageType
from tenants.scope import TenantScope


class Heard(Struct, frozen=True, kw_only=True):
    """A text after its keyword was obeyed."""

    inbound_id: UUID
    number: str
    """As AWS gave it; mostly E.164."""
    body: str
    action: str | None
    """What its keyword did; None where it began with none, such as YES."""
    keyword: str | None = None
    """The word it began with, as it is listed."""
    agreed: tuple[MessageType, ...] = ()
    """Message types that a word of consent agrees to."""
    answer: str | None = None
    """What the person is answered; None where nothing is, or others do."""
    sender_value: str
    """The number that was written to."""
    previous_message_id: UUID | None


class Listener(Protocol):
    """Hears every text of every tenant; what it writes is committed with the text."""

    async def __call__(self, scope: TenantScope, session: AsyncSession, key: DataKey, heard: Heard) -> None:
        """Do what the text means to this listener; an exception keeps the text waiting and is tried again."""
        ...
