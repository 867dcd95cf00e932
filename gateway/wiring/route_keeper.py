"""
The routes of a dispatcher process: each row of `aws_accounts` has a carrier and a dispatcher, at all times.

The rows are read every few seconds, so an account that was added, changed or slowed down needs no restart. A
changed row gets its new carrier first; then the old dispatcher stops claiming, its calls end and are
recorded, and the new one takes over, so that a route never has more under way than one dispatcher may.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeAlias

import structlog
from msgspec import Struct

from gateway.carrier.ports import Carrier
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.dispatch.loop import Dispatcher
from gateway.lanes.lanes import Lanes
from gateway.wiring.resources import Resources
from tenants.ids import encode
from tenants.senders import store
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 3.0

OpenCarrier: TypeAlias = Callable[[AwsAccount], AbstractAsyncContextManager[Carrier]]
StartDispatcher: TypeAlias = Callable[[str, Carrier], Dispatcher]


class _Reached(Struct, frozen=True):
    """How an account is reached: a change of any of these needs another carrier."""

    region: str
    endpoint_url: str | None
    role_arn: str | None
    external_id: str | None


class _Route(Struct):
    reached: _Reached
    running: asyncio.Task[None]
    carrier: AsyncExitStack


class RouteKeeper:
    """
    Carries every AWS account.

    Args:
        open_carrier: Opens the way to an account for the length of a block.
        dispatcher: Builds the dispatcher of a route on its carrier.
    """

    def __init__(
        self, shared: Resources, lanes: Lanes, *, open_carrier: OpenCarrier, dispatcher: StartDispatcher
    ) -> None:
        self._shared = shared
        self._lanes = lanes
        self._open_carrier = open_carrier
        self._dispatcher = dispatcher
        self._routes: dict[str, _Route] = {}

    async def run(self) -> None:
        """
        Keep the routes until cancelled, then let their calls end.

        Raises:
            Exception: A dispatcher ended by itself; the process must not go on without it.
        """
        try:
            while True:
                await self._look()
                await self._rest()
        finally:
            await asyncio.shield(self._stop_all())

    async def _look(self) -> None:
        try:
            async with worker_transaction(self._shared.worker_engine) as session:
                accounts = list(await store.accounts(session))
        except DATABASE_FAULTS as error:
            _log.warning("routes_not_read", error=str(error))
            return
        await self._keep(accounts)

    async def _keep(self, accounts: Sequence[AwsAccount]) -> None:
        wanted = {encode("acc", account.id): account for account in accounts}
        for route in self._routes.keys() - wanted.keys():
            await self._stop(route)
        for route, account in wanted.items():
            self._lanes.limit_requests(route, account.sends_per_second)
            known = self._routes.get(route)
            if known is None or known.reached != _reached(account):
                await self._carry(route, account)

    async def _carry(self, route: str, account: AwsAccount) -> None:
        opened = AsyncExitStack()
        try:
            carrier = await opened.enter_async_context(self._open_carrier(account))
        except Exception as error:  # noqa: BLE001 - one account's mistake must not stop the others
            _log.error("route_not_opened", route=route, account=account.name, error=str(error))
            return
        await self._stop(route)
        running = asyncio.create_task(self._dispatcher(route, carrier).run())
        self._routes[route] = _Route(_reached(account), running, opened)
        _log.info("route_opened", route=route, account=account.name, region=account.region)

    async def _rest(self) -> None:
        """Wait for the next look; a dispatcher that ended is what ends the wait early."""
        running = [route.running for route in self._routes.values()]
        if not running:
            await asyncio.sleep(_LOOK_EVERY_S)
            return
        ended, _ = await asyncio.wait(running, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        for each in ended:
            each.result()

    async def _stop(self, route: str) -> None:
        known = self._routes.pop(route, None)
        if known is None:
            return
        known.running.cancel()
        await asyncio.gather(known.running, return_exceptions=True)
        await known.carrier.aclose()
        _log.info("route_closed", route=route)

    async def _stop_all(self) -> None:
        for each in self._routes.values():
            each.running.cancel()
        for route in list(self._routes):
            await self._stop(route)


def _reached(account: AwsAccount) -> _Reached:
    return _Reached(account.region, account.endpoint_url, account.role_arn, account.external_id)
