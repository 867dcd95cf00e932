"""What every benchmark stands on: a stack with one API process, a funded tenant and a peer beside it."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import aiohttp
import asyncpg
import msgspec
from msgspec import Struct

from gateway.bench.children import free_port
from gateway.bench.stack import Stack, open_stack
from gateway.bench.tenant import COUNTRY, FAST, Customer, Sender, Sends, add_webhook, create_customer
from gateway.embedded import LAPTOP, Sizing
from gateway.emulator.sns.signing import Signer, new_signing_key
from tenants.ids import decode

HOOK = "/hook"
"""The peer's path for webhooks."""
_KEY_BITS = 2048
_LONG_S = 120.0
_OWN_IDLE_S = 2.0
"""A benchmark's own connection leaves then: its 13 MB of the server are not the gateway's."""


class Ground(Struct, frozen=True, kw_only=True):
    """A gateway that takes messages and a dispatcher-less road behind it; the lanes stand."""

    stack: Stack
    api: tuple[str, int]
    sends: Sends
    http: aiohttp.ClientSession
    customer: Customer
    pool: Any
    """Of the superuser: benchmarks look at tables and prepare rows."""
    peer_url: str
    signer: Signer
    """Its certificate is at `certificate_url` and trusted."""

    @property
    def emulator_url(self) -> str:
        """Where the emulator listens."""
        return str(self.stack.settings.aws_endpoint_url)

    @property
    def certificate_url(self) -> str:
        """Where the peer serves the signer's certificate."""
        return self.peer_url + self.signer.certificate_path

    async def accept(self, count: int) -> None:
        """Have `count` messages accepted as fast as they are taken, and see them in their lanes."""
        outcome, _ = await self.stack.load(
            self.sends.next(count), targets=[self.api], seconds=_LONG_S, warm_up_s=0.0
        )
        outcome.require(202, count)
        await self.stack.all_pushed()

    async def counted(self, name: str) -> int:
        """Return how often the peer was called for `name`: `sends`, or a path."""
        async with self.http.get(f"{self.peer_url}/counts") as response:
            return msgspec.json.decode(await response.read(), type=dict[str, int]).get(name, 0)

    async def delays_ms(self, kinds: Collection[str] = ()) -> dict[UUID, float]:
        """
        Return how long messages took from their acceptance to the peer, since the last time this was asked.

        Acceptance is the millisecond inside the id; both clocks are this machine's.

        Args:
            kinds: Of these types only; empty for all.
        """
        async with self.http.get(f"{self.peer_url}/came") as response:
            came = msgspec.json.decode(await response.read(), type=list[tuple[str, float]])
        at_ms = {decode("msg", name): at for name, at in came}
        if kinds:
            of_kind = "SELECT id FROM messages WHERE id = ANY($1) AND type = ANY($2)"
            rows = await self.pool.fetch(of_kind, list(at_ms), list(kinds))
            at_ms = {row["id"]: at_ms[row["id"]] for row in rows}
        return {each: at - (each.int >> 80) for each, at in at_ms.items()}

    async def lead_to_peer(self) -> None:
        """Have dispatchers that start from now on call the peer instead of the emulator."""
        await self.pool.execute("UPDATE aws_accounts SET endpoint_url = $1", self.peer_url)

    async def let_carrier(self, outcome: Literal["DELIVERED", "SILENT"]) -> None:
        """Have the emulator end every message in one way."""
        body = {COUNTRY: {"outcomes": {outcome: 1.0}}}
        async with self.http.post(f"{self.emulator_url}/_emulator/carriers", json=body) as response:
            response.raise_for_status()


@asynccontextmanager
async def open_ground(
    *,
    endpoints: int = 0,
    told: tuple[str, ...] = (),
    senders: Sequence[Sender] = (FAST,),
    emulator: Sequence[str] = (),
    sizing: Sizing = LAPTOP,
) -> AsyncGenerator[Ground]:
    """
    Build everything, and let one message travel.

    Args:
        endpoints: Webhook endpoints of the tenant, all at the peer's `HOOK`.
        told: The types of events they are told of.
        senders: What the tenant sends from.
        emulator: Options of the emulator.
        sizing: Of the stores.
    """
    port = free_port()
    peer_url = f"http://127.0.0.1:{port}"
    key = new_signing_key(_KEY_BITS)
    signer = Signer(key)
    async with open_stack(sns_cert_origins=(peer_url,), emulator=emulator, sizing=sizing) as stack:
        pem = stack.folder / "certificate.pem"
        pem.write_text(key.certificate_pem)
        peer = await stack.start("peer", "gateway.bench.peer", str(port), str(pem), signer.certificate_path)
        await peer.hear()
        api = await stack.api()
        customer = await create_customer(stack.settings, senders)
        for _ in range(endpoints):
            await add_webhook(stack.settings, customer, peer_url + HOOK, told)
        sends = Sends(customer.token)
        await stack.open_lanes(*sends.next(1))
        async with (
            aiohttp.ClientSession() as http,
            asyncpg.create_pool(
                stack.settings.database_url,
                min_size=0,
                max_size=2,
                max_inactive_connection_lifetime=_OWN_IDLE_S,
            ) as pool,
        ):
            yield Ground(
                stack=stack,
                api=api,
                sends=sends,
                http=http,
                customer=customer,
                pool=pool,
                peer_url=peer_url,
                signer=signer,
            )
