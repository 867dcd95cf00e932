"""A Redis that is too old: said when a process begins on it, and by whatever runs on one."""

import pytest

from gateway.errors import ConfigurationError, GatewayError
from gateway.lanes.scripts import RedisScripts, connect
from gateway.settings import Settings
from gateway.wiring.api import redis_serves
from gateway.wiring.resources import open_resources
from tests.harness.old_redis import OLD, running_old_redis
from tests.harness.stack import SECRET_KEY

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def settings(database_url, redis_url):
    """What a process needs."""
    return Settings(
        database_url=database_url, redis_url=redis_url, operator_key="o" * 16, secret_key=SECRET_KEY
    )


async def test_no_process_begins_on_it(database_url):
    """It was told by `tollgate doctor` alone, which nobody asks while all seems well."""
    async with running_old_redis() as redis_url:
        with pytest.raises(ConfigurationError, match=f"{OLD} is too old"):
            async with open_resources(settings(database_url, redis_url)):
                pass


async def test_a_process_begins_without_any(database_url):
    """Sends are accepted from Postgres; a Redis that is away has no age."""
    async with open_resources(settings(database_url, NOBODY_LISTENS)) as shared:
        assert await shared.pool.fetchval("SELECT 1") == 1


async def test_readiness_names_it():
    """It may come later, behind an address that follows the primary."""
    async with running_old_redis() as redis_url, connect(redis_url) as client:
        scripts = RedisScripts(client)
        with pytest.raises(GatewayError, match=f"{OLD} is too old"):
            await redis_serves(client, scripts)()
        await scripts.aclose()


async def test_readiness_has_nothing_against_a_newer_one(redis_url):
    """The one that the tests run on."""
    async with connect(redis_url) as client:
        await redis_serves(client, RedisScripts(client))()
