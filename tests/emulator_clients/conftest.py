"""One aws command line for the tests of a module, and the SNS endpoint of the emulator's own tests."""

from collections.abc import AsyncIterator

import pytest

from tests.emulator.conftest import Aws
from tests.emulator.conftest import sink as sns_endpoint
from tests.emulator_clients.aws_cli import AwsCli, CliProcess, cli_process

sink = sns_endpoint


@pytest.fixture(scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CliProcess]:
    """The command line of somebody with an empty home directory."""
    async with cli_process(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def cli(aws: Aws, process: CliProcess) -> AwsCli:
    """The command line, pointed at the emulator."""
    return AwsCli(process, aws.base_url)
