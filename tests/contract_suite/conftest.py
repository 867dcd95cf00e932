"""The lines, and which tests are run on which."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.contract_suite.aws_line import ACCESS, AwsLine
from tests.contract_suite.emulator_line import EmulatorLine, emulator_line
from tests.contract_suite.lines import Line
from tests.contract_suite.sandbox_line import SandboxLine
from tests.emulator.conftest import Sink, emulated
from tests.emulator.conftest import sink as sns_endpoint

sink = sns_endpoint


@pytest.fixture
async def on_lean(sink: Sink) -> AsyncIterator[EmulatorLine]:
    """The lean way and an emulator of its own."""
    async with emulated() as aws, emulator_line(aws, sink, "lean") as line:
        yield line


@pytest.fixture
async def on_aioboto3(sink: Sink) -> AsyncIterator[EmulatorLine]:
    """The way through aioboto3, and an emulator of its own."""
    async with emulated() as aws, emulator_line(aws, sink, "aioboto3") as line:
        yield line


@pytest.fixture(params=["lean", "aioboto3"])
def on_emulator(request: pytest.FixtureRequest) -> EmulatorLine:
    """Both ways in turn."""
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture
def on_sandbox(
    worker_pool: "asyncpg.Pool[asyncpg.Record]", database: "asyncpg.Pool[asyncpg.Record]"
) -> SandboxLine:
    """The sandbox carrier and a database of this module."""
    return SandboxLine(worker_pool, database)


@pytest.fixture
def on_aws() -> AwsLine:
    """The AWS carrier and the account of whoever runs this."""
    assert ACCESS is not None
    return AwsLine(ACCESS)


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Line:
    """The line that the test was parametrised with; only that one is set up."""
    return request.getfixturevalue(f"on_{request.param}")
