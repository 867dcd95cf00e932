"""What provisions on the emulated AWS of a module."""

import pytest

from gateway.carrier.provision.provisioning import AwsProvisioner
from gateway.carrier.session import open_session
from gateway.lanes.gates import identity_rate
from tenants.senders.service import AccountFacts


@pytest.fixture
async def facts(emulator):
    """The first account, at the emulator."""
    return AccountFacts(region="us-east-1", endpoint_url=emulator.base_url, sends_per_second=500.0)


@pytest.fixture
async def provisioner(worker_engine, facts):
    """A provisioner whose events go nowhere; what SNS posts is other tests' business."""
    return AwsProvisioner(
        open_session(),
        worker_engine,
        public_url="http://127.0.0.1:9",
        default_account=facts,
        usual_rate=identity_rate,
    )
