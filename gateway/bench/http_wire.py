"""HTTP/1.1 as far as a load generator and a constant answerer need it: one message after the other."""

from collections.abc import Mapping

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class MessageReader:
    """Cuts a stream of bytes into messages: a start line with its head, and a body of its length."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Return the (head, body) of every message that is now complete."""
        self._buffer = self._buffer + data if self._buffer else data
        complete: list[tuple[bytes, bytes]] = []
        while (end := self._buffer.find(_END_OF_HEAD)) >= 0:
            head = self._buffer[:end]
            start = end + len(_END_OF_HEAD)
            stop = start + content_length(head)
            if len(self._buffer) < stop:
                break
            complete.append((head, self._buffer[start:stop]))
            self._buffer = self._buffer[stop:]
        return complete


def content_length(head: bytes) -> int:
    """Return the length that a head announces; 0 where it says nothing."""
    lower = head.lower()
    at = lower.find(_LENGTH)
    if at < 0:
        return 0
    end = lower.find(b"\r\n", at)
    return int(lower[at + len(_LENGTH) : end if end >= 0 else len(lower)])


def status_of(head: bytes) -> int:
    """Return the status of a response's head, `HTTP/1.1 202 Accepted`."""
    return int(head[9:12])


def request_bytes(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a whole request, ready to be written."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def response_bytes(body: bytes, *, media_type: str) -> bytes:
    """Return a whole 200 response."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body
