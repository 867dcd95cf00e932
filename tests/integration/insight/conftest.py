"""A tenant with history, asked as its own role asks."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import create_engine


@pytest.fixture(scope="module")
async def app_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections of the role that serves tenants, under row-level security."""
    engine = create_engine(database_url, "app", pool_size=2)
    yield engine
    await engine.dispose()
