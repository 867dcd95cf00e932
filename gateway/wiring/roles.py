"""The background roles by name."""

from collections.abc import AsyncGenerator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from gateway.memory import uncollected
from gateway.wiring.resources import Resources, Task

_OPENERS = {
    "dispatcher": ("gateway.wiring.dispatcher", "open_role"),
    "receipts": ("gateway.wiring.receipts", "open_receipts"),
    "webhooks": ("gateway.wiring.background", "open_webhooks"),
    "scheduler": ("gateway.wiring.background", "open_scheduler"),
}
"""By name, so that a process loads the AWS SDK only if it calls AWS."""
ROLES = tuple(_OPENERS)


@asynccontextmanager
async def open_roles(shared: Resources, roles: Collection[str]) -> AsyncGenerator[list[Task]]:
    """Return the endless tasks of the given roles."""
    async with AsyncExitStack() as stack:
        tasks: list[Task] = []
        for role in roles:
            module, name = _OPENERS[role]
            with uncollected():
                opener: Any = getattr(import_module(module), name)
            tasks.extend(await opener(shared, stack))
        yield tasks
