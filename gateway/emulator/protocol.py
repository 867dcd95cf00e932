"""The HTTP protocol of the server, with one addition: an application may cut the connection."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CuttableProtocol(HttpToolsProtocol):
    """Puts ``abort`` into the state of every request, which closes the connection without an answer."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope.setdefault("state", {})["abort"] = self._abort

    def _abort(self) -> None:
        self.cycle.disconnected = True
        self.transport.abort()
