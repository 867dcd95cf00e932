"""One call of an action, as its operation sees it."""

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.emulator.state.store import Store
from gateway.emulator.world import World


class Call:
    """A validated request with everything an operation may touch."""

    __slots__ = ("action", "before_answer", "input", "store", "world")

    def __init__(self, world: World, store: Store, action: str, request: dict[str, Any]) -> None:
        self.world = world
        self.store = store
        self.action = action
        self.input = request
        self.before_answer: list[asyncio.Future[None]] = []
        """What has to end before the answer leaves."""

    @property
    def now_s(self) -> float:
        """The emulated time, epoch seconds."""
        return self.world.clock.now_s()

    @property
    def page_size(self) -> int:
        """Items on a page unless the caller says otherwise."""
        return self.world.options.behaviour.default_page_size


Operation = Callable[[Call], dict[str, Any]]
