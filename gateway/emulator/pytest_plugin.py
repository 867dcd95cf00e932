"""A pytest plugin: with `tollgate` installed, any test may ask for the fixture `sms_emulator`."""

from collections.abc import Generator
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(scope="session")
def sms_emulator() -> Generator[Any]:
    """
    AWS End User Messaging SMS v2 on a free port, for the whole test session.

    `sms_emulator.base_url` is the endpoint for any AWS SDK and the root of `/_emulator/…`.
    """
    # Loaded by name: pytest imports this module in every session, and few of them want an emulator.
    with import_module("gateway.emulator.in_thread").emulator_in_thread() as running:
        yield running
