"""A Redis of our own, and a tenant whose policy and time the test sets."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from gateway.admission.gate import AdmissionGate
from gateway.admission.policy import TenantPolicy
from gateway.admission.verdict import Admission, Verdict
from gateway.embedded.redis import EmbeddedRedis
from gateway.lanes.scripts import RedisScripts, connect

TEMPLATE = UUID(int=77)
RECIPIENT = b"recipient-1"


@pytest.fixture(scope="session")
async def redis_url() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedis(Path(folder)) as server:
            yield server.url


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


class Tenant:
    """A tenant in good standing at version 5, who sends an approved template to a US number."""

    def __init__(self, client: Redis) -> None:
        self.now_us = 1_800_000_000_000_000
        self.client = client
        self.gate = AdmissionGate(RedisScripts(client), clock_us=lambda: self.now_us)
        self.policy = TenantPolicy(
            tenant_id=uuid4(),
            version=5,
            state="active",
            live=True,
            free_text=False,
            countries=frozenset({"US", "CA"}),
            templates={TEMPLATE: frozenset({2, 3})},
        )
        self.admission = Admission(
            tenant_id=self.policy.tenant_id,
            policy_version=5,
            live=True,
            country="US",
            template=(TEMPLATE, 3),
            recipient_hash=RECIPIENT,
            use_cases=("all", "promotional"),
            parts=1,
            estimated_wait_ms=0,
            ttl_ms=60_000,
        )

    @property
    def prefix(self) -> str:
        """The key prefix of the tenant."""
        return f"{{t:{self.policy.tenant_id.hex}}}"

    async def project(self, opt_outs: Mapping[str, list[bytes]] | None = None, **changes: Any) -> bool:
        """Change the policy and project it, with opt-outs."""
        self.policy = msgspec.structs.replace(self.policy, **changes)

        async def read() -> Mapping[str, list[bytes]]:
            return opt_outs or {}

        return await self.gate.project(self.policy, read)

    async def ask(self, **changes: Any) -> Verdict:
        """Ask for a verdict on the plain message, changed a little."""
        return await self.gate.decide(msgspec.structs.replace(self.admission, **changes))

    async def count(self, *, live: bool = True) -> Verdict:
        """Count one request that carries many messages."""
        return await self.gate.count_request(self.policy.tenant_id, live=live)


@pytest.fixture
def tenant(client: Redis) -> Tenant:
    return Tenant(client)
