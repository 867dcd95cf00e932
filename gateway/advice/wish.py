"""What a tenant wants to send, as it asks for advice."""

from typing import Annotated

from msgspec import Meta, Struct

from tenants.templates.use_cases import MessageType, UseCase

Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One programme: the same texts to some countries."""

    countries: Annotated[list[Country], Meta(min_length=1, max_length=250)]
    """Where the recipients are; ISO 3166-1 alpha-2."""
    type: MessageType = "transactional"
    use_case: UseCase | None = None
    """As it would be registered; the usual one of the type if absent."""
    parts_per_second: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    """The most message parts a second that should leave to each of the countries."""
    messages_per_month: Annotated[int, Meta(ge=0, le=10_000_000_000)] = 10_000
    """To each of the countries."""
    parts_per_message: Annotated[int, Meta(ge=1, le=10)] = 1
    two_way: bool = False
    """Whether recipients should be able to answer the sender itself."""
    mms: bool = False
    voice: bool = False
    """Whether the same sender should also make calls."""
    regulated: bool = False
    """Finance, health and the like, where a recognised and audited sender is worth its price."""
