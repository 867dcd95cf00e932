"""The declarative base that every table of both packages shares, and the column types they agree on."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

HotConnection: TypeAlias = "Connection[Any] | PoolConnectionProxy[Any]"
"""An asyncpg connection, the pool's or one's own: what batches on the message's road are written through."""

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An aware instant; stored as timestamptz."""
Amount = Annotated[int, mapped_column(BigInteger)]
"""Micro-dollars, or credits where the tenant's plan counts in credits."""
Sealed = Annotated[bytes, mapped_column(LargeBinary)]
"""AES-GCM ciphertext under the tenant's data key."""
Texts = Annotated[list[str], mapped_column(ARRAY(Text))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """Base of every mapped table; a table with a `tenant_id` is under row-level security."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(as_uuid=True),
        str: Text(),
        datetime: DateTime(timezone=True),
        bytes: LargeBinary(),
    }
