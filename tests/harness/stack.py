"""
The whole gateway inside the test's event loop: API on a real socket, every role, an emulated AWS.

Nothing is replaced: requests, SNS posts and webhooks travel over HTTP, the stores are real. Only the
processes are missing; `tests/scenarios/test_kill.py` has those.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec

from gateway.asgi import create_app
from gateway.clock import Clock
from gateway.emulator.server import RunningEmulator
from gateway.settings import Settings
from gateway.wiring.api import open_api
from gateway.wiring.provisioning import prepare_database
from gateway.wiring.resources import Resources, open_resources
from gateway.wiring.roles import ROLES, open_roles
from tenants.ids import decode
from tests.harness.plain import NO_AUTHORITIES
from tests.harness.waiting import eventually
from tests.harness.web import free_listener, serving, url_of

OPERATOR_KEY = "operator key of the tests"
SECRET_KEY = "secret key of the tests"
US = {"country": "US", "type": "TOLL_FREE", "parts_per_second": 1000}
US_PROMOTIONAL = US | {"message_types": ["promotional"]}
"""AWS wants promotional texts on numbers of their own."""
FINAL = frozenset({"delivered", "undelivered", "failed", "expired", "canceled", "unknown"})


@dataclass
class Customer:
    """A tenant with a key of each mode."""

    id: str
    live: httpx.AsyncClient
    test: httpx.AsyncClient

    @property
    def uuid(self) -> UUID:
        """The tenant's id as Postgres has it."""
        return decode("ten", self.id)

    async def send(self, key: str | None = None, **members: Any) -> httpx.Response:
        """Send with the live key; `key` is the Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.live.post("/v1/messages", json=members, headers=headers)

    async def message(self, message_id: str) -> dict[str, Any]:
        """Return a message of the live mode as the API shows it."""
        answer = await self.live.get(f"/v1/messages/{message_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def final(self, message_id: str, *, within_s: float = 60.0) -> dict[str, Any]:
        """Return the message once it stands in a final state."""

        async def look() -> dict[str, Any] | None:
            message = await self.message(message_id)
            return message if message["status"] in FINAL else None

        return await eventually(look, within_s=within_s)


@dataclass
class Stack:
    """A running gateway and what a test needs to speak to it."""

    settings: Settings
    emulator: RunningEmulator
    shared: Resources
    database: "asyncpg.Pool[asyncpg.Record]"
    """As the owner of the tables: sees what no role of the gateway could hide."""
    operator: httpx.AsyncClient
    closing: contextlib.AsyncExitStack
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def client(self, token: str) -> httpx.AsyncClient:
        """Return a client with a bearer token; closed with the stack."""
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.AsyncClient(
            verify=NO_AUTHORITIES, base_url=self.settings.public_url, headers=headers, timeout=30
        )
        self.closing.push_async_callback(made.aclose)
        return made

    async def customer(
        self,
        *,
        countries: Collection[str] = ("US",),
        senders: Collection[dict[str, Any]] = (US,),
        credit: str | int | None = "100.00",
        model: int = 2,
        plan: dict[str, Any] | None = None,
        provision: bool = True,
        account: str | None = None,
    ) -> Customer:
        """Create a tenant over the operator's API, with keys, senders and money."""
        body = {
            "name": "A customer",
            "slug": f"c-{uuid4().hex[:12]}",
            "model": model,
            "countries": list(countries),
            "plan": plan or {},
        }
        tenant = await self.operate("post", "/v1/admin/tenants", body)
        home = f"/v1/admin/tenants/{tenant['id']}"
        tokens = [
            (await self.operate("post", f"{home}/api-keys", {"mode": mode}))["secret"]
            for mode in ("live", "test")
        ]
        if credit is not None:
            await self.operate("post", f"{home}/credits", {"amount": credit})
        if provision:
            await self.operate(
                "post",
                f"{home}/provision",
                {"senders": list(senders), "dedicated_pool": False, "account": account},
            )
        return Customer(tenant["id"], self.client(tokens[0]), self.client(tokens[1]))

    async def operate(self, method: str, path: str, body: Any = None) -> Any:
        """Call the operator's API and return its answer, which must be a success."""
        answer = await self.operator.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def approved_template(self, customer: Customer, **wording: Any) -> str:
        """Write, submit and approve a template; return its id."""
        wording = {"name": f"t-{uuid4().hex[:8]}", "body": "Hello", "type": "transactional"} | wording
        made = await customer.live.post("/v1/templates", json=wording)
        assert made.status_code == 201, made.text
        template_id = made.json()["id"]
        submitted = await customer.live.post(f"/v1/templates/{template_id}/submit")
        assert submitted.is_success, submitted.text
        await self.operate("post", f"/v1/admin/templates/{template_id}/approve")
        return template_id

    async def carried(self, *, to: str | None = None) -> list[dict[str, Any]]:
        """Return what the emulated AWS accepted, in order of acceptance."""
        params = {"limit": 100_000} | ({} if to is None else {"destination": to})
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, timeout=60) as client:
            answer = await client.get(f"{self.emulator.base_url}/_emulator/messages", params=params)
        found: list[dict[str, Any]] = answer.json()["data"]
        return sorted(found, key=lambda message: message["accepted_at"])

    async def emulate(self, what: str, body: Any) -> None:
        """Set the emulator's faults, carriers or clock."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, timeout=60) as client:
            answer = await client.post(f"{self.emulator.base_url}/_emulator/{what}", json=body)
        assert answer.is_success, answer.text


@contextlib.asynccontextmanager
async def running_stack(
    database_url: str,
    redis_url: str,
    emulator: RunningEmulator,
    *,
    clock: Clock | None = None,
    roles: Collection[str] = ROLES,
    **changes: Any,
) -> AsyncIterator[Stack]:
    """Run a gateway on the given stores for the length of a block; `changes` are single settings."""
    listener = free_listener()
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        operator_key=OPERATOR_KEY,
        secret_key=SECRET_KEY,
        aws_endpoint_url=emulator.base_url,
        aws_sends_per_second=1000,
        public_url=url_of(listener),
        webhook_allow_cidrs=("127.0.0.0/8",),
        sns_cert_origins=(emulator.base_url,),
    )
    settings = msgspec.structs.replace(settings, **changes)
    await prepare_database(settings)
    async with contextlib.AsyncExitStack() as closing:
        shared = await closing.enter_async_context(open_resources(settings, clock))
        database = await closing.enter_async_context(
            asyncpg.create_pool(database_url, min_size=1, max_size=4)
        )
        api = await closing.enter_async_context(open_api(shared))
        tasks = await closing.enter_async_context(open_roles(shared, roles))
        running = [asyncio.create_task(_run(task)) for task in [*api.tasks, *tasks]]
        closing.push_async_callback(_stop, running)
        await closing.enter_async_context(serving(create_app(api.services), listener))
        operator = httpx.AsyncClient(
            verify=NO_AUTHORITIES,
            base_url=settings.public_url,
            headers={"Authorization": f"Bearer {OPERATOR_KEY}"},
            timeout=60,
        )
        closing.push_async_callback(operator.aclose)
        yield Stack(settings, emulator, shared, database, operator, closing, running)


async def _run(task: Callable[[], Any]) -> None:
    await task()


async def _stop(running: list["asyncio.Task[None]"]) -> None:
    """Cancel every role at once, as SIGTERM does, and fail if one had died or will not end."""
    dead = [task for task in running if task.done()]
    for task in running:
        task.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(*running, return_exceptions=True)
    for task in dead:
        task.result()
    assert not dead, "a role ended by itself"
