"""The web process stops in order, also when one of its tasks breaks."""

import asyncio
import gc

import pytest

from gateway import webserver


class Server:
    """As much of uvicorn's as stopping needs: it serves until it is told to exit."""

    told_at = None

    def __init__(self) -> None:
        self._told = asyncio.Event()

    @property
    def should_exit(self) -> bool:
        """Whether it was told."""
        return self._told.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        assert value
        self._told.set()

    async def serve(self, *, sockets) -> None:
        """Serve until then."""
        assert len(sockets) == 1
        await self._told.wait()


async def test_a_task_that_breaks_lets_the_others_finish_what_they_have_begun() -> None:
    """Their stores are closed behind them: what a sender of webhooks had posted was not written down."""
    finished = []

    async def breaks():
        raise LookupError("what nobody foresaw")

    async def drains():
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            finished.append("drained")

    with pytest.raises(LookupError):
        await webserver._serve(Server(), None, [breaks, drains], stop_within_s=5.0)
    assert finished == ["drained"]


async def test_a_process_that_is_told_to_stop_says_nothing_of_errors() -> None:
    """A traceback at every deployment hides the one that matters."""
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    server = Server()

    async def waits():
        await asyncio.Event().wait()

    serving = asyncio.create_task(webserver._serve(server, None, [waits, waits], stop_within_s=5.0))
    await asyncio.sleep(0)
    server.should_exit = True
    await serving
    gc.collect()
    assert told == []
