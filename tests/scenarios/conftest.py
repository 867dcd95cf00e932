"""The fleet: one per worker of pytest, healed after each test."""

import os
from uuid import uuid4

import pytest

from gateway.embedded import create_database, drop_database
from tests.harness.fleet import running_fleet
from tests.harness.ledger import agreeing_books


@pytest.fixture(scope="session")
async def session_fleet(stores, migrated_template, tmp_path_factory):
    """Stores, proxies and an emulated AWS; the processes are started by whoever needs them."""
    name = f"tollgate_fleet_{os.getpid()}_{uuid4().hex[:6]}"
    url = await create_database(stores.database_url, name, template=migrated_template)
    async with running_fleet(tmp_path_factory.mktemp("fleet"), url) as fleet:
        yield fleet
    await drop_database(stores.database_url, name)


@pytest.fixture
async def fleet(session_fleet):
    """A sound API and sound workers, an empty line, no fault; dispatchers are the test's own."""
    await session_fleet.heal()
    await session_fleet.ensure("api")
    await session_fleet.ensure("workers")
    yield session_fleet
    await session_fleet.heal()
    await session_fleet.reconcile()


@pytest.fixture(scope="module")
async def stack(stack):
    """The gateway in this process; after a module's scenarios the reconciler has found nothing."""
    async with agreeing_books(stack.database):
        yield stack
