"""
Connections to Postgres, each bound to one database role.

The process logs in as the user of DATABASE_URL and takes a narrower role for the life of each connection:
`app` sees one tenant at a time (row-level security), `worker` carries messages for all of them, `ingest`
may only apply receipts. Hot batches use asyncpg pools; everything else SQLAlchemy sessions.
"""

from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
import msgspec
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.db.known_types import ConnectionWithKnownTypes

DatabaseRole = Literal["app", "worker", "ingest"]
_IDLE_S: Final = 20.0
"""A connection's server process keeps 8 to 14 MB of catalog and plans; a new one costs some 7 ms of CPU."""


def sqlalchemy_url(database_url: str) -> str:
    """
    Return the same database for SQLAlchemy's asyncpg dialect.

    SQLAlchemy would pass what stands behind the `?`, such as `sslmode=require`, as arguments that asyncpg's
    connect does not have; so asyncpg is handed the URL itself, but for the name and the password, which
    SQLAlchemy hides where it shows them.
    """
    parts = urlsplit(database_url)
    identity, _, hosts = parts.netloc.rpartition("@")
    name, _, password = identity.partition(":")
    return URL.create(
        "postgresql+asyncpg",
        username=unquote(name) or None,
        password=unquote(password) or None,
        query={"dsn": urlunsplit(parts._replace(netloc=hosts))},
    ).render_as_string(hide_password=False)


def _server_settings(role: DatabaseRole) -> dict[str, str]:
    return {
        "role": f"tollgate_{role}",
        "application_name": f"tollgate-{role}",
        "timezone": "UTC",
        "jit": "off",
        # A transaction that stands still this long has lost its process; its locks must not outlive it.
        "idle_in_transaction_session_timeout": "60s",
    }


def create_engine(database_url: str, role: DatabaseRole, *, pool_size: int) -> AsyncEngine:
    """Return a SQLAlchemy engine whose every connection acts as `role`."""
    return create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,  # taken in turn, each would cache the catalog and plan every statement
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "server_settings": _server_settings(role),
            "connection_class": ConnectionWithKnownTypes,
        },
    )


async def create_pool(
    database_url: str, role: DatabaseRole, *, size: int, idle_s: float = _IDLE_S
) -> "asyncpg.Pool[asyncpg.Record]":
    """
    Return an asyncpg pool whose every connection acts as `role` and speaks JSON through msgspec.

    Args:
        idle_s: After so many seconds without work a connection is closed, all but one. The last one used is
            the next to be taken, so that what a burst opened rests, and ends.
    """
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size,
        max_inactive_connection_lifetime=idle_s,
        server_settings=_server_settings(role),
        connection_class=ConnectionWithKnownTypes,
        init=_speak_json,
        reset=_keep_session,
    )


async def connect(database_url: str, role: DatabaseRole) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection of its own, for LISTEN; a transaction pooler must be bypassed for it."""
    return await asyncpg.connect(database_url, server_settings=_server_settings(role))


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _speak_json(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        format="binary",
    )


async def _keep_session(connection: Any) -> None:
    """
    Skip asyncpg's RESET ALL on release.

    Batches set nothing for the session, and RESET ALL would cost a round trip per batch.
    """
