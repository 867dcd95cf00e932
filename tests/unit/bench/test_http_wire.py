"""The generator must never take half an answer for a whole one."""

import pytest

from gateway.bench.http_wire import (
    MessageReader,
    content_length,
    request_bytes,
    response_bytes,
    status_of,
)

_ANSWER = response_bytes(b'{"id":"msg_1"}', media_type="application/json")


@pytest.mark.parametrize("size", [1, 7, len(_ANSWER), 3 * len(_ANSWER)])
def test_messages_come_out_whole_however_the_stream_is_cut(size: int) -> None:
    """TCP cuts where it likes, and several answers may come in one piece."""
    reader, stream = MessageReader(), _ANSWER * 3
    read = [
        message
        for start in range(0, len(stream), size)
        for message in reader.feed(stream[start : start + size])
    ]
    assert [body for _, body in read] == [b'{"id":"msg_1"}'] * 3
    assert {status_of(head) for head, _ in read} == {200}


def test_head_without_a_length_has_no_body() -> None:
    """A 204 names none."""
    assert content_length(b"HTTP/1.1 204 No Content\r\nserver: x") == 0
    assert MessageReader().feed(b"HTTP/1.1 204 No Content\r\n\r\n") == [(b"HTTP/1.1 204 No Content", b"")]


def test_length_is_found_whatever_its_case() -> None:
    """Header names have none."""
    assert content_length(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y") == 12
    assert content_length(b"HTTP/1.1 200 OK\r\ncontent-length:3") == 3


def test_request_is_read_back_as_it_was_written() -> None:
    """The peer reads requests with the reader that the generator reads answers with."""
    request = request_bytes("POST", "/v1/messages", {"authorization": "Bearer x"}, b"{}")
    [(head, body)] = MessageReader().feed(request)
    assert head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"authorization: Bearer x" in head
    assert body == b"{}"
