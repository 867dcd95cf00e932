"""
Real PostgreSQL and Redis servers started from wheels, for a developer's machine, the demo and the tests.

Read `stores` first (who starts what), then `server` (how one server lives), then `postgres` and `redis`.
"""

from gateway.embedded.cluster import EmbeddedRedisCluster
from gateway.embedded.databases import create_database, drop_database
from gateway.embedded.errors import (
    AccountMissingError,
    EmbeddedError,
    FolderInUseError,
    FolderUnusableError,
    ServerFailedError,
    ServerMissingError,
    ServerNotRunningError,
)
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.redis import EmbeddedRedis
from gateway.embedded.server import EmbeddedServer
from gateway.embedded.stores import LAPTOP, Sizing, Stores, embedded_stores, erase_stores

__all__ = [
    "LAPTOP",
    "AccountMissingError",
    "EmbeddedError",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "EmbeddedRedisCluster",
    "EmbeddedServer",
    "FolderInUseError",
    "FolderUnusableError",
    "ServerFailedError",
    "ServerMissingError",
    "ServerNotRunningError",
    "Sizing",
    "Stores",
    "create_database",
    "drop_database",
    "embedded_stores",
    "erase_stores",
]
