"""An embedded server as something that is kept alive."""

from gateway.embedded import EmbeddedServer


class KeptStore:
    """One embedded server under its name; it is stopped by whoever opened it."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        """`postgres` or `redis`, after its folder."""
        return self._server.folder.name

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return self._server.pid

    async def start(self) -> None:
        """Start it on the data it left; no-op while it runs."""
        await self._server.start()

    async def wait_exited(self) -> int:
        """Return the exit status once it ends."""
        return await self._server.wait_exited()

    async def stop(self) -> None:
        """Do nothing: the stores outlive everything that uses them."""
